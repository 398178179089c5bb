"""Faults add and delay; they take nothing away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import get_args

import pytest

from schemas.deadletters import Reason
from schemas.events import TYPE_OF
from schemas.intake import Accepted, Rejected, read_event
from streams.durations import parse_time_s
from streams.simulation.dice import Dice
from streams.simulation.faults import (
    BROKEN,
    STRAYS,
    FaultRates,
    Silence,
    broken_copy,
    stray_feedback,
    with_faults,
    without_silent,
)
from streams.simulation.happenings import DAY_S
from streams.simulation.people import make_world
from streams.simulation.population import stories, told_in_order
from streams.simulation.wire import Emission, emission

START_S = parse_time_s("2025-01-01")
NOW_S = START_S + 400 * DAY_S


def sound() -> Iterator[Emission]:
    return map(emission, told_in_order(stories(make_world(1, START_S, START_S + 100 * DAY_S), 30)))


def faulty(seed: int = 1) -> list[Emission]:
    return list(with_faults(sound(), Dice(f"{seed}/faults")))


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_copy_is_refused_for_its_reason(number: int) -> None:
    read = read_event(broken_copy(next(sound()), number).value, (), NOW_S)
    assert isinstance(read, Rejected)
    assert read.reason == BROKEN[number][0]


def test_every_reason_that_input_can_give_is_among_the_faults() -> None:
    refused = {read.reason for one in faulty() if isinstance(read := read_event(one.value, (), NOW_S), Rejected)}
    assert refused == set(get_args(Reason)) - {"detector_failed"}


def test_every_sound_event_still_arrives() -> None:
    arrived = Counter(one.value for one in faulty())
    assert all(arrived[one.value] >= 1 for one in sound())


def test_some_events_arrive_twice_and_some_late() -> None:
    arrived = [one for one in faulty() if isinstance(read_event(one.value, (), NOW_S), Accepted)]
    assert max(Counter(one.value for one in arrived).values()) == 2
    latest_s, late = 0.0, 0
    for one in arrived:
        late += one.time_s < latest_s
        latest_s = max(latest_s, one.time_s)
    assert late > 0


def test_the_same_seed_gives_the_same_faults() -> None:
    assert faulty(2) == faulty(2)
    assert faulty(2) != faulty(3)


def test_without_rates_only_one_record_of_each_kind_is_added() -> None:
    none = FaultRates(duplicate=0.0, late=0.0, reordered=0.0, broken=0.0, stray=0.0)
    told = list(with_faults(sound(), Dice("none"), none))
    assert len(told) == len(list(sound())) + len(BROKEN) + len(STRAYS)


@pytest.mark.parametrize("number", range(len(STRAYS)))
def test_stray_feedback_obeys_its_contract(number: int) -> None:
    read = read_event(stray_feedback(next(sound()), number).value, (), NOW_S)
    assert isinstance(read, Accepted)
    assert TYPE_OF[type(read.event.data)] == STRAYS[number][0]


def test_a_silence_swallows_one_feed_between_two_times_and_nothing_else() -> None:
    silence = Silence("usage.events", START_S + 20 * DAY_S, START_S + 30 * DAY_S)
    heard = list(without_silent(sound(), (silence,)))
    missing = list((Counter(one.value for one in sound()) - Counter(one.value for one in heard)).elements())
    assert missing
    assert not any(one.topic == silence.topic and silence.start_s <= one.time_s < silence.end_s for one in heard)
    swallowed = [one for one in sound() if one.value in set(missing)]
    assert {one.topic for one in swallowed} == {"usage.events"}
    assert all(silence.start_s <= one.time_s < silence.end_s for one in swallowed)


def test_broken_lines_stay_lines() -> None:
    assert not any(b"\n" in one.value for one in faulty())
