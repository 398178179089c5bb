"""Silence counts only while the feed is alive, and the feed is everybody's: not the partition's own customers alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.counts import by_day, pack, without_days
from detectors.customer import DAY_S, Customer
from detectors.feeds import BILLING, FEEDS_MAX, IN_ORDERS, IN_USAGE, LOST_KEPT, USAGE, Feed, hear, lost_s
from detectors.partition import Partition
from detectors.records import ALERTS, INSIGHTS
from detectors.signals import CATALOGUE, Moment
from detectors.signals.value import Days, usage_drop
from schemas.alerts import decode_alert
from schemas.insights_live import SourceSilent
from schemas.journal import encode_heard
from schemas.journal_dump import JournalRecord
from tests.detectors.lives import MODEL, POLICY, START_S, event, tick

GRACE_S = POLICY.value.feed_grace_s


def day_s(day: float) -> int:
    return round(START_S + day * DAY_S)


def heard(day: float, topic: str = USAGE) -> tuple[bytes | None, bytes]:
    return None, encode_heard(topic, day_s(day))


def run(items: list[tuple[bytes | None, bytes]], number: int = 0) -> Partition:
    part = Partition(number, {}, POLICY, MODEL)
    part.feed([JournalRecord(i, key, value, 0) for i, (key, value) in enumerate(items)])
    return part


def life(customer: str, days: range, kind: str = "usage.session.started") -> list[tuple[bytes | None, bytes]]:
    data: dict[str, Any] = {"order_id": "o", "amount": 9.0} if kind == "billing.order.placed" else {}
    return [(customer.encode(), event(kind, day + 0.5, customer=customer, **data)) for day in days]


def reasons_of(part: Partition) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for _, value, _ in part.snapshot().writes.get(ALERTS, ()):
        assert value is not None
        alert = decode_alert(value)
        found.setdefault(alert.subject, set()).update(reason.code for reason in alert.data.reasons)
    return found


def test_the_only_customer_of_a_partition_is_called_silent_when_the_feed_is_alive_elsewhere() -> None:
    alone = [*life("c-1", range(30)), (None, tick(30))]
    after = [item for day in range(30, 70) for item in (heard(day + 0.9), (None, tick(day + 1)))]
    assert "value.silence" in reasons_of(run([*alone, *after]))["c-1"]


def test_when_the_feed_goes_quiet_for_everybody_nobody_is_called_silent_and_the_source_is_named() -> None:
    many = [item for day in range(30) for i in range(5) for item in life(f"c-{i}", range(day, day + 1))]
    alive = [heard(day + 0.5) for day in range(30)]
    quiet = [(None, tick(30 + hour / 24)) for hour in range(24 * 20)]
    billing = [heard(day + 0.5, BILLING) for day in range(30, 50)]  # another feed proves nothing for this one
    part = run([*many, *alive, *quiet[:240], *billing, *quiet[240:]])
    snapshot = part.snapshot()
    assert ALERTS not in snapshot.writes
    rows = [(key, msgspec.json.decode(value or b"", type=SourceSilent)) for key, value, _ in snapshot.writes[INSIGHTS]]
    named = [row for key, row in rows if key == b"source_silent/usage.events"]
    assert [(row.source, row.since, row.until) for row in named] == [("usage.events", "2026-01-30T12:00:00Z", None)]


def test_when_it_speaks_again_the_row_says_so_and_the_time_between_is_nobodys_silence() -> None:
    items = [item for day in range(30) for i in range(5) for item in life(f"c-{i}", range(day, day + 1))]
    items += [heard(day + 0.5) for day in range(30)]
    items += [(None, tick(30 + hour / 24)) for hour in range(24 * 10)]
    items += [heard(40.0), *[(None, tick(40 + minute / 1440)) for minute in range(0, 600, 5)]]
    items += [(None, tick(40.5)), *[x for i in range(5) for x in life(f"c-{i}", range(40, 41))], (None, tick(41))]
    snapshot = run(items).snapshot()
    assert ALERTS not in snapshot.writes
    rows = [msgspec.json.decode(value or b"", type=SourceSilent) for _, value, _ in snapshot.writes[INSIGHTS]]
    assert [row.until for row in rows] == [None, "2026-02-10T00:00:00Z"]
    assert "speaks again" in rows[1].text


def test_one_partition_says_it_for_all() -> None:
    items = [heard(1.0), *[(None, tick(1 + hour / 24)) for hour in range(96)]]
    assert INSIGHTS in run(items, number=0).snapshot().writes
    assert INSIGHTS not in run(items, number=1).snapshot().writes


def test_feedback_from_the_team_is_no_feed_that_can_fall_silent() -> None:
    items = [heard(1.0, "retention.feedback"), *[(None, tick(1 + hour / 24)) for hour in range(96)]]
    assert INSIGHTS not in run(items).snapshot().writes


def test_who_orders_is_judged_by_the_feed_of_orders() -> None:
    orders = [item for day in range(0, 60, 3) for item in life("c-1", range(day, day + 1), "billing.order.placed")]
    late = range(60, 100)
    for topic, silent in ((BILLING, True), (USAGE, False)):
        after = [item for day in late for item in (heard(day + 0.9, topic), (None, tick(day + 1)))]
        found = reasons_of(run([*orders, (None, tick(60)), *after]))
        assert ("value.silence" in found.get("c-1", set())) is silent


def moment(now_d: float, feed: Feed) -> Moment:
    at = Moment(POLICY)
    at.at(day_s(now_d), {USAGE: feed})
    return at


@pytest.mark.parametrize(("lost_d", "strength"), [(0, -0.43), (2, -0.2), (3, 0.0)])
def test_days_without_the_feed_are_left_out_of_the_usage_drop(lost_d: int, strength: float) -> None:
    """Four active days of seven, daily before: a drop, unless the other three days are those of the outage."""
    part = run([*life("c-1", range(35)), *life("c-1", range(38, 42)), (None, tick(42.1))])
    c = part.hot[b"c-1"]
    lost = [(day_s(35), day_s(35 + lost_d))] if lost_d else []
    at = moment(42.1, Feed(day_s(42), lost))
    value_policy = msgspec.structs.replace(POLICY.value, drop_lasts_d=0)
    at.policy = msgspec.structs.replace(POLICY, value=value_policy)
    at.row = POLICY.signals["value.usage_drop"]
    value = usage_drop.measure(c, at)
    assert value is not None
    assert abs(value - strength) < 0.01


def test_while_the_feed_is_dead_use_is_what_it_was_when_it_died() -> None:
    used = [*features(range(30), ("a", "b")), *features(range(30, 50, 3), ("a", "b"))]
    c = run([*used, (None, tick(50.6))]).hot[b"c-1"]
    values = [read("value.usage_drop", c, moment(now_d, Feed(day_s(50)))) for now_d in (50.1, 53.9, 60.9, 80.9)]
    assert values[0] == pytest.approx(-0.5, abs=0.2)
    assert values == [values[0]] * 4
    assert read("value.silence", c, moment(60.9, Feed(day_s(50)))) is not None


@pytest.mark.parametrize("outage_d", [3, 10, 17])
@pytest.mark.parametrize("since_d", [0, 3, 20])
def test_an_outage_is_no_time_and_no_absence(outage_d: int, since_d: int) -> None:
    """Who uses it as before and after is told of no drop, on whichever weekdays, with a holiday before or without."""
    back_d = 60 + outage_d
    for away in (range(0), range(30, 42)):
        days = [day for day in (*range(60), *range(back_d, back_d + since_d)) if day % 7 < 5 and day not in away]
        c = run([item for day in days for item in life("c-1", range(day, day + 1))]).hot[b"c-1"]
        at = moment(back_d + since_d + 0.1, Feed(day_s(back_d + since_d), [(day_s(60), day_s(back_d))]))
        assert (read("value.usage_drop", c, at) or 0.0) > -0.3


def read(code: str, c: Customer, at: Moment) -> float | None:
    at.row = at.policy.signals[code]
    return CATALOGUE[code].measure(c, at)


def features(days: range, names: tuple[str, ...]) -> list[tuple[bytes | None, bytes]]:
    made: list[tuple[bytes | None, bytes]] = []
    for day in days:
        for hour, name in enumerate(names):
            made.append((b"c-1", event("usage.feature.used", day + 0.4 + hour / 100, feature=name)))
    return made


def test_a_drop_lasts_as_long_as_it_was_heard_of() -> None:
    """Less use for ten days, the outage before it not counted: a drop counts when it was heard of for two weeks."""
    used = [*features(range(40), ("a", "b")), *features(range(40, 62, 3), ("a", "b"))]
    c = run([*used, (None, tick(61.1))]).hot[b"c-1"]
    lost = [(day_s(45), day_s(52))]
    assert (read("value.usage_drop", c, moment(61.1, Feed(day_s(61)))) or 0.0) < -0.3
    assert (read("value.usage_drop", c, moment(61.1, Feed(day_s(61), lost))) or 0.0) > -0.3


@given(
    st.lists(st.integers(19_900, 20_000), min_size=1, max_size=40, unique=True),
    st.lists(st.tuples(st.integers(0, 20), st.integers(3, 20)), max_size=3),
)
def test_what_was_cut_out_is_in_no_window_and_every_window_is_as_long_as_it_was(
    days: list[int], steps: list[tuple[int, int]]
) -> None:
    spans, to_day = [], 20_000
    for back_d, lost_d in steps:
        spans.append((to_day - back_d - lost_d, to_day - back_d))
        to_day -= back_d + lost_d + 1
    packed, cuts = without_days(pack(dict.fromkeys(days, 1), 60), spans)
    cut = Days(packed, outages=cuts)
    lost = {day for a, b in spans for day in range(a, b)}
    real = [day for a, b in cut.pieces(19_950, 20_001) for day in range(a, b)]
    assert len(real) == 51
    assert lost.isdisjoint(real)
    assert {cut.in_calendar(day) for day, _ in by_day(packed)} == set(days) - lost


def test_windows_of_days_of_use_leave_lost_days_out() -> None:
    """Ten days without the feed are no days without use: as engaged and as many-sided as before."""
    many, few = ("a", "b", "c", "d"), ("a",)
    heard_of = [*features(range(20), many), *features(range(20, 40, 2), few), *features(range(50, 52), few)]
    c = run([*heard_of, (None, tick(52.1))]).hot[b"c-1"]
    lost = [(day_s(40), day_s(50))]
    with_hole, without = moment(52.1, Feed(day_s(52))), moment(52.1, Feed(day_s(52), lost))
    assert read("value.shallow_use", c, with_hole) == pytest.approx(-0.75)
    assert read("value.shallow_use", c, without) == 0.0  # of the 28 days that were heard, the first had all four
    assert (read("protect.engaged", c, with_hole) or 0) < 0.6 < (read("protect.engaged", c, without) or 0)


def test_nobody_leaves_news_untried_in_a_time_of_which_nothing_is_known() -> None:
    news = [(b"c-1", event("usage.feature.released", 20 + i, feature=f"new-{i}")) for i in range(2)]
    c = run([*life("c-1", range(25)), *news, (None, tick(25.1))]).hot[b"c-1"]
    assert read("value.no_news_used", c, moment(40.1, Feed(day_s(40)))) == 1.0
    assert read("value.no_news_used", c, moment(40.1, Feed(day_s(25)))) is None


def test_a_beginner_is_not_called_inactive_for_days_that_were_lost() -> None:
    bought = (b"c-1", event("billing.subscription.started", 10, plan="p", mrr=9.0))
    welcome = (b"c-1", event("engagement.contact.made", 11, purpose="check_in"))
    trial = (b"c-1", event("billing.subscription.started", 10, plan="p", mrr=9.0, trial=True))
    for items, code in (([bought, welcome], "onboarding.second_thoughts"), ([trial], "lead.stalled")):
        c = run([*items, (None, tick(12))]).hot[b"c-1"]
        alive, dead = moment(19.9, Feed(day_s(19))), moment(19.9, Feed(day_s(11)))
        assert (read(code, c, dead) or 0.0) < (read(code, c, alive) or 0.0)


spans = st.lists(st.integers(0, 40 * DAY_S), min_size=1, max_size=12)


@given(spans, st.randoms(use_true_random=False))
def test_the_newest_time_wins_whatever_the_order(times: list[int], random: object) -> None:
    feeds: dict[str, Feed] = {}
    shuffled = list(times)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for time_s in shuffled:
        hear(feeds, USAGE, time_s, GRACE_S)
    assert feeds[USAGE].heard_s == max(times)
    assert len(feeds[USAGE].lost) <= LOST_KEPT


@given(spans, st.randoms(use_true_random=False))
def test_what_is_lost_does_not_depend_on_the_order_in_which_a_feed_is_heard(times: list[int], random: object) -> None:
    """A backlog is told customer by customer: what one of them did not do is no silence of all."""
    first, *later = sorted(times)
    random.shuffle(later)  # type: ignore[attr-defined]
    in_order: dict[str, Feed] = {}
    mixed: dict[str, Feed] = {}
    for time_s in sorted(times):
        hear(in_order, USAGE, time_s, GRACE_S)
    for time_s in (first, *later):
        hear(mixed, USAGE, time_s, GRACE_S)
    assert mixed == in_order


@given(spans, st.integers(0, 40 * DAY_S), st.integers(0, 40 * DAY_S))
def test_lost_time_lies_within_what_is_asked(times: list[int], a: int, b: int) -> None:
    feeds: dict[str, Feed] = {}
    for time_s in sorted(times):
        hear(feeds, USAGE, time_s, GRACE_S)
    since_s, until_s = sorted((a, b))
    for active_in in (IN_USAGE, IN_ORDERS, IN_USAGE | IN_ORDERS):
        lost = lost_s(feeds, active_in, (since_s, until_s), until_s, GRACE_S)
        assert 0 <= lost <= until_s - since_s
    assert lost_s(feeds, IN_ORDERS, (since_s, until_s), until_s, GRACE_S) == 0


def test_feeds_are_few_whatever_is_said() -> None:
    feeds: dict[str, Feed] = {}
    for i in range(100):
        hear(feeds, f"t{i}", i, GRACE_S)
    assert len(feeds) == FEEDS_MAX


def test_a_customer_that_was_never_active_has_no_feed() -> None:
    assert not moment(10, Feed(0)).feed_is_dead(Customer())
