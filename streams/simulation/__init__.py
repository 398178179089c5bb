"""Simulated customers: whole lives with a known reason for leaving or staying, told on all input topics.

Everything is fixed by seed, number of customers and time span: the same three give the same bytes. Nothing in here
reads a clock, a file or a network; `streams.simulate` does that.
"""
