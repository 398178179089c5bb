"""Simulated customers: same seed, same bytes; every type and every cause; and each life is told in order."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    before_s = 0.0
    ids: set[tuple[str, str]] = set()
    for one in emitted(seed, customers, days):
        read = read_event(one.value, (), START_S + days * DAY_S)
        assert isinstance(read, Accepted), read
        assert read.event.subject == one.customer_id
        assert one.time_s >= before_s
        assert (read.event.source, read.event.id) not in ids
        ids.add((read.event.source, read.event.id))
        before_s = one.time_s


def test_every_event_type_of_the_contract_occurs() -> None:
    seen = {TYPE_OF[type(told.data)] for seed in (1, 2) for told in year(seed)[0]}
    assert set(EVENT_TYPES) - seen == {name for name, _data in STRAYS}, (
        "all but feedback about alerts, which needs some"
    )


def test_every_input_topic_gets_traffic() -> None:
    assert {TOPIC_OF_TYPE[TYPE_OF[type(one.data)]] for one in year(1)[0]} == set(TOPIC_OF_TYPE.values())


@pytest.mark.parametrize(
    "churn_type",
    ["involuntary", "service", "price", "product", "competitor", "unrecognised", "never_activated", "drifting"],
)
def test_each_cause_makes_some_leave_and_some_of_them_stay(churn_type: str) -> None:
    left = [
        row["churned_at"] is not None for seed in range(1, 9) for row in truth_of(seed) if row["cause"] == churn_type
    ]
    assert any(left)
    assert not all(left)


@cache
def truth_of(seed: int) -> tuple[dict[str, Any], ...]:
    return tuple(truth(story) for story in stories(world_of(seed, 365), 150))


def test_a_few_customers_are_enough_for_each_kind_of_life() -> None:
    lives = {story.life for story in stories(world_of(9, 100), len(LIVES))}
    assert len(lives) == len(LIVES)


def test_some_leave_without_a_cause() -> None:
    assert any(row["cause"] is None and row["churned_at"] for seed in range(1, 9) for row in truth_of(seed))


def test_most_customers_stay() -> None:
    rows = [row for seed in range(1, 9) for row in truth_of(seed)]
    assert 0.15 < sum(row["churned_at"] is not None for row in rows) / len(rows) < 0.45


def test_the_truth_about_subscribers_is_what_the_cancellations_say() -> None:
    told, rows = year(1)
    cancelled = {one.customer_id for one in told if TYPE_OF[type(one.data)] == "billing.subscription.cancelled"}
    said = {row["customer_id"] for row in rows if row["churned_at"] is not None and row["life"] != "shop"}
    assert cancelled == said


def test_after_a_cancellation_only_the_wish_to_be_forgotten_comes() -> None:
    gone: set[str] = set()
    for one in year(1)[0]:
        name = TYPE_OF[type(one.data)]
        assert one.customer_id not in gone or name == "privacy.erasure.requested"
        if name == "billing.subscription.cancelled":
            gone.add(one.customer_id)


def test_people_are_active_at_their_hours() -> None:
    hours = Counter(
        int(one.time_s % DAY_S // 3_600) for one in year(1)[0] if TYPE_OF[type(one.data)] == "usage.session.started"
    )
    by_day, by_night = sum(hours[hour] for hour in range(8, 20)), sum(hours[hour] for hour in range(6))
    assert by_day > 4 * by_night


def test_every_life_is_documented_with_the_signals_it_shows_in() -> None:
    text = (Path(__file__).parents[3] / "docs" / "simulation.md").read_text()
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    told = {story.life: story.cause_codes for story in stories(world_of(9, 100), len(LIVES))}
    assert rows.keys() == told.keys()
    assert [(life, code) for life, codes in told.items() for code in codes if f"`{code}`" not in rows[life]] == []
