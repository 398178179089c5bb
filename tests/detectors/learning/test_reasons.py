"""Common reasons: what is counted, how sure an interval is, and what is told of it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import combinations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.learning.groups import ALL
from detectors.learning.reasons import (
    HAS,
    PAIR,
    SHARES,
    SPAN_S,
    Counts,
    Found,
    Reasons,
    beyond_chance,
    log_lift,
    reason_of,
    width_of,
)
from detectors.learning.shown_groups import REASONS_SHOWN, percent, reasons_row
from detectors.learning.space import NAMES

WEEK_S = 7 * 86_400
OVERLAP = 30 / 7
SIGNALS = sorted(at for at in NAMES if at < 500)[:6]
Landmark = tuple[str, int, dict[int, int], list[str], int, bool]


def lives(
    seed: int, *, customers: int = 220, weeks: int = 26, hazard: float = 0.012, together: float = 1.0
) -> Iterator[Landmark]:
    """Weekly landmarks of customers whose signals stay for months; the first two together may drive them out."""
    rng = random.Random(seed)
    for i in range(customers):
        has = [rng.random() < 0.3 for _ in SIGNALS]
        told: list[tuple[int, dict[int, int]]] = []
        left_at = math.inf
        for week in range(weeks + 5):
            has = [(was if rng.random() < 0.9 else rng.random() < 0.3) for was in has]
            told.append((week, {at: HAS for at, it_has in zip(SIGNALS, has, strict=True) if it_has}))
            if rng.random() < hazard * (together if has[0] and has[1] else 1.0):
                left_at = week + rng.random()
                break
        for week, values in told[:weeks]:
            left = week < left_at <= week + OVERLAP
            yield f"{seed}-{i}", week * WEEK_S, values, ["plan:a" if i % 2 else "plan:b"], 1, left


def counted(landmarks: Iterator[Landmark] | list[Landmark]) -> Reasons:
    reasons = Reasons()
    for landmark in landmarks:
        reasons.add(*landmark)
    return reasons


def found(reasons: Reasons, name: str = ALL) -> Found:
    return reasons.say([name], OVERLAP)[name]


def everybody(reasons: Reasons) -> tuple[Counts, list[Counts]]:
    shares = [Counts() for _ in range(SHARES)]
    for span in reasons.spans:
        for mine, theirs in zip(shares, span.shares, strict=True):
            mine.plus(theirs)
    total = Counts()
    for share in shares:
        total.plus(share)
    return total, shares


LANDMARKS = st.lists(
    st.tuples(
        st.sampled_from(["c-1", "c-2", "c-3", "c-4"]),
        st.integers(0, 4).map(lambda span: span * SPAN_S + 1),
        st.dictionaries(st.sampled_from(SIGNALS), st.sampled_from([HAS - 1, HAS, 1_000])),
        st.lists(st.sampled_from(["plan:a", "via:b"]), unique=True),
        st.sampled_from([1, 4]),
        st.booleans(),
    ),
    max_size=30,
)


@given(LANDMARKS, st.randoms(use_true_random=False))
def test_the_order_of_outcomes_makes_no_difference(landmarks: list[Landmark], dice: random.Random) -> None:
    shuffled = dice.sample(landmarks, len(landmarks))
    first, second = counted(landmarks), counted(shuffled)
    assert everybody(first) == everybody(second)
    assert [span.groups for span in first.spans] == [span.groups for span in second.spans]


@given(LANDMARKS)
def test_counters_are_what_counting_finds(landmarks: list[Landmark]) -> None:
    """By the definition, over the landmarks of the newest half year and the one before it."""
    total, _ = everybody(counted(landmarks))
    newest = max((at // SPAN_S for _, at, *_ in landmarks), default=0)
    kept = [each for each in landmarks if each[1] // SPAN_S > newest - 2]
    assert total.outcomes == sum(weight for *_, weight, _ in kept)
    assert total.left == sum(weight for *_, weight, left in kept if left)
    for key in (*SIGNALS, *(a * PAIR + b for a, b in combinations(SIGNALS, 2))):
        wanted = {key} if key < PAIR else {key // PAIR, key % PAIR}
        has = [each for each in kept if wanted <= {at for at, value in each[2].items() if value >= HAS}]
        assert total.having.get(key, 0) == sum(weight for *_, weight, _ in has)
        assert total.left_having.get(key, 0) == sum(weight for *_, weight, left in has if left)


@given(LANDMARKS)
def test_counters_survive_storage(landmarks: list[Landmark]) -> None:
    reasons = counted(landmarks)
    assert msgspec.json.decode(msgspec.json.encode(reasons), type=Reasons) == reasons


def test_the_interval_of_what_means_nothing_covers_one_as_often_as_it_says() -> None:
    """And would not, were the landmarks of a customer taken for independent ones."""
    covers, naive = list[bool](), list[bool]()
    for seed in range(30):
        total, shares = everybody(counted(lives(seed)))
        for key in SIGNALS:
            width = width_of(key, total, shares, OVERLAP)
            assert width is not None
            for widths, said in ((width, covers), (1.0, naive)):
                reason = reason_of(key, total, widths, OVERLAP)
                assert reason is not None
                said.append(reason.low <= 1.0 <= reason.high)
    assert 0.91 <= sum(covers) / len(covers) <= 0.99
    assert sum(naive) / len(naive) < 0.85


def rare(seed: int, times_as_likely: float) -> Reasons:
    """Signals that few ever have; the second one drives them out, or does not."""
    rng, drawn = random.Random(seed), list[Landmark]()
    for i in range(500):
        has, left_at, told = [False] * 6, math.inf, list[tuple[int, dict[int, int]]]()
        for week in range(29):
            has = [(was if rng.random() < 0.8 else rng.random() < 0.005 * (at + 2)) for at, was in enumerate(has)]
            told.append((week, {at: HAS for at, it_has in zip(SIGNALS, has, strict=True) if it_has}))
            if rng.random() < 0.01 * (times_as_likely if has[1] else 1.0):
                left_at = week + rng.random()
                break
        drawn += [(f"{seed}-{i}", week * WEEK_S, values, [], 1, week < left_at <= week + OVERLAP)
                  for week, values in told[:24]]  # fmt: skip
    return counted(drawn)


@pytest.mark.whole
def test_what_few_have_is_told_where_most_of_them_leave_and_seldom_where_it_means_nothing() -> None:
    means, none = [rare(seed, 20.0) for seed in range(8)], [rare(seed, 1.0) for seed in range(12)]
    assert sum(SIGNALS[1] in {reason.first for reason in found(each).signals} for each in means) >= 7
    assert sum(bool(found(each).signals or found(each).keeping) for each in none) <= 2
    covers = []
    for each in none:
        total, shares = everybody(each)
        widths = {key: width for key in SIGNALS if (width := width_of(key, total, shares, OVERLAP)) is not None}
        reasons = [reason_of(key, total, width, OVERLAP) for key, width in widths.items()]
        covers += [reason.low <= 1.0 <= reason.high for reason in reasons if reason is not None]
    assert len(covers) > 50
    assert sum(covers) / len(covers) >= 0.91


def test_where_nothing_means_anything_next_to_nothing_is_told() -> None:
    told = [found(counted(lives(seed))) for seed in range(20)]
    assert all(each.enough and each.tested >= 6 for each in told)
    assert sum(bool(each.signals or each.pairs or each.keeping) for each in told) <= 4


def test_a_pair_that_drives_customers_out_is_found_and_first() -> None:
    for seed in range(5):
        told = found(counted(lives(seed, customers=500, hazard=0.006, together=8.0)))
        first = told.pairs[0]
        assert {first.first, first.second} == {SIGNALS[0], SIGNALS[1]}
        assert first.low > 1.5
        assert {told.signals[0].first, told.signals[1].first} == {SIGNALS[0], SIGNALS[1]}


def test_it_is_found_in_a_group_too_and_a_group_without_outcomes_says_so() -> None:
    reasons = counted(lives(1, customers=900, hazard=0.006, together=8.0))
    told = reasons.say([ALL, "plan:a", "plan:new"], OVERLAP)
    pair = told["plan:a"].pairs[0]
    assert {pair.first, pair.second} == {SIGNALS[0], SIGNALS[1]}
    assert told["plan:a"].outcomes + found(reasons, "plan:b").outcomes == told[ALL].outcomes
    assert not told["plan:new"].enough
    row = reasons_row("plan:new", told["plan:new"], 0, 0, 30, OVERLAP)
    assert row.text == "Not enough outcomes yet (plan new): about 0 left and 0 stayed; it takes 25 of either."
    assert (row.reasons, row.pairs, row.keeping) == ((), (), ())


def test_a_row_names_what_a_person_asks_for_and_is_of_bounded_size() -> None:
    told = found(counted(lives(2, customers=500, hazard=0.006, together=8.0)))
    row = reasons_row(ALL, told, 0, 0, 30, OVERLAP)
    first = row.reasons[0]
    assert first.lift_low > 1.0
    assert first.support > first.support_kept
    assert f"{percent(first.support)} had" in row.text
    assert "together" in row.text
    many = told._replace(signals=told.signals * 50, pairs=told.pairs * 50, keeping=told.signals * 50)
    wide = reasons_row(ALL, many, 0, 0, 30, OVERLAP)
    assert {len(wide.reasons), len(wide.pairs), len(wide.keeping)} == {REASONS_SHOWN}


def test_few_are_told_of_among_many_that_were_tried() -> None:
    """One in twenty by chance would be dozens of a thousand pairs."""
    rng = random.Random(1)
    total, shares = everybody(counted(lives(3)))
    width = width_of(SIGNALS[0], total, shares, OVERLAP)
    assert width is not None
    reason = reason_of(SIGNALS[0], total, width, OVERLAP)
    assert reason is not None
    by_chance = [reason._replace(first=i, p_value=rng.random()) for i in range(1_000)]
    assert sum(each.p_value < 0.05 for each in by_chance) > 30
    assert beyond_chance(by_chance) == []
    sure = reason._replace(first=1_001, p_value=1e-9)
    assert beyond_chance([*by_chance, sure]) == [sure]


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_a_lift_is_finite_whatever_is_counted(a: int, b: int, c: int, d: int) -> None:
    assert math.isfinite(log_lift(a, a + b, a + c, a + b + c + d))
