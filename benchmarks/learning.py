"""What learning costs: the learner by itself, what is written down for it, and detecting with what it has learned.

All of it in CPU time of one core, without Kafka. The lives are those that streams begin with (`benchmarks.lives`),
told in one go as a backlog is: half a year in a second or two, with far more landmarks per event than live traffic.
"""

from __future__ import annotations

import gc
import random
import time
from typing import NamedTuple

import msgspec

from benchmarks.core import FETCH, GC_THRESHOLDS
from benchmarks.events import SEED, Record
from benchmarks.lives import history
from benchmarks.report import Row, at_least, at_most
from detectors.customer import DAY_S
from detectors.learning.examples import Example
from detectors.learning.learner import Learner
from detectors.learning.lessons import decode_lesson
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.records import EXAMPLES

LIVES = 200
LEAST_PER_S = 1_000
MOST_OF_DETECTION = 0.05


class Fold(NamedTuple):
    """What a pass over the lives took, and the examples that came of it."""

    seconds: float
    examples: list[Example]


def fold(records: list[Record], policy: Policy, model: Model, *, examples: bool) -> Fold:
    """Lead the lives once."""
    partition = Partition(0, {}, policy, model, examples=examples)
    found: list[Example] = []
    gc.collect()
    started_s = time.process_time()
    for first in range(0, len(records), FETCH):
        partition.feed(records[first : first + FETCH])
        written = partition.snapshot().writes.get(EXAMPLES, ())
        lessons = [decode_lesson(value) for _, value, _ in written if value is not None]
        found += [lesson for lesson in lessons if isinstance(lesson, Example)]
    return Fold(time.process_time() - started_s, found)


def with_outcomes(examples: list[Example]) -> list[Example]:
    """The same with outcomes: nobody leaves in these lives, so as many do, by lot, as the probabilities say."""
    rng = random.Random(SEED)
    return [msgspec.structs.replace(example, left=rng.random() < example.probability) for example in examples]


def learned(examples: list[Example], policy: Policy) -> tuple[float, Model]:
    """Examples per second that a fresh learner takes up, and the model that it hands over."""
    learner = Learner(policy)
    started_s = time.process_time()
    for example in examples:
        learner.learn(example)
    return len(examples) / (time.process_time() - started_s), learner.model()


def counted_us(examples: list[Example], policy: Policy) -> float:
    """Microseconds that a learner counts an example by group of customers, which is a part of learning it."""
    learner = Learner(policy)
    started_s = time.process_time()
    for example in examples:
        learner.count(example, example.segments)
    return (time.process_time() - started_s) / len(examples) * 1e6


def measure(*, lives: int = LIVES, times: int = 3) -> list[Row]:
    """The rows of the table."""
    gc.set_threshold(*GC_THRESHOLDS)
    policy = Policy()
    prior, records = Model.prior(policy), history(lives)
    examples = with_outcomes(fold(records, policy, prior, examples=True).examples)
    runs = [learned(examples, policy) for _ in range(times)]
    counted = [counted_us(examples, policy) for _ in range(times)]
    per_s, model = max(runs, key=lambda run: run[0])
    plain, watched, ruled = [], [], []
    for _ in range(times):  # in turns, so that a busy spell of the machine meets all of them
        plain.append(fold(records, policy, prior, examples=False).seconds)
        watched.append(fold(records, policy, prior, examples=True).seconds)
        ruled.append(fold(records, policy, model, examples=False).seconds)
    landmark_s = (min(watched) - min(plain)) / len(examples)
    a_week = landmark_s * policy.learning.watched_max / (policy.churn.landmark_days * DAY_S)
    return [
        at_least("learner, examples", per_s, LEAST_PER_S, "/s"),
        Row("of that, counting by group of customers", f"{min(counted):.0f} of {1e6 / per_s:.0f} µs"),
        Row("a landmark with its label, in the detector", f"{landmark_s * 1e6:.0f} µs"),
        at_most(
            f"of a core, with the {policy.learning.watched_max:,} customers that a partition watches at most",
            100 * a_week,
            100 * MOST_OF_DETECTION,
            "%",
        ),
        Row("a backlog of half a year with landmarks ÷ without", f"{min(plain) / min(watched):.2f} ×"),
        at_least("detecting by a learned model ÷ by the priors", min(plain) / min(ruled), 1 - MOST_OF_DETECTION, "×"),
    ]
