"""Alerts against the truth about simulated customers: who was warned, how far ahead, and for the right reason.

Rules: nothing here reads a file or a clock; an alert warns of a cause only while the cause is there: it was alive at
some time between the cause's beginning and the leaving.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, NamedTuple

from streams.durations import parse_time_s

DAY_S = 86_400
WEEK_S = 7 * DAY_S


class Known(NamedTuple):
    """What is true of one customer; times in seconds since the Unix epoch."""

    customer_id: str
    life: str
    churn_type: str | None
    group: str | None
    joined_s: float
    began_s: float | None
    left_s: float | None


class Said(NamedTuple):
    """One revision of an alert; `group` and `code` are those of its first reason, empty where nothing adds to it."""

    customer_id: str
    alert_id: str
    revision: int
    as_of_s: float
    resolved: bool
    churn_type: str
    code: str
    incident: str | None

    @property
    def group(self) -> str:
        """The signal group of the first reason."""
        return self.code.partition(".")[0]


class Warned(NamedTuple):
    """What was said to a customer who left because of a cause, before that."""

    known: Known
    lead_s: float
    opening: Said
    last: Said


class Verdict(NamedTuple):
    """How well the alerts told of those who left; shares from 0 to 1, None where there was nothing to judge."""

    left: int
    warned: int
    lead_days: float | None
    group_at_opening: float | None
    group_at_last: float | None
    type_at_last: float | None

    @property
    def warned_share(self) -> float | None:
        """Of those who left because of a cause, how many were alerted before."""
        return self.warned / self.left if self.left else None


def known_of(row: dict[str, Any]) -> Known:
    """A line of the truth file."""

    def seconds(name: str) -> float | None:
        return None if row[name] is None else parse_time_s(row[name])

    joined_s = parse_time_s(row["joined_at"])
    return Known(
        row["customer_id"],
        row["life"],
        row["churn_type"],
        row["group"],
        joined_s,
        seconds("began_at"),
        seconds("left_at"),
    )


def said_of(event: dict[str, Any]) -> Said:
    """A line of `churnwatch replay --alerts`."""
    alert = event["data"]
    harmful = [reason["code"] for reason in alert["reasons"] if reason["contribution"] > 0]
    return Said(
        alert["customer_id"],
        alert["alert_id"],
        alert["revision"],
        parse_time_s(alert["as_of"]),
        alert["status"] == "resolved",
        alert["churn_type"],
        harmful[0] if harmful else "",
        alert.get("common_cause"),
    )


def by_customer(said: Iterable[Said]) -> dict[str, list[Said]]:
    """Each customer's revisions, in order of time."""
    found: dict[str, list[Said]] = {}
    for each in sorted(said, key=lambda each: (each.as_of_s, each.alert_id, each.revision)):
        found.setdefault(each.customer_id, []).append(each)
    return found


def warning_of(known: Known, revisions: Sequence[Said]) -> Warned | None:
    """The first alert that was alive between the beginning of the cause and the leaving; None without one.

    The lead is from its opening, or from the beginning of the cause if it was open before, to the leaving.

    >>> known = Known("c", "price", "price", "price", 0.0, 10.0, 90.0)
    >>> early = Said("c", "a", 1, 5.0, False, "price", "value.silence", None)
    >>> late = Said("c", "b", 1, 50.0, False, "price", "price.increase", None)
    >>> warning_of(known, [early, early._replace(revision=2, as_of_s=8.0, resolved=True), late]).lead_s
    40.0
    >>> warning_of(known, [late._replace(as_of_s=95.0)]) is None
    True
    """
    began_s, left_s = known.began_s, known.left_s
    assert began_s is not None
    assert left_s is not None
    before = [each for each in revisions if each.as_of_s < left_s]
    ended = {each.alert_id for each in before if each.resolved and each.as_of_s < began_s}
    alive = [each for each in before if each.alert_id not in ended]
    openings = [each for each in alive if each.revision == 1]
    if not openings:
        return None
    spoken = [each for each in alive if each.code and not each.resolved]
    last = spoken[-1] if spoken else openings[0]
    return Warned(known, left_s - max(openings[0].as_of_s, began_s), openings[0], last)


def verdict(known: Iterable[Known], said: dict[str, list[Said]]) -> Verdict:
    """The verdict over those who left because of a cause."""
    left = [each for each in known if each.left_s is not None and each.began_s is not None]
    found = [warning_of(each, said.get(each.customer_id, ())) for each in left]
    warned = [each for each in found if each is not None]

    def share(right: Iterable[bool]) -> float | None:
        return sum(right) / len(warned) if warned else None

    return Verdict(
        left=len(left),
        warned=len(warned),
        lead_days=median(each.lead_s for each in warned) / DAY_S if warned else None,
        group_at_opening=share(each.opening.group == each.known.group for each in warned),
        group_at_last=share(each.last.group == each.known.group for each in warned),
        type_at_last=share(each.last.churn_type == each.known.churn_type for each in warned),
    )


class FalseAlarms(NamedTuple):
    """Opened alerts: all, those on customers who had no cause at all, and those before their cause began."""

    opened: int
    no_cause: int
    too_early: int

    @property
    def share(self) -> float | None:
        """Of the opened alerts, how many are on customers who had no cause."""
        return self.no_cause / self.opened if self.opened else None


def false_alarms(known: Iterable[Known], said: dict[str, list[Said]]) -> FalseAlarms:
    """Count the opened alerts by whether there was anything to be told; win-back alerts, after a leaving, are none."""
    opened = no_cause = too_early = 0
    for each in known:
        for revision in said.get(each.customer_id, ()):
            if revision.revision == 1 and (each.left_s is None or revision.as_of_s < each.left_s):
                opened += 1
                no_cause += each.began_s is None
                too_early += each.began_s is not None and revision.as_of_s < each.began_s
    return FalseAlarms(opened, no_cause, too_early)


def customer_weeks(known: Iterable[Known], end_s: float) -> float:
    """For how long there were customers, in customers times weeks."""
    return sum(max(0.0, min(end_s, each.left_s or end_s) - each.joined_s) for each in known) / WEEK_S


def opened_between(said: dict[str, list[Said]], from_s: float, to_s: float) -> list[Said]:
    """The first revisions of the alerts that opened from `from_s` up to `to_s`."""
    return [each for row in said.values() for each in row if each.revision == 1 and from_s <= each.as_of_s < to_s]


def owed_to_it(changed: dict[str, list[Said]], twin: dict[str, list[Said]], from_s: float, to_s: float) -> list[Said]:
    """Alerts that opened from `from_s` up to `to_s` because of a silence or a storm: the twin without it has none.

    The twin is the same customers and events, those included that the silence swallowed. It has the same alert if one
    about the customer was alive at any time from `from_s` to the end of this one: for the want of other events it may
    have opened earlier or later, as what must last for two weeks lasts so long without those of which nothing is known.

    >>> silent = Said("c", "a", 1, 50.0, False, "service", "service.slow_answer", None)
    >>> ended = silent._replace(revision=2, as_of_s=60.0, resolved=True)
    >>> later = silent._replace(alert_id="b", as_of_s=55.0)
    >>> owed_to_it({"c": [silent, ended]}, {"c": [later]}, 40.0, 60.0)
    []
    >>> len(owed_to_it({"c": [silent, ended]}, {"c": [later._replace(as_of_s=70.0)]}, 40.0, 60.0))
    1
    """

    def lives(row: Iterable[Said]) -> dict[str, tuple[float, float]]:
        found: dict[str, tuple[float, float]] = {}
        for each in row:
            began_s, ends_s = found.get(each.alert_id, (each.as_of_s, math.inf))
            found[each.alert_id] = began_s, each.as_of_s if each.resolved else ends_s
        return found

    owed = []
    for opening in opened_between(changed, from_s, to_s):
        _, ends_s = lives(changed[opening.customer_id])[opening.alert_id]
        others = lives(twin.get(opening.customer_id, ())).values()
        if not any(since_s < ends_s and until_s > from_s for since_s, until_s in others):
            owed.append(opening)
    return owed
