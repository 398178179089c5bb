"""How long customers stay, from the journal to the rows: watched from landmark to landmark, once each."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from detectors.customer import Customer
from detectors.learning.examples import Example, Pending, decode_example
from detectors.learning.learner import Learner
from detectors.learning.lessons import decode_lesson
from detectors.learning.lives import Life, came
from detectors.learning.space import SPACE
from detectors.learning.stops import GROUPS, LASTED_D, Lives, Stopped
from detectors.learning.stops_shown import active_life_rows, survival_rows
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.policy_text import parse_policy
from detectors.records import EXAMPLES
from tests.detectors.lives import DAY_S, MODEL, POLICY, event, records, tick

NOW_S = 1_772_600_767
NINETY = parse_policy("[churn]\ninactivity_days = 90\ninactivity_gap_factor = 0.1\n")
SHORT = parse_policy("[life]\nuseful_life_d = 100\n")


def told(values: list[bytes], last_day: int) -> list[bytes]:
    ticks = [tick(day) for day in range(1, last_day + 1)]
    return sorted([*values, *ticks], key=lambda value: msgspec.json.decode(value)["time"])


def lives(values: list[bytes], policy: Policy = POLICY, key: bytes | None = None) -> list[Life]:
    """The stretches of life of a history, in their order."""
    partition = Partition(0, {}, policy, MODEL, examples=True)
    partition.feed(records(values))
    written = [w for w in partition.snapshot().writes.get(EXAMPLES, []) if key in (None, w[0])]
    found = [decode_lesson(value or b"") for _, value, _ in written]
    return [lesson.life for lesson in found if isinstance(lesson, Example) and lesson.life is not None]


def started(day: float = 0.2, **said: Any) -> bytes:
    return event("billing.subscription.started", day, **{"plan": "pro", "mrr": 50.0, **said})


def uses(first: int, last: int) -> list[bytes]:
    return [event("usage.session.started", day + 0.4) for day in range(first, last, 2)]


def test_stretches_lie_end_to_end_and_a_life_ends_once() -> None:
    values = [started(), *uses(1, 90), event("billing.subscription.cancelled", 95.5)]
    found = lives(told(values, 160))
    for before, after in pairwise(found):
        assert before.age_d + before.exposed_d == after.age_d
    assert [life.gone_d is not None for life in found] == [False] * (len(found) - 1) + [True]
    last = found[-1]
    assert last.gone_d is not None
    assert last.age_d + last.gone_d in (94, 95)
    assert (last.active_d, last.stage, last.came) == (88, "active", ("before:nothing",))


def test_the_one_who_is_back_leads_another_life() -> None:
    gone, back = event("billing.subscription.cancelled", 40.5), started(80.2)
    found = lives(told([started(), gone, back], 160))
    ages = [life.age_d for life in found]
    assert sum(life.gone_d is not None for life in found) == 1
    assert ages[0] < 10 > ages[[life.gone_d is not None for life in found].index(True) + 1]


def test_whose_beginning_was_not_seen_has_no_age() -> None:
    renewed = event("billing.subscription.renewed", 0.2, plan="pro", mrr=50.0)
    assert lives(told([renewed, *uses(1, 60)], 120)) == []


def test_a_buyer_leaves_on_the_day_on_which_its_silence_has_lasted_long_enough() -> None:
    orders = [event("billing.order.placed", day, order_id=f"o-{day}", amount=9.0) for day in (1.3, 21.3, 41.3)]
    others = [event("billing.order.placed", day + 0.5, customer="c-2", order_id=f"p-{day}", amount=9.0)
              for day in range(260)]  # fmt: skip
    values = told([*orders, *others], 260)
    partition = Partition(0, {}, NINETY, MODEL, examples=True)
    partition.feed(records(values))
    examples = [decode_example(v or b"") for k, v, _ in partition.snapshot().writes[EXAMPLES] if k == b"c-1"]
    ends = [e.life.age_d + e.life.gone_d for e in examples if e.life is not None and e.life.gone_d is not None]
    assert ends == [40 + 90 - 1]  # whole days up to the landmark, and whole days from there
    assert any(e.left and e.life is not None and e.life.gone_d is None for e in examples)  # the label is another


def test_where_there_is_no_billing_a_life_ends_once_when_nothing_is_heard_any_more() -> None:
    """A pause of 25 days is none; after one of 60 the customer is back, and leaves again."""
    active = [*range(1, 50, 2), *range(75, 100, 2), *range(160, 190, 2)]
    sessions = [event("usage.session.started", day + 0.4) for day in active]
    others = [event("usage.session.started", day + 0.3, customer="c-2") for day in range(1, 300)]
    found = lives(told([*sessions, *others], 300), key=b"c-1")
    ends = [life.age_d + life.gone_d for life in found if life.gone_d is not None]
    assert len(ends) == 2
    assert 97 <= ends[0] < 97 + 8
    assert 187 <= ends[1] < 187 + 8
    assert not any(105 < life.age_d < 158 for life in found)  # gone, and not at risk


def test_how_it_came_to_buy_is_known_from_before_the_purchase() -> None:
    day = DAY_S
    assert came(Customer(lead_s=day, started_s=3 * day)) == ("before:lead", "decided:week")
    assert came(Customer(trial_s=day, started_s=60 * day)) == ("before:trial", "decided:later")
    assert came(Customer(trial_s=day)) == ("before:trial",)


def test_a_trial_after_the_end_does_not_change_how_the_life_that_ended_came_to_buy() -> None:
    trial = started(45.5, mrr=0.0, trial=True)
    found = lives(told([started(), *uses(1, 40), event("billing.subscription.cancelled", 40.5), trial], 100))
    end = [life.gone_d is not None for life in found].index(True)
    assert {life.came for life in found[: end + 1]} == {("before:nothing",)}
    assert found[-1].came == ("before:trial",)


def stretch(number: int, life: Life, segments: tuple[str, ...] = ("plan:pro",), **said: Any) -> Example:
    known: dict[str, Any] = {"customer_id": f"c-{number}", "landmark_s": 1_000_000_000, "space": SPACE,
                             "probability": 0.1, "values": {1: 500}, "left": False}  # fmt: skip
    return Example(life=life, segments=segments, **{**known, **said})


def world(n: int, seed: int = 1) -> Lives:
    """Customers by two channels, of which one brings those who leave three times as often at any age."""
    rng, found = random.Random(seed), Lives()
    for _ in range(n):
        channel, hazard = rng.choice([("ads", 0.03), ("friends", 0.01)])
        for week in range(rng.randrange(20), 60):
            gone = rng.random() < hazard
            life = Life(week * 7, 7, 3 if gone else None, week * 7, "active", ("before:nothing",))
            found.add(life, ("plan:pro", f"via:{channel}"), SHORT)
            if gone:
                break
    return found


def test_a_channel_that_brings_people_who_leave_is_found() -> None:
    known = world(1_500)
    found = {row.group: row for row in active_life_rows(known, SHORT, NOW_S)}
    ads, friends = found["via:ads"].times_others, found["via:friends"].times_others
    assert ads is not None
    assert friends is not None
    assert ads.low < 3.0 < ads.high
    assert ads.low > 1.5
    assert friends.high < 1.0
    assert "they leave" in found["via:ads"].text
    assert "others of the same age" in found["via:ads"].text
    row = found["all"]
    assert 0 < row.before_expected < row.left
    assert row.median_at_most_d in LASTED_D


def test_the_curves_of_the_channels_are_those_they_were_drawn_from() -> None:
    rows = {row.group: row for row in survival_rows(world(1_500), SHORT, NOW_S)}
    for group, hazard in (("via:ads", 0.03), ("via:friends", 0.01)):
        for point in rows[group].points:
            assert point.low - 0.03 <= (1 - hazard) ** (point.age_d / 7) <= point.high + 0.03
    expected = rows["via:ads"].staying_at_expected
    assert expected is not None
    assert expected.low < 0.97**14 < expected.high
    assert (rows["all"].expected_d, rows["all"].expected_by) == (100.0, "policy")
    assert "stage:active" not in rows


def test_a_handful_says_nothing_and_how_few_may_speak_is_policy() -> None:
    few = world(6)
    assert list(active_life_rows(few, POLICY, NOW_S)) == [] or few.stopped["all"].left >= 5
    assert list(survival_rows(few, POLICY, NOW_S)) == []
    assert list(survival_rows(few, parse_policy("[learning]\ncurve_least = 1\n"), NOW_S))


def test_plans_without_end_do_not_make_the_state_grow() -> None:
    found = Lives()
    for number in range(500):
        life = Life(number % 3_000, 7, 1 if number % 3 else None, None, "active")
        found.add(life, (f"plan:{number}",), POLICY)
    assert len(found.tables) + len(found.stages) == GROUPS
    assert found.stopped.keys() <= found.tables.keys() | found.stages.keys()
    assert found.stopped["all"] == Stopped(333, 333, 333)


def test_an_example_is_counted_once_and_a_restart_goes_on_bit_for_bit() -> None:
    whole, first, second = Learner(SHORT), Learner(SHORT), Learner(SHORT)
    examples = [stretch(i, Life(i, 7, 2 if i % 5 == 0 else None, i, "active")) for i in range(120)]
    for each in examples:
        whole.learn(each)
        assert whole.learn(each) == "a second label"
    for each in examples[:60]:
        first.learn(each)
    second.restore(first.snapshot())
    for each in examples[60:]:
        second.learn(each)
    assert second.lives == whole.lives
    assert second.lives.tables["all"].ends == 24


def test_a_state_and_an_example_from_before_lives_were_told_are_read() -> None:
    learner = Learner(POLICY)
    learner.learn(stretch(1, Life(1, 7, None, None, "active")))
    stored = msgspec.json.decode(learner.snapshot())
    del stored["lives"]
    learner.restore(msgspec.json.encode(stored))
    assert learner.lives == Lives()
    old = msgspec.to_builtins(stretch(2, Life(1, 7, None, None, "active")))
    del old["life"]
    assert learner.learn(decode_example(msgspec.json.encode(old))) is None
    pending = msgspec.msgpack.encode([1, 0.1, {1: 500}, [], 1, False])
    assert msgspec.msgpack.decode(pending, type=Pending).life is None


@pytest.mark.parametrize(("lasted", "median"), [([0, 0, 9], 7), ([1] * 17, 180), ([0] * 17, None)])
def test_half_of_those_who_left_had_lasted_so_long_at_most(lasted: list[int], median: int | None) -> None:
    assert Stopped(lasted=lasted + [0] * (17 - len(lasted))).median_at_most_d() == median
