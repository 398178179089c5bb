"""History comes out in one order, with its ticks, whatever way it came in and however often it was begun again."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from streams.ordering import US, EventOrder, Mark, Waiting

TICK_S = 60
Event = tuple[float, str]  # time in seconds, id


def hold(order: EventOrder[str], source: str, offset: int, time_s: float, event_id: str) -> None:
    order.hold(source, offset, round(time_s * US), "/s", event_id, b"c", 0, event_id.encode())
    order.read_to(source, offset + 1)


def owned(*sources: str) -> EventOrder[str]:
    order: EventOrder[str] = EventOrder(TICK_S)
    for source in sources:
        order.own(source, 0, Mark())
    return order


def out(order: EventOrder[str], idle: Sequence[str] = (), most: int = 200_000) -> list[str | int]:
    return [item.event_id if isinstance(item, Waiting) else item for item in order.release(set(idle), most)]


def test_an_event_waits_until_every_busy_partition_has_passed_it() -> None:
    order = owned("a", "b")
    hold(order, "a", 0, 10, "1")
    assert out(order) == []
    hold(order, "b", 0, 10, "2")
    assert out(order) == []  # another one of time 10 may still come
    hold(order, "b", 1, 11, "3")
    assert out(order) == []
    hold(order, "a", 1, 12, "4")
    assert out(order) == ["1", "2"]


def test_an_idle_partition_holds_nobody_back() -> None:
    order = owned("a", "b")
    hold(order, "a", 0, 10, "1")
    hold(order, "a", 1, 11, "2")
    assert out(order, idle=["b"]) == ["1"]


def test_when_all_are_idle_everything_goes_out_and_a_tick_ends_it() -> None:
    order = owned("a", "b")
    hold(order, "a", 0, 70, "1")
    hold(order, "a", 1, 130, "2")
    assert out(order, idle=["a", "b"]) == ["1", 120, "2", 130]
    assert out(order, idle=["a", "b"]) == []


def test_the_last_tick_is_not_doubled_when_it_is_a_regular_one() -> None:
    order = owned("a")
    hold(order, "a", 0, 120, "1")
    assert out(order, idle=["a"]) == ["1", 120]


def test_a_tick_comes_behind_the_events_of_its_time_and_before_later_ones() -> None:
    order = owned("a")
    for offset, (time_s, event_id) in enumerate([(59, "1"), (60, "2"), (60.5, "3"), (200, "4"), (201, "5")]):
        hold(order, "a", offset, time_s, event_id)
    assert out(order) == ["1", "2", 60, "3", 120, 180, "4"]


def test_the_order_is_by_time_then_source_then_id() -> None:
    order = owned("a")
    for offset, (source, event_id) in enumerate([("/b", "1"), ("/a", "2"), ("/a", "10")]):
        order.hold("a", offset, 5 * US, source, event_id, b"c", 0, b"")
    order.read_to("a", 3)
    assert out(order, idle=["a"])[:3] == ["10", "2", "1"]


def test_an_event_that_comes_too_late_goes_out_at_once() -> None:
    order = owned("a")
    hold(order, "a", 0, 100, "1")
    hold(order, "a", 1, 200, "2")
    assert out(order) == ["1", 120, 180]
    hold(order, "a", 2, 50, "late")
    assert out(order) == ["late"]


def test_the_committed_offset_never_passes_an_event_that_waits() -> None:
    order = owned("a", "b")
    hold(order, "a", 0, 10, "1")
    hold(order, "a", 1, 99, "waits")
    hold(order, "a", 2, 20, "2")
    hold(order, "b", 0, 30, "3")
    assert out(order) == ["1", "2"]
    assert {source: offset for source, (offset, _) in order.offsets().items()} == {"a": 1, "b": 0}


def test_a_mark_survives_its_text() -> None:
    assert Mark.parse(Mark(7, -5).text()) == Mark(7, -5)
    assert Mark.parse("") == Mark.parse("1,x") == Mark()


def test_a_mark_says_which_was_the_newest_that_went_out_through_a_restart_too() -> None:
    order = owned("a", "b")
    for offset, time_s in enumerate((10, 20, 40)):
        hold(order, "a", offset, time_s, f"a{offset}")
    hold(order, "b", 0, 30, "b0")
    assert out(order) == ["a0", "a1"]
    marks = {source: mark for source, (_, mark) in order.offsets().items()}
    assert marks["a"].sent_us == 20 * US
    assert marks["b"].sent_us == Mark().sent_us
    again: EventOrder[str] = EventOrder(TICK_S)
    again.own("a", 2, Mark.parse(marks["a"].text()))
    assert again.offsets()["a"][1].sent_us == 20 * US


def test_a_refused_record_is_known_where_it_was_read_before() -> None:
    order: EventOrder[str] = EventOrder(TICK_S)
    order.own("a", 3, Mark(8, 0))
    assert [order.knows("a", offset) for offset in (7, 8)] == [True, False]


def test_much_goes_out_in_parts_that_never_cut_a_time_in_two() -> None:
    order = owned("a")
    for offset in range(40):
        hold(order, "a", offset, offset // 4, f"{offset:02}")
    parts = []
    while part := out(order, idle=["a"], most=6):
        parts.append(part)
        assert order.bound_us > 0
    events = [item for part in parts for item in part if isinstance(item, str)]
    assert events == [f"{offset:02}" for offset in range(40)]
    assert all(sum(isinstance(item, str) for item in part) % 4 == 0 for part in parts)
    assert len(parts) > 3


def life(seed: int, *, late: bool) -> tuple[dict[str, list[Event]], list[str | int], int]:
    """Random partitions, read at random paces, with random crashes; what came out, and how often it crashed."""
    rng = random.Random(seed)
    logs: dict[str, list[Event]] = {}
    for source in "abc"[: rng.randrange(1, 4)]:
        times = [rng.randrange(0, 600) for _ in range(rng.randrange(1, 40))]
        logs[source] = [(t, f"{source}{i:02}") for i, t in enumerate(times if late else sorted(times))]
    committed = dict.fromkeys(logs, (0, ""))
    done: list[str | int] = []
    crashes = 0
    order, at = EventOrder[str](TICK_S), dict.fromkeys(logs, 0)
    for source in logs:
        order.own(source, 0, Mark())
    for _ in range(10_000):
        source = rng.choice(list(logs))
        for offset in range(at[source], min(len(logs[source]), at[source] + rng.randrange(8))):
            hold(order, source, offset, *logs[source][offset])
            at[source] = offset + 1
        if rng.random() < 0.3:  # a checkpoint: all of it, or a crash before it counts
            idle = {s for s in logs if at[s] == len(logs[s])}
            released = out(order, sorted(idle), most=rng.choice([5, 1_000]))
            offsets = {s: (offset, mark.text()) for s, (offset, mark) in order.offsets().items()}
            if rng.random() < 0.7:
                done += released
                committed = offsets
                if not len(order) and len(idle) == len(logs) and not released:
                    break
            else:
                crashes += 1
                order, at = EventOrder[str](TICK_S), {s: offset for s, (offset, _) in committed.items()}
                for s, (offset, text) in committed.items():
                    order.own(s, offset, Mark.parse(text))
    return logs, done, crashes


@pytest.mark.parametrize("seed", range(150))
def test_begun_again_anywhere_it_gives_each_event_once_and_all_of_it_in_order(seed: int) -> None:
    logs, done, _ = life(seed, late=False)
    events = sorted((time_s, event_id) for log in logs.values() for time_s, event_id in log)
    ticks = [item for item in done if isinstance(item, int)]
    assert [item for item in done if isinstance(item, str)] == [event_id for _, event_id in events]
    assert ticks == sorted(set(ticks))
    first, last = events[0][0], events[-1][0]
    regular = [t for t in range(0, 660, TICK_S) if first <= t <= last]
    assert ticks == sorted({*regular, int(last)})


@pytest.mark.parametrize("seed", range(150))
def test_late_events_too_go_out_exactly_once(seed: int) -> None:
    logs, done, _ = life(seed, late=True)
    events = sorted(event_id for log in logs.values() for _, event_id in log)
    ticks = [item for item in done if isinstance(item, int)]
    assert sorted(item for item in done if isinstance(item, str)) == events
    assert ticks == sorted(set(ticks))


def test_the_lives_above_do_crash() -> None:
    assert sum(life(seed, late=False)[2] for seed in range(30)) > 30
