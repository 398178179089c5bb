"""Learning inside a replay: examples of all partitions go to the learner, its models back into every partition.

Rules: examples are taken at the first tick of a UTC day and learned from in order of landmark and customer, however
the fold was fed; a model is handed over behind the tick that found it, as a record of the journal would.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from detectors.customer import DAY_S
from detectors.learning.challengers import Challenger
from detectors.learning.learner import Learner
from detectors.learning.lessons import Lesson, decode_lesson, order_of, taken
from detectors.model import Model
from detectors.policy import Policy
from detectors.records import Write
from schemas.journal import encode_model_change


class Lessons:
    """The learner of one replay."""

    def __init__(self, policy: Policy, challengers: dict[str, Challenger] | None = None) -> None:
        self.learner = Learner(policy, challengers)
        self.every_s = policy.learning.publish_days * DAY_S
        self._waiting: list[Lesson] = []
        self._next_s = 0
        self.as_of_s = 0  # when it learned last
        self._learned = 0

    def collect(self, writes: Iterable[Write]) -> None:
        """Take what a partition has handed on."""
        self._waiting += [decode_lesson(value) for _, value, _ in writes if value is not None]

    def is_due(self, time_s: int) -> bool:
        """Whether a tick is the first of its period."""
        if time_s < self._next_s:
            return False
        self._next_s = time_s // self.every_s * self.every_s + self.every_s
        self.as_of_s = time_s
        return True

    def learn(self, time_s: int) -> Model | None:
        """Learn from what waits; the model that decides from a time on, if outcomes have made another of it."""
        self._waiting.sort(key=order_of)
        for lesson in self._waiting:
            taken(self.learner, lesson)
        self._waiting.clear()
        if self.learner.learned == self._learned:
            return None
        self._learned = self.learner.learned
        return self.learner.hand_over(time_s)


def encode_model(model: Model, time_s: float) -> bytes:
    """The journal's record of a model."""
    return encode_model_change(model.version, msgspec.json.encode(model), time_s)
