"""Contracts: what may cross a topic or a file, as msgspec Structs; no IO, no clock, nothing of ours imported."""
