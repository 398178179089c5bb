"""The catalogue as a page for people: docs/signals.md is what this makes of the code."""

from collections.abc import Mapping
from typing import Final

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
Where measurements made a signal other than it was thought out at first, it says so.
"""

DEPARTURES: Final[Mapping[str, str]] = {
    "price.above_market": "An offer for newcomers that `loyalty.newcomer_deal` tells of is left to it.",
    "value.usage_drop": "A drop counts once it lasted (`value.drop_lasts_d`), on the days on which the customer is "
    "there, with 28 activities before it: of the alerts on simulated customers (seed 101) 59 % had been on people "
    "without a cause, most of them on holiday; so it was 21 %.",
    "value.silence": "It is compared with no gap under `value.gap_least_d`: alerts without a cause went from 17 to "
    "15 % (seed 101). Of shops the silence is full when the customer counts as gone.",
    "value.shallow_use": "Over equally many days of use: that somebody comes less often is told by the two above.",
    "value.no_news_used": "Nobody ignores a feature before they had `value.news_grace_d` to come across it.",
    "tech.crashes": "From `tech.crashes_least` on: one crash among few sessions is a high rate, and an accident.",
    "exit.contract_window": "Weak instead of middling, as every contract ends: alerts without a cause went from 17 to "
    "13 % (seeds 101 and 102). A trial has none.",
    "lead.stalled": "Strong instead of middling: 7 of 7 stalled trials were missed, then none (seeds 101 and 102).",
    "protect.advocate": "Events that were attended are not counted: no event type tells of them.",
}
"""Where a signal is not read as the catalogue that this project began with had it, and what was measured."""


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
                if departs := DEPARTURES.get(signal.code):
                    parts.append(f"*Other than at first:* {departs}\n")
    return "\n".join(parts)


def _numbers(row: SignalPolicy) -> str:
    said = [f"from {row.from_:g}", f"to {row.to:g}", f"prior {row.prior:+g}"]
    if row.window_d:
        said.append(f"window {row.window_d} d")
    if row.at_least:
        said.append(f"unknown below {row.at_least:g}")
    return " · ".join(said)
