"""The learner's job: what goes out together, when, what a restart goes on from, and what is refused."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Union

import msgspec
import pytest
from aiokafka.structs import TopicPartition
from faust.types import TP

from detectors.learning.alerted import AlertOutcome, encode_outcome
from detectors.learning.examples import Example, decode_example, encode_example
from detectors.learning.learner import Learner
from detectors.learning.space import SPACE
from detectors.policy import Policy
from schemas.insights_learned import LEARNED_INSIGHTS, ModelQuality, decode_state
from schemas.insights_reasons import GROUP_INSIGHTS, CommonReasons
from schemas.insights_value import SavedRevenue
from schemas.journal import ModelChanged, decode_control
from streams import metrics
from streams.engine.errors import Refusal
from streams.engine.transactions import Transaction
from streams.learner import STATE_KEY, Learning
from streams.learner_state import Saved
from tests.streams.engine.test_fetch import Record

POLICY = Policy()
HERE = TP("churn.examples", 0)
DAY_S = 86_400
SINCE_MS = 1_800_000_000_000  # when records were written: behind all that they tell of
DECODE = msgspec.json.Decoder(Union[tuple(LEARNED_INSIGHTS.values())]).decode  # noqa: UP007


class Topology:
    """Topics as the worker knows them."""

    changelog = "changelog"

    def __init__(self, examples: int = 1) -> None:
        self.partitions: Mapping[str, int] = {"churn.journal": 3, "churn.insights": 1, "churn.examples": examples}

    def named(self, topic: str) -> str:
        return topic


class Kept:
    """The topic of the insights, and the committed offset, as the transactions leave them."""

    def __init__(self) -> None:
        self.rows: list[bytes] = []  # of the state, oldest first
        self.journal: dict[int, list[bytes]] = {0: [], 1: [], 2: []}
        self.quality: list[ModelQuality] = []
        self.value: dict[bytes, bytes] = {}  # rows of what acting achieves
        self.groups: dict[bytes, bytes] = {}  # rows by group of customers, as they stand
        self.rows_of: dict[str, list[Any]] = {}  # every other row by its kind, oldest first
        self.offset = 0
        self.end = 10**6

    async def saved(self, _insights: TopicPartition, key: bytes, _examples: TopicPartition, wanted: int) -> Saved:
        assert key == STATE_KEY
        return Saved(self.rows[::-1][:wanted], self.end)

    def take(self, transactions: Iterator[Transaction]) -> int:
        """Make transactions true; how many there were."""
        count = 0
        for transaction in transactions:
            count += 1
            for (topic, number), writes in transaction.writes.items():
                if topic == "churn.journal":
                    self.journal[number] += [value for _, value, _ in writes if value is not None]
                    continue
                for key, value, _ in writes:
                    assert value is not None
                    if key == STATE_KEY:
                        self.rows.append(value)
                        continue
                    row = DECODE(value)
                    if isinstance(row, ModelQuality):
                        self.quality.append(row)
                    elif isinstance(row, SavedRevenue):
                        self.value[key or b""] = value
                    elif isinstance(row, tuple(GROUP_INSIGHTS.values())):
                        self.groups[key or b""] = value
                    self.rows_of.setdefault(type(row).__name__, []).append(row)
            self.offset = transaction.offsets[TopicPartition(*HERE)].offset
        return count


def job(kept: Kept, save_s: float = 0.0) -> Learning:
    """A learner that has taken over."""
    learning = Learning(Topology(), POLICY, kept.saved, save_s, now_s=lambda: 100.0)
    starts = asyncio.run(learning.prepare({HERE: kept.offset}))
    kept.offset = starts[HERE]
    return learning


def examples(count: int, seed: int = 1) -> list[Record]:
    """Records of examples, ten a day."""
    rng = random.Random(seed)
    out = []
    for offset in range(count):
        values = {number: rng.randrange(1_000) for number in (1, 2, 3)}
        left = rng.random() < values[1] / 2_000
        example = Example(customer_id=f"c-{offset}", landmark_s=1_700_000_000 + offset // 10 * DAY_S, space=SPACE,
                          probability=round(rng.random(), 3), values=values, left=left)  # fmt: skip
        out.append(Record(offset, SINCE_MS, value=encode_example(example)))
    return out


def models(kept: Kept) -> list[str]:
    """The models of the journal, the same in every partition."""
    assert kept.journal[0] == kept.journal[1] == kept.journal[2]
    told = [decode_control(value) for value in kept.journal[0]]
    assert all(isinstance(control, ModelChanged) for control in told)
    return [control.id for control in told]


def learned(records: list[Record]) -> Kept:
    """What one learner that never dies leaves."""
    kept = Kept()
    learning = job(kept)
    learning.apply(HERE, records, len(records))
    kept.take(learning.collect())
    return kept


RECORDS = examples(400)
WHOLE = learned(RECORDS)


def alone(records: list[Record]) -> Learner:
    """A learner without a worker around it: a model is handed over with the first landmark of each new week."""
    learner, due_s, week_s = Learner(POLICY), 0, POLICY.learning.publish_days * DAY_S
    for record in records:
        example = decode_example(record.value or b"")
        assert learner.learn(example) is None
        if example.landmark_s >= due_s:
            due_s = (example.landmark_s // week_s + 1) * week_s
            learner.hand_over(example.landmark_s + POLICY.churn.horizon_days * DAY_S)
    return learner


def test_the_state_the_models_and_their_quality_go_out_together() -> None:
    state = decode_state(WHOLE.rows[-1])
    assert bytes(state.learner) == alone(RECORDS).snapshot()
    assert (state.position, WHOLE.offset) == (400, 400)
    assert len(models(WHOLE)) == 5  # a week of landmarks is 70 examples; the first 50 say nothing yet
    assert [row.model_version for row in WHOLE.quality] == models(WHOLE)
    assert state.model_version == models(WHOLE)[-1]


@pytest.mark.parametrize("seed", range(8))
def test_models_are_a_function_of_the_examples_wherever_a_worker_dies(seed: int) -> None:
    rng = random.Random(seed)
    kept = Kept()
    learning = job(kept)
    deaths = Counter[str]()
    while kept.offset < len(RECORDS) or deaths["in all"] < 3:
        at = learning.position
        end = min(len(RECORDS), at + rng.randrange(1, 60))
        learning.apply(HERE, RECORDS[at:end], end)
        if rng.random() < 0.4:
            kept.take(learning.collect())
        if rng.random() < 0.3:
            deaths["in all"] += 1
            learning = job(kept)
        if learning.position == len(RECORDS):
            kept.take(learning.collect())
    assert models(kept) == models(WHOLE)
    assert kept.groups == WHOLE.groups
    assert decode_state(kept.rows[-1]).learner == decode_state(WHOLE.rows[-1]).learner


def test_a_state_that_cannot_be_meant_is_refused_and_the_one_before_it_goes_on() -> None:
    kept = Kept()
    learning = job(kept)
    for end in (100, 200):
        learning.apply(HERE, RECORDS[end - 100 : end], end)
        kept.take(learning.collect())
    truncated = decode_state(kept.rows[-1])
    learner = msgspec.json.decode(truncated.learner)
    learner["beliefs"]["online"]["means"].pop()
    kept.rows[-1] = msgspec.json.encode(
        msgspec.structs.replace(truncated, learner=msgspec.Raw(msgspec.json.encode(learner)))
    )
    kept.rows += [b"{}", b"", kept.rows[0][:5_000]]
    learning = job(kept)
    assert (learning.position, learning.learner.learned) == (100, 100)
    learning.apply(HERE, RECORDS[100:], 400)
    kept.take(learning.collect())
    assert models(kept) == models(WHOLE)  # what went out before is not handed over again
    assert decode_state(kept.rows[-1]).learner == decode_state(WHOLE.rows[-1]).learner


def test_without_any_state_it_learns_again_from_what_there_is_and_hands_over_only_what_is_new() -> None:
    kept = Kept()
    learning = job(kept)
    learning.apply(HERE, RECORDS[:200], 200)
    kept.take(learning.collect())
    before = models(kept)
    kept.rows = [b"not a state"]
    learning = job(kept)
    assert learning.position == 0
    learning.apply(HERE, RECORDS[:200], 200)
    kept.take(learning.collect())
    assert models(kept) == before
    learning.apply(HERE, RECORDS[200:], 400)
    kept.take(learning.collect())
    assert models(kept) == models(WHOLE)


def test_examples_that_were_made_again_are_read_from_the_start() -> None:
    kept = Kept()
    learning = job(kept)
    learning.apply(HERE, RECORDS[:200], 200)
    kept.take(learning.collect())
    kept.offset, kept.end = 0, 10
    learning = job(kept)
    assert (learning.position, learning.learner.learned) == (0, 200)


def test_it_saves_no_more_often_than_asked_but_hands_a_model_over_at_once() -> None:
    kept = Kept()
    learning = job(kept, save_s=30.0)
    learning.apply(HERE, RECORDS[:20], 20)
    assert kept.take(learning.collect()) == 0
    learning.apply(HERE, RECORDS[20:120], 120)
    assert kept.take(learning.collect()) == 1
    assert kept.offset == 120
    assert models(kept) == models(WHOLE)[: len(models(kept))] != []
    learning.apply(HERE, RECORDS[120:130], 130)
    assert kept.take(learning.collect()) == 0


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\xff", b"[" * 100_000, RECORDS[0].value])
def test_what_is_no_example_or_one_again_is_refused_and_changes_no_model(value: bytes | None) -> None:
    kept = Kept()
    learning = job(kept)
    learning.apply(HERE, RECORDS[:100], 100)
    before = learning.learner.model()
    learning.apply(HERE, [Record(100, SINCE_MS, value=value)], 101)
    assert learning.learner.model() == before
    assert sum(learning.learner.refused.values()) == 1
    assert learning.position == 101


def test_what_is_said_of_the_future_is_refused_and_ends_no_learning() -> None:
    """Else no model would be due before then, and the outcomes of now would be too old to count."""
    far_s, example = 2**36, decode_example(RECORDS[0].value or b"")
    told = [
        encode_example(msgspec.structs.replace(example, customer_id="c-far", landmark_s=far_s)),
        encode_outcome(
            AlertOutcome(customer_id="c-far", alert_id="a-far", opened_s=far_s, probability=0.2, delivery="deliver",
                         lot=1, share=3_000, first=True, left=True)
        ),
    ]  # fmt: skip
    records = [*(Record(0, SINCE_MS, value=value) for value in told), *RECORDS]
    kept = learned([record._replace(offset=offset) for offset, record in enumerate(records)])
    assert models(kept) == models(WHOLE)
    learner = Learner(POLICY)
    learner.restore(bytes(decode_state(kept.rows[-1]).learner))
    assert learner.refused == {"from the future": 2}
    learner.refused.clear()
    assert learner.snapshot() == alone(RECORDS).snapshot()
    kept = learned([record._replace(timestamp=far_s * 1_000) for record in records[:1]])
    assert msgspec.json.decode(decode_state(kept.rows[-1]).learner)["learned"] == 1  # by then it is the past


def test_what_became_of_alerts_is_added_up_among_the_examples_and_no_model_learns_from_it() -> None:
    told = [
        encode_outcome(
            AlertOutcome(customer_id=f"c-{i}", alert_id=f"a-{i % 90}", opened_s=1_700_000_000, probability=0.2, lot=1,
                         delivery="deliver" if i % 3 else "hold_out", share=3_000, first=True, left=i % 2 == 0)
        )
        for i in range(100)
    ]  # fmt: skip
    values = [value for pair in zip([r.value for r in RECORDS], told, strict=False) for value in pair]
    values += [r.value for r in RECORDS[len(told) :]]
    kept = learned([Record(offset, SINCE_MS, value=value) for offset, value in enumerate(values)])
    assert models(kept) == models(WHOLE)
    learner = Learner(POLICY)
    learner.restore(bytes(decode_state(kept.rows[-1]).learner))
    assert (learner.learned, learner.refused) == (400, {"a second label": 10})
    row = msgspec.json.decode(kept.value[b"saved_revenue/all"], type=SavedRevenue)
    assert (row.control.alerts, row.delivered.alerts) == (30, 60)
    assert row.text.startswith("30 of 50 control alerts have an outcome")


def test_a_worker_without_the_examples_stands_by() -> None:
    kept = Kept()
    learning = Learning(Topology(), POLICY, kept.saved, 1.0)
    assert asyncio.run(learning.prepare({})) == {}
    assert (learning.lanes(set()), learning.lanes({HERE})) == (set(), {"examples"})
    assert list(learning.collect()) == []


def test_more_than_one_partition_of_examples_is_refused() -> None:
    with pytest.raises(Refusal, match="4 partitions"):
        Learning(Topology(4), POLICY, Kept().saved, 1.0)


def test_what_is_known_of_groups_goes_out_before_there_is_a_model_and_says_that_it_is_not_enough() -> None:
    kept = learned(RECORDS[:20])
    assert (models(kept), kept.quality) == ([], [])
    row = msgspec.json.decode(kept.groups[b"common_reasons/all"], type=CommonReasons)
    assert not row.enough
    assert row.text.startswith("Not enough outcomes yet: ")
    shown = metrics.REGISTRY.get_sample_value
    assert shown("churn_group_log_loss", {"group": "all"}) is not None
    assert shown("churn_group_auc", {"group": "all"}) is None


def test_a_worker_that_learns_no_more_tells_of_no_group() -> None:
    kept = Kept()
    learning = job(kept)
    learning.apply(HERE, RECORDS, len(RECORDS))
    kept.take(learning.collect())
    shown = metrics.REGISTRY.get_sample_value
    assert shown("churn_group_left_ratio", {"group": "all"}) is not None
    assert shown("churn_model_given_ratio", {"tenth": "1"}) is not None
    learning.release()
    assert shown("churn_group_left_ratio", {"group": "all"}) is None
    assert shown("churn_model_given_ratio", {"tenth": "1"}) is None


def test_no_customer_is_named_in_what_it_says() -> None:
    said: list[Any] = [*WHOLE.rows, *WHOLE.groups.values(), *map(msgspec.json.encode, WHOLE.quality), *WHOLE.journal[0]]
    assert not any(b"c-39" in value for value in said)
