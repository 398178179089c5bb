"""Simulated customers: same seed, same bytes; every type and every cause; and each life is told in order."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.policy import Policy
from schemas.alerts import ChurnType
from schemas.events import EVENT_TYPES, TOPIC_OF_TYPE, TYPE_OF
from schemas.intake import Accepted, read_event
from streams.durations import parse_time_s
from streams.simulation.faults import STRAYS
from streams.simulation.happenings import DAY_S
from streams.simulation.lives import LIVES
from streams.simulation.people import World, make_world
from streams.simulation.population import stories, told_in_order, truth
from streams.simulation.wire import Emission, Told, emission

START_S = parse_time_s("2025-01-01")


def world_of(seed: int, days: int) -> World:
    return make_world(seed, START_S, START_S + days * DAY_S)


@cache
def year(seed: int) -> tuple[tuple[Told, ...], tuple[dict[str, Any], ...]]:
    """A year of 120 customers, and the truth about them."""
    told = stories(world_of(seed, 365), 120)
    return tuple(told_in_order(told)), tuple(truth(story) for story in told)


def emitted(seed: int, customers: int, days: int) -> list[Emission]:
    return list(map(emission, told_in_order(stories(world_of(seed, days), customers))))


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert emitted(3, 15, 120) == emitted(3, 15, 120)


def test_another_seed_gives_other_customers() -> None:
    first, second = emitted(3, 15, 60), emitted(4, 15, 60)
    assert not {one.customer_id for one in first} & {one.customer_id for one in second}


def test_a_customer_leads_the_same_life_among_few_and_among_many() -> None:
    few = [one.value for one in emitted(5, 3, 90) if one.customer_id.endswith("000002")]
    many = [one.value for one in emitted(5, 12, 90) if one.customer_id.endswith("000002")]
    assert few == many


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 150))
def test_every_event_obeys_its_contract_and_time_never_goes_back(seed: int, customers: int, days: int) -> None:
    before_s = -float("inf")
    ids: set[tuple[str, str]] = set()
    for one in emitted(seed, customers, days):
        read = read_event(one.value, (), START_S + days * DAY_S)
        assert isinstance(read, Accepted), read
        assert read.event.subject == one.customer_id
        assert one.time_s >= before_s
        assert (read.event.source, read.event.id) not in ids
        ids.add((read.event.source, read.event.id))
        before_s = one.time_s


def test_what_lies_before_the_start_is_how_old_customers_came_and_what_they_were_given() -> None:
    past = [one for one in year(1)[0] if one.time_s < START_S]
    assert {TYPE_OF[type(one.data)] for one in past} == {
        "billing.subscription.started",
        "billing.subscription.renewed",
        "usage.session.started",
        "engagement.benefit.granted",
    }
    assert all(one.time_s > START_S - 4 * 365 * DAY_S for one in past)


def test_every_event_type_of_the_contract_occurs() -> None:
    seen = {TYPE_OF[type(told.data)] for seed in (1, 2) for told in year(seed)[0]}
    assert set(EVENT_TYPES) - seen == {name for name, _data in STRAYS}, (
        "all but feedback about alerts, which needs some"
    )


def test_every_input_topic_gets_traffic() -> None:
    assert {TOPIC_OF_TYPE[TYPE_OF[type(one.data)]] for one in year(1)[0]} == set(TOPIC_OF_TYPE.values())


@cache
def rows() -> tuple[dict[str, Any], ...]:
    """The truth about 300 customers' year, of eight seeds."""
    return tuple(truth(story) for seed in range(1, 9) for story in stories(world_of(seed, 365), 300))


@pytest.mark.parametrize("churn_type", get_args(ChurnType))
def test_each_type_of_trouble_makes_some_leave_and_some_of_them_stay(churn_type: str) -> None:
    left = [row["left_at"] is not None for row in rows() if row["churn_type"] == churn_type]
    assert 0.3 < sum(left) / len(left) < 0.8


def test_a_few_customers_are_enough_for_each_kind_of_life() -> None:
    assert {story.life for story in stories(world_of(9, 100), len(LIVES))} == {life.__name__ for life in LIVES}


def test_some_leave_without_a_cause() -> None:
    assert any(row["churn_type"] is None and row["left_at"] for row in rows())


def test_about_as_many_leave_as_were_asked_for() -> None:
    assert 0.13 < sum(row["left_at"] is not None for row in rows()) / len(rows()) < 0.23
    few, many = (sum(bool(story.left_s) for story in stories(world_of(3, 365), 400, share)) for share in (0.05, 0.4))
    assert few < 0.5 * many


def test_who_leaves_has_had_the_trouble_for_weeks_mostly_and_some_for_days_only() -> None:
    days = sorted(
        (parse_time_s(row["left_at"]) - parse_time_s(row["began_at"])) / DAY_S
        for row in rows()
        if row["left_at"] and row["churn_type"]
    )
    assert days[0] > 0.0
    assert days[len(days) // 20] < 25.0
    assert 25.0 < days[len(days) // 2] < 90.0


def test_a_cause_names_its_signal_its_group_and_its_time() -> None:
    catalogue = Policy().signals
    for row in rows():
        if row["churn_type"] is None:
            assert (row["group"], row["signal"], row["shows_in"]) == (None, None, [])
        else:
            assert row["signal"] == row["shows_in"][0]
            assert row["group"] == row["signal"].partition(".")[0]
            assert set(row["shows_in"]) <= catalogue.keys()
            assert row["began_at"] is not None


def test_the_truth_about_subscribers_is_what_the_cancellations_say() -> None:
    told, truths = year(1)
    cancelled = {one.customer_id for one in told if TYPE_OF[type(one.data)] == "billing.subscription.cancelled"}
    said = {
        row["customer_id"]
        for row in truths
        if row["left_at"] is not None and row["life"] not in ("turned_away", "quiet_shopper")
    }
    assert cancelled == said


def test_nothing_but_the_wish_to_be_forgotten_follows_a_leaving() -> None:
    told, truths = year(1)
    left_s = {row["customer_id"]: parse_time_s(row["left_at"]) for row in truths if row["left_at"]}
    after = {TYPE_OF[type(one.data)] for one in told if one.time_s > left_s.get(one.customer_id, float("inf")) + 1.0}
    assert after <= {"privacy.erasure.requested"}


def test_a_storm_hits_most_customers_within_the_hour() -> None:
    storm_s = START_S + 40 * DAY_S
    world = make_world(3, START_S, START_S + 60 * DAY_S, (storm_s,))
    told = [one for one in told_in_order(stories(world, 100)) if storm_s <= one.time_s < storm_s + 3_600]
    hit = {one.customer_id for one in told if getattr(one.data, "outage_id", "") == "O-3-storm-0"}
    assert len(hit) > 40
    assert {one.customer_id for one in told if getattr(one.data, "code", "") == "E_UNAVAILABLE"} == hit
    calm = {one.value for one in emitted(3, 100, 60)}
    assert not any(b"storm" in value for value in calm)


def test_people_are_active_at_their_hours() -> None:
    hours = Counter(
        int(one.time_s % DAY_S // 3_600) for one in year(1)[0] if TYPE_OF[type(one.data)] == "usage.session.started"
    )
    by_day, by_night = sum(hours[hour] for hour in range(8, 20)), sum(hours[hour] for hour in range(6))
    assert by_day > 4 * by_night


def test_every_life_is_documented_with_the_signals_it_shows_in() -> None:
    text = (Path(__file__).parents[3] / "docs" / "simulation.md").read_text()
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    told = {story.life: story.cause for story in stories(world_of(9, 100), len(LIVES))}
    assert lines.keys() == told.keys()
    causes = {life: cause for life, cause in told.items() if cause is not None and life != "recovered"}
    codes = [(life, code) for life, cause in causes.items() for code in cause.signals]
    assert [(life, code) for life, code in codes if f"`{code}`" not in lines[life]] == []


def test_every_signal_of_the_catalogue_is_shown_by_some_life() -> None:
    shown = {code for row in rows() for code in row["shows_in"]}
    protecting = {code for code in Policy().signals if code.startswith("protect.")}
    assert set(Policy().signals) - shown == protecting
