"""The catalogue as a page for people: docs/signals.md is what this makes of the code."""

from detectors.catalogue import SignalPolicy
from detectors.policy import Policy
from detectors.signals import CATALOGUE, GROUPS
from schemas.events import TYPE_OF

HEAD = """# Signals

What makes a customer leave, as things that are measured in the event stream. A **signal** turns one customer's history
into a **strength** from 0 (at `from`) to 1 (at `to`), linear between. Strength × weight is its **contribution** in
log-odds; on day 0 the weight is the prior of this page (1.6 strong, 0.8 middling, 0.4 weak; negative protects). A
signal that has not seen its inputs is *unknown*: neither good nor bad.

Windows are rolling windows of event time in UTC days, today included, so late and out-of-order events count where
they belong. A signal is read again when an event of its list comes, or when time alone changes it. Every number is in
the policy, under `[signals."<code>"]`. This page is made from the code; a test says so.
"""


def signals_page(policy: Policy) -> str:
    """docs/signals.md."""
    parts = [HEAD]
    for group in GROUPS:
        parts.append(f"## {(group.__doc__ or '').strip().rstrip('.')}\n")
        for signal in sorted(CATALOGUE.values(), key=lambda s: s.number):
            if signal.measure.__module__ == group.__name__:
                depends = ", ".join(f"`{TYPE_OF[kind]}`" for kind in signal.depends)
                parts.append(f"### `{signal.code}`\n\n{signal.doc}\n")
                parts.append(f"{_numbers(policy.signals[signal.code])}\n\nRead again after {depends}.\n")
    return "\n".join(parts)


def _numbers(row: SignalPolicy) -> str:
    said = [f"from {row.from_:g}", f"to {row.to:g}", f"prior {row.prior:+g}"]
    if row.window_d:
        said.append(f"window {row.window_d} d")
    if row.at_least:
        said.append(f"unknown below {row.at_least:g}")
    return " · ".join(said)
