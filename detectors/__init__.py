"""The core: one customer's history folded into signals, a churn probability and alerts.

Nothing here does IO, reads a clock or draws a random number. What decides is in the arguments.
"""
