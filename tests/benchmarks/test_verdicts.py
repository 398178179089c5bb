"""Alerts against the truth: who counts as warned, for what reason, and what a false alarm is."""

from __future__ import annotations

import doctest
from pathlib import Path

import orjson
import pytest

from benchmarks import detection, verdicts
from benchmarks.verdicts import (
    WEEK_S,
    Known,
    Said,
    by_customer,
    customer_weeks,
    false_alarms,
    known_of,
    opened_between,
    said_of,
    verdict,
    warning_of,
)
from schemas.alerts import decode_alert

DAY_S = 86_400.0
LEFT = Known("c-1", "price", "price", "price", 0.0, 100 * DAY_S, 160 * DAY_S)
GOLDEN = Path(__file__).parents[1] / "golden" / "alert.json"


def said(day: float, code: str = "price.increase", revision: int = 1, alert: str = "a", *, done: bool = False) -> Said:
    return Said("c-1", alert, revision, day * DAY_S, done, "price", code, None)


def lead_days(*revisions: Said) -> float | None:
    warned = warning_of(LEFT, revisions)
    return None if warned is None else warned.lead_s / DAY_S


def test_the_lead_is_from_the_opening_to_the_leaving() -> None:
    assert lead_days(said(120), said(130, revision=2)) == 40


def test_an_alert_that_was_open_before_warns_from_when_the_cause_began() -> None:
    assert lead_days(said(50)) == 60


def test_an_alert_that_had_ended_before_the_cause_began_does_not_warn() -> None:
    assert lead_days(said(50), said(60, revision=2, done=True)) is None


def test_an_alert_at_or_after_the_leaving_does_not_warn() -> None:
    assert lead_days(said(160)) is None
    assert lead_days(said(161)) is None


def test_the_first_of_two_alerts_counts_and_the_last_words_are_those_of_the_second() -> None:
    first, ended, second = said(110), said(120, revision=2, done=True), said(140, "exit.intent", alert="b")
    warned = warning_of(LEFT, [first, ended, second])
    assert warned is not None
    assert (warned.lead_s / DAY_S, warned.opening, warned.last) == (50, first, second)


def test_the_last_words_are_those_before_the_leaving() -> None:
    churned = said(160, "exit.intent", revision=3, done=True)
    warned = warning_of(LEFT, [said(120), said(130, "price.no_notice", revision=2), churned])
    assert warned is not None
    assert warned.last.code == "price.no_notice"


def test_a_verdict_counts_only_who_left_with_a_cause() -> None:
    known = [
        LEFT,
        LEFT._replace(customer_id="missed"),
        LEFT._replace(customer_id="stayed", left_s=None),
        LEFT._replace(customer_id="no cause", churn_type=None, group=None, began_s=None),
    ]
    found = verdict(known, {"c-1": [said(120, "service.unresolved"), said(150, revision=2)]})
    assert (found.left, found.warned, found.warned_share, found.lead_days) == (2, 1, 0.5, 40)
    assert (found.group_at_opening, found.group_at_last, found.type_at_last) == (0.0, 1.0, 1.0)


def test_nothing_to_judge_is_no_share() -> None:
    found = verdict([], {})
    assert (found.warned_share, found.lead_days, found.group_at_last) == (None, None, None)
    assert false_alarms([], {}).share is None


def test_false_alarms_are_those_on_customers_without_a_cause() -> None:
    calm = LEFT._replace(customer_id="c-2", churn_type=None, group=None, began_s=None, left_s=None)
    opened = by_customer([said(50), said(120, alert="b"), said(70)._replace(customer_id="c-2", alert_id="c")])
    found = false_alarms([LEFT, calm], opened)
    assert (found.opened, found.no_cause, found.too_early, found.share) == (3, 1, 1, 1 / 3)


def test_an_alert_after_the_leaving_is_for_winning_back_and_no_false_alarm() -> None:
    gone = LEFT._replace(churn_type=None, group=None, began_s=None)
    assert false_alarms([gone], {"c-1": [said(159), said(161, alert="b")]}) == (1, 1, 0)


def test_customer_weeks_end_with_the_leaving() -> None:
    stays = LEFT._replace(left_s=None, joined_s=WEEK_S)
    assert customer_weeks([LEFT._replace(left_s=2.0 * WEEK_S), stays], 10.0 * WEEK_S) == 2.0 + 9.0


def test_only_first_revisions_open() -> None:
    rows = {"c-1": [said(1), said(2, revision=2)], "c-2": [said(3)]}
    assert opened_between(rows, DAY_S, 3 * DAY_S) == [said(1)]


def test_an_alert_is_read_as_its_first_harmful_reason() -> None:
    line = orjson.loads(GOLDEN.read_bytes())
    alert = decode_alert(GOLDEN.read_bytes()).data
    found = said_of(line)
    assert (found.customer_id, found.revision, found.code) == (
        alert.customer_id,
        alert.revision,
        alert.reasons[0].code,
    )
    line["data"]["reasons"] = [reason | {"contribution": -1.0} for reason in line["data"]["reasons"]]
    assert (said_of(line).code, said_of(line).group) == ("", "")


def test_the_truth_is_read_as_it_is_written() -> None:
    row = {
        "customer_id": "c",
        "life": "price",
        "churn_type": "price",
        "group": "price",
        "joined_at": "2025-01-01T00:00:00.000Z",
        "began_at": "2025-01-03T00:00:00.000Z",
        "left_at": None,
    }
    found = known_of(row)
    assert found.began_s is not None
    assert (found.began_s - found.joined_s, found.left_s) == (2 * DAY_S, None)


@pytest.mark.parametrize("module", [verdicts, detection])
def test_the_examples_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.whole
def test_the_benchmark_measures_what_must_hold() -> None:
    rows = detection.measure(seeds=(1,), customers=40, days=120.0, silent=("usage.events",))
    wanted = {row.what: row.target for row in rows if row.target}
    assert list(wanted.values()) == ["≥ 80 %", "≥ 14 d", "≥ 70 %", "≥ 70 %", "≤ 10 %", "≤ 0 customers", "1"]
    assert sum(row.what.split(":")[0] in ("involuntary", "service", "drifting") for row in rows) == 3
