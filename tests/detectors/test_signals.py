"""Every signal: a history that raises it, one that does not, the sentence; and the habits that all signals share."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from detectors.customer import Customer, dump, load
from detectors.policy import Policy
from detectors.signals import CATALOGUE, Moment, ramp
from tests.detectors.lives import DAY_S, MODEL, POLICY, START_S, customer_after, event, read
from tests.detectors.raised import (
    availability,
    exit,
    loyalty,
    marketing,
    price,
    promise,
    protect,
    quality,
    relationship,
    service,
    service_conduct,
    stages,
    technology,
    value,
)
from tests.detectors.raised.shape import Raised, sessions

RAISED: dict[str, Raised] = {
    **service.RAISED,
    **service_conduct.RAISED,
    **promise.RAISED,
    **price.RAISED,
    **marketing.RAISED,
    **loyalty.RAISED,
    **value.RAISED,
    **quality.RAISED,
    **technology.RAISED,
    **exit.RAISED,
    **availability.RAISED,
    **relationship.RAISED,
    **stages.RAISED,
    **protect.RAISED,
}


def test_every_signal_of_the_catalogue_has_a_history_that_raises_it() -> None:
    assert set(RAISED) == set(CATALOGUE)


@pytest.mark.parametrize("code", RAISED)
def test_raised_by_its_history_with_the_sentence_that_people_read(code: str) -> None:
    history, day, least, text, _ = RAISED[code]
    strength, because = read(code, history, day)
    assert because is not None
    assert because.text == text
    assert strength is not None
    assert least <= strength <= 1
    assert len(because.evidence) <= 5


@pytest.mark.parametrize("code", RAISED)
def test_evidence_names_events_of_the_history(code: str) -> None:
    history, day, _, _, _ = RAISED[code]
    _, because = read(code, history, day)
    assert because is not None
    text = b"".join(history).decode()
    assert all(f'"{event_id}"' in text for event_id in because.evidence)
    assert because.evidence


@pytest.mark.parametrize("code", RAISED)
def test_not_raised_by_the_other_history(code: str) -> None:
    _, day, _, _, calm = RAISED[code]
    strength, because = read(code, calm, day)
    assert because is None
    assert strength in (0.0, None)


@pytest.mark.parametrize("code", RAISED)
def test_unknown_before_anything_was_seen(code: str) -> None:
    assert read(code, [], 10) == (None, None)


@pytest.mark.parametrize("code", RAISED)
def test_any_order_of_the_same_events_gives_the_same_answer(code: str) -> None:
    history, day, _, _, _ = RAISED[code]
    expected = read(code, history, day)
    for seed in range(5):
        shuffled = list(history)
        random.Random(seed).shuffle(shuffled)
        assert read(code, shuffled, day) == expected


@pytest.mark.parametrize("code", RAISED)
def test_a_duplicate_changes_nothing(code: str) -> None:
    history, day, _, _, _ = RAISED[code]
    assert read(code, [*history, *history], day) == read(code, history, day)


@pytest.mark.parametrize("code", RAISED)
def test_asking_changes_nothing_and_survives_storage(code: str) -> None:
    history, day, _, _, _ = RAISED[code]
    c = customer_after(history)
    before = dump(c)
    moment = Moment(POLICY, round(START_S + day * DAY_S), round(START_S + day * DAY_S))
    moment.row = POLICY.signals[code]
    signal = CATALOGUE[code]
    value = signal.measure(c, moment)
    assert value is not None
    signal.explain(c, moment, value)
    assert dump(c) == before
    assert signal.measure(load(before), moment) == value


@pytest.mark.parametrize("code", CATALOGUE)
def test_strength_is_monotone_from_zero_to_one(code: str) -> None:
    row = POLICY.signals[code]
    step = (row.to - row.from_) / 10
    strengths = [ramp(row.from_ + step * i, row) for i in range(-3, 14)]
    assert strengths == sorted(strengths)
    assert strengths[0] == strengths[3] == 0.0
    assert strengths[-1] == 1.0


@pytest.mark.parametrize("code", RAISED)
def test_holds_until_the_time_it_names(code: str) -> None:
    """Until then no reading without an event differs by more than a tenth: nothing is missed by waiting."""
    history, day, _, _, _ = RAISED[code]
    c = customer_after(history)
    row = POLICY.signals[code]

    def strength_at(now_s: int) -> tuple[float | None, int]:
        moment = Moment(POLICY, now_s, max(c.last_s, now_s - DAY_S // 2))
        moment.row = row
        value = CATALOGUE[code].measure(c, moment)
        return (None if value is None else ramp(value, row)), moment.until_s

    for offset_d in (0.0, 3.0, 10.0, 40.0):
        now_s = round(START_S + (day + offset_d) * DAY_S)
        first, until_s = strength_at(now_s)
        for probe in range(1, 6):
            then_s = now_s + (min(until_s, now_s + 90 * DAY_S) - 1 - now_s) * probe // 5
            then, _ = strength_at(then_s)
            assert (then is None) == (first is None)
            if then is not None and first is not None:
                assert abs(then - first) <= 0.1 + 1e-6


def test_silence_does_not_count_while_the_feed_is_silent_for_everybody() -> None:
    alone = sessions(range(0, 22, 7))
    assert read("value.silence", alone, 60) == (0.0, None)
    others = [event("usage.session.started", 60, customer="c-2")]
    strength, _ = read("value.silence", alone + others, 60)
    assert strength is not None
    assert strength > 0.5


def test_catalogue_refuses_a_number_twice() -> None:
    from detectors.signals.base import signal

    def nothing(c: Customer, moment: Moment) -> float | None:
        return None

    declare: Callable[..., object] = signal("test.twice", number=29, depends=())
    with pytest.raises(ValueError, match="taken"):
        declare(nothing)
    assert "test.twice" not in CATALOGUE


def test_day_zero_weights_are_those_of_the_policy() -> None:
    assert MODEL.weights == {code: row.prior for code, row in Policy().signals.items()}
    assert MODEL.confidence == "rules"
