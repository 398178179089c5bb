"""How good the probabilities of a replay were: for everybody, for groups of customers, and four weeks by four weeks.

Rules: every figure is of the rows themselves, each of them given before its outcome; groups are those of a customer at
the landmark; at most GROUPS_MAX plans and channels are told of, those with the most rows; lead times are told of those
who said that they leave, in the group they were of at the last landmark before.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from msgspec import Struct

from detectors.learning.grades import PERIOD_S
from detectors.learning.groups import ALL, FIXED_GROUPS
from detectors.quality import Judged, reliability
from schemas.times import rfc3339
from streams.outcomes import Gone, Landmark, Outcomes, lead_of

GROUPS_MAX: Final = 48


class Judgement(Struct, frozen=True):
    """The report's figures by bin, by group and by four weeks."""

    reliability: list[dict[str, Any]] = []
    by_group: dict[str, dict[str, Any]] = {}
    over_time: list[dict[str, Any]] = []


def judgement(outcomes: Outcomes) -> Judgement:
    """All of it; empty while no landmark's horizon has passed."""
    known, gone = list(outcomes.known()), list(outcomes.gone())
    if not known:
        return Judgement()
    share = outcomes.budget_share
    by_group = {name: Judged(share) for name in _told(known)}
    by_period: dict[int, Judged] = {}
    for landmark, left in known:
        by_period.setdefault(landmark.time_s // PERIOD_S, Judged(share)).landmark(landmark.p, left)
        for name, judged in by_group.items():
            rows = [i for i, groups in enumerate(landmark.groups) if name == ALL or name in groups]
            if rows:
                judged.landmark([landmark.p[i] for i in rows], [left[i] for i in rows])
    leaving = _gone_by_group(known, gone)
    return Judgement(
        table(by_group[ALL]),
        {
            name: {**_figures(judged, leaving.get(name, []) if name != ALL else gone), "reliability": table(judged)}
            for name, judged in by_group.items()
        },
        [
            {
                "since": rfc3339(number * PERIOD_S),
                **_figures(judged, [each for each in gone if each.left_s // PERIOD_S == number]),
            }
            for number, judged in sorted(by_period.items())
        ],
    )


def table(judged: Judged) -> list[dict[str, Any]]:
    """The reliability table of what was judged."""
    return [row._asdict() for row in reliability(judged.p, judged.left)]


def _told(known: list[tuple[Landmark, list[int]]]) -> list[str]:
    """The groups with a row, those that every business has first, then the largest plans and channels."""
    rows = Counter(name for landmark, _ in known for groups in landmark.groups for name in groups)
    own = sorted((name for name in rows if name not in FIXED_GROUPS), key=lambda name: (-rows[name], name))
    return [*(name for name in FIXED_GROUPS if name == ALL or rows[name]), *own[:GROUPS_MAX]]


def _gone_by_group(known: list[tuple[Landmark, list[int]]], gone: list[Gone]) -> dict[str, list[Gone]]:
    """Those who left, by the groups that each was of at the last landmark before."""
    seen: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    for landmark, _ in known:
        for customer, groups in zip(landmark.customers, landmark.groups, strict=True):
            seen.setdefault(customer, []).append((landmark.time_s, groups))
    found: dict[str, list[Gone]] = {}
    for each in gone:
        before = [groups for time_s, groups in seen.get(each.customer_id, ()) if time_s < each.left_s]
        for name in before[-1] if before else ():
            found.setdefault(name, []).append(each)
    return found


def _figures(judged: Judged, gone: list[Gone]) -> dict[str, Any]:
    churned, warned, lead_days = lead_of(gone)
    leads = {"churned": churned, "churned_after_alert": warned, "lead_days_median": lead_days}
    return {**judged.quality()._asdict(), **leads}
