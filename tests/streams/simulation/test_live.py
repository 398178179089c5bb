"""Lives that go on now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from schemas.events import TYPE_OF
from schemas.intake import Accepted, read_event
from schemas.support import PromiseMade
from schemas.usage import SessionEnded
from streams.durations import parse_time_s
from streams.simulation.happenings import DAY_S
from streams.simulation.live import AHEAD_DAYS, ROUTINE, LiveLives
from streams.simulation.people import make_world, moment
from streams.simulation.population import stories, told_in_order
from streams.simulation.wire import Told, emission, restamped

NOW_S = parse_time_s("2026-03-01T12:00:00Z")


def test_the_past_ends_before_now() -> None:
    past = list(LiveLives(1, 20, NOW_S, 60.0).past())
    assert past
    assert all(told.time_s < NOW_S for told in past)
    routine = [told for told in past if isinstance(told.data, SessionEnded)]
    assert all(told.time_s >= NOW_S - 60.0 * DAY_S for told in routine)


def test_what_comes_next_has_the_time_it_is_asked_for() -> None:
    lives = LiveLives(1, 20, NOW_S, 30.0)
    past = len(list(lives.past()))
    coming = [lives.next_at(NOW_S + tick) for tick in range(200)]
    assert past > 0
    assert [told.time_s for told in coming] == [NOW_S + tick for tick in range(200)]
    assert all(isinstance(read_event(emission(told).value, (), NOW_S + 400), Accepted) for told in coming)


def test_between_past_and_future_only_routine_use_is_left_out() -> None:
    lives = LiveLives(1, 20, NOW_S, 30.0)
    past = list(lives.past())
    coming = [lives.next_at(NOW_S) for _ in range(300)]
    whole = {(told.customer_id, told.number): told for told in fully(1, 20, NOW_S, 30.0)}
    heard = {(told.customer_id, told.number) for told in [*past, *coming]}
    last = {told.customer_id: int(told.number) for told in [*past, *coming]}
    unheard = [
        told for place, told in whole.items() if place not in heard and int(told.number) < last.get(told.customer_id, 0)
    ]
    assert unheard
    assert all(isinstance(told.data, ROUTINE) for told in unheard)


def fully(seed: int, customers: int, now_s: float, history_days: float) -> Iterator[Told]:
    """The lives of the first round with nothing left out."""
    start_s = now_s - history_days * DAY_S
    world = make_world(seed * 1_000, start_s, now_s + AHEAD_DAYS * DAY_S)
    return told_in_order(stories(world, customers))


def test_somebody_leaves_while_one_watches() -> None:
    lives = LiveLives(1, 100, NOW_S, 75.0)
    list(lives.past())
    names = {TYPE_OF[type(lives.next_at(NOW_S).data)] for _ in range(3_000)}
    assert "billing.subscription.cancelled" in names


def test_when_all_lives_are_over_others_take_their_place() -> None:
    lives = LiveLives(1, 2, NOW_S, 20.0)
    customers = {told.customer_id for told in lives.past()}
    coming = (lives.next_at(NOW_S) for _ in range(int(2 * 6 * (AHEAD_DAYS + 40))))
    assert {told.customer_id for told in coming} - customers


def test_times_in_the_data_move_along() -> None:
    made = PromiseMade(promise_id="P-1", due_at=moment(NOW_S + 2 * DAY_S))
    told = restamped(Told(NOW_S, "c-1", 1, made), NOW_S + 10 * DAY_S)
    assert isinstance(told.data, PromiseMade)
    assert told.data.due_at == datetime.fromtimestamp(NOW_S + 12 * DAY_S, UTC)


def test_a_life_without_end_is_not_kept_in_memory() -> None:
    """Happenings are drawn as they are asked for: the first ones of many customers cost no whole lives."""
    lives = LiveLives(1, 300, NOW_S, 3_650.0)
    assert len(list(islice(lives.past(), 50))) == 50
