"""The engine: Faust for membership and recovery, whole fetches for speed, Kafka transactions for truth.

Rules: a fetch is applied once, in order, by the owner of its partition; what it changed becomes visible with the
offsets it was read from, in one transaction, or never; after any failure the worker starts again from its last commit.
"""
