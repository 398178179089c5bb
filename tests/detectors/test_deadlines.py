"""Whoever is due comes up at the first tick after, and nobody else does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.customer import HOUR_S, NEVER
from detectors.deadlines import Deadlines

KEYS = [b"a", b"b", b"c"]
AHEAD = st.one_of(st.integers(1, 5), st.integers(1, 4 * HOUR_S), st.just(NEVER))
LOOK = st.tuples(st.sampled_from(KEYS), AHEAD)
TICK = st.one_of(st.integers(0, 3), st.integers(0, 2 * HOUR_S))


@given(st.dictionaries(st.sampled_from(KEYS), AHEAD), st.lists(st.one_of(LOOK, TICK), max_size=40))
def test_who_comes_up_is_who_is_due(first: dict[bytes, int], steps: list[tuple[bytes, int] | int]) -> None:
    due = dict.fromkeys(KEYS, NEVER) | first
    queue = Deadlines(due.items())
    now_s = 0
    for step in steps:
        if isinstance(step, int):
            now_s += step
            found = queue.pop(now_s, due.__getitem__)
            assert found == {key for key in KEYS if due[key] <= now_s}
            looks = [(key, HOUR_S) for key in sorted(found)]
        else:
            looks = [step]
        for key, ahead_s in looks:
            due_s = min(now_s + ahead_s, NEVER)
            queue.move(key, due[key], due_s, now_s)
            due[key] = due_s
    assert queue.pop(now_s + 4 * HOUR_S, due.__getitem__) == {key for key in KEYS if due[key] < NEVER}


def test_a_customer_that_is_looked_at_all_the_time_waits_in_few_places() -> None:
    queue, due_s = Deadlines([]), NEVER
    for i in range(10_000):
        then_s = 5 * HOUR_S + i % 7
        queue.move(b"a", due_s, then_s, now_s=i)
        due_s = then_s
    waiting = [key for keys in (*queue._hours.values(), *queue._seconds.values()) for key in keys]
    assert waiting == [b"a"]
