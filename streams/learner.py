"""The learner's job: examples in, models into the journal, its own state and the model's quality to `churn.insights`.

Rules: there is one learner, the owner of the one partition of `churn.examples`, and its lane is fenced as any other;
models, state and offset go out in one transaction, so no example is learned from twice or left out; when a model is
handed over follows from the landmarks of the examples and the commands between them, so the models are a function of
that topic, however often a worker dies; whoever takes over goes on from the newest state that can be read, and learns
what came after it again, handing over nothing that was handed over before.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
import structlog
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP

from detectors.customer import DAY_S
from detectors.learning.challengers import Challenger
from detectors.learning.examples import Example
from detectors.learning.learner import Learner
from detectors.learning.lessons import decode_lesson, taken, time_of
from detectors.learning.models_shown import contenders_of, drift_row
from detectors.learning.shown import answer_rows, learned_rows, overall, quality_row
from detectors.learning.shown_groups import group_rows
from detectors.model import Model
from detectors.policy import Policy
from schemas.insights import Insight, encode_insight
from schemas.insights_learned import STATE_ID, LearnerState, ModelQuality, decode_state
from schemas.model_commands import decode_command, name_of
from schemas.times import rfc3339
from schemas.topics import EXAMPLES, INSIGHTS, JOURNAL
from streams import group_gauges, metrics
from streams.detector import Topology
from streams.engine.errors import Refusal
from streams.engine.fetch import Record
from streams.engine.partitions import partition_of
from streams.engine.transactions import NO_HEADERS, Transaction, Write
from streams.learner_state import Saved
from streams.learning import encode_model
from streams.release import APP_VERSION

LANE: Final = "examples"
STATES_READ: Final = 8  # how many older states are tried when the newest cannot be read
STATE_KEY: Final = STATE_ID.encode()
NAN: Final = float("nan")
log = structlog.get_logger(__name__)

ReadSaved = Callable[[TopicPartition, bytes, TopicPartition, int], Awaitable[Saved]]
"""Reads rows back: the partition of the insights, the key, the examples, and how many rows."""


class Learning:
    """The one learner, in the worker that has the examples."""

    pending_max = 2_000

    def __init__(
        self,
        topology: Topology,
        policy: Policy,
        read_saved: ReadSaved,
        save_s: float,
        now_s: Callable[[], float] = time.monotonic,
        challengers: Callable[[], dict[str, Challenger]] = dict,
    ) -> None:
        self.topology, self.policy, self.read_saved = topology, policy, read_saved
        self.save_s, self.now_s, self.challengers = save_s, now_s, challengers
        self.journal, self.insights = topology.named(JOURNAL), topology.named(INSIGHTS)
        self.examples = TP(topology.named(EXAMPLES), 0)
        count = topology.partitions[self.examples.topic]
        if count != 1:
            raise Refusal(
                f"{self.examples.topic} has {count} partitions, and the learner needs it to have 1: make it again, "
                "or leave `learner` out of CHURNWATCH_ROLES"
            )
        self.release()

    def release(self) -> None:
        """Forget everything; what was not saved is learned again."""
        self.learner = Learner(self.policy, self.challengers())
        self.position = self._saved_to = self._handed_over_to = self.due_s = 0
        self._models: list[tuple[Model, int]] = []
        self._rows: dict[str, Insight] = {}  # by their id: what is not out yet
        self._is_urgent = False  # whether any of it is worth a transaction now
        self._published: tuple[str, int] | None = None
        self._saved_s = self.now_s()
        group_gauges.clear()
        self._show(None)

    def lanes(self, tps: set[TP]) -> set[str]:
        """One lane, of whoever has the examples."""
        return {LANE} if tps else set()

    async def prepare(self, offsets: Mapping[TP, int]) -> Mapping[TP, int]:
        """Go on from the newest state that can be read, and from where that one was."""
        if self.examples not in offsets:
            return offsets  # the examples are another worker's
        committed = offsets[self.examples]
        row = TopicPartition(self.insights, partition_of(STATE_KEY, self.topology.partitions[self.insights]))
        rows, end = await self.read_saved(row, STATE_KEY, TopicPartition(*self.examples), STATES_READ)
        self.release()
        if not self._restore(rows):
            self.position = 0  # what there is
            if rows:
                log.error("no state of the learner can be read; it learns again from what examples there are")
        elif self.position > end:
            log.warning("these are not the examples that were learned from; going on with them", offset=self.position)
            self.position = committed
        self._saved_to, self._handed_over_to = self.position, committed
        if self.learner.learned:
            group_gauges.show(group_rows(self.learner, self.learner.model(), 0))
        log.info("the learner goes on", learned=self.learner.learned, offset=self.position, committed=committed)
        self._show(None)
        return {**offsets, self.examples: self.position}

    def _restore(self, rows: Sequence[bytes]) -> bool:
        """Be as the newest row says that can be meant; whether there is one."""
        for value in rows:
            try:
                state = decode_state(value)
                self.learner.restore(bytes(state.learner))
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                log.error("a state of the learner is refused; trying the one before it", reason=str(error)[:200])
                continue
            self.position, self.due_s = state.position, state.due_s
            if state.published_at is not None:
                published_s = datetime.fromisoformat(state.published_at).timestamp()
                self._published = state.model_version, int(published_s)
                if self.learner.served.out is None:
                    self.learner.served.older = state.model_version
            return True
        return False

    def apply(self, tp: TP, records: Sequence[Record], end: int) -> None:  # noqa: ARG002
        """Learn from each example, in their order."""
        started_s = time.perf_counter()
        for record in records:
            self._take(record)
        self.position = end
        metrics.PROCESSING.labels("learner").observe(time.perf_counter() - started_s)

    def _take(self, record: Record) -> None:
        if record.key is None:
            self._obey(record)
            return
        try:
            lesson = decode_lesson(record.value or b"")
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self.learner.refused["not an example"] += 1
            self._refused(record, "not an example")
            return
        # Periods and due hand-overs never go back: one of the future would end all learning. The record's own time, not
        # a clock's, says what is the future, so that whoever reads it again finds the same.
        if time_of(lesson) > record.timestamp // 1_000 + DAY_S:
            self.learner.refused["from the future"] += 1
            self._refused(record, "from the future")
            return
        drifted_at = self.learner.drifted_at
        reason, label = taken(self.learner, lesson), "left" if lesson.left else "stayed"
        if reason is not None:
            self._refused(record, reason)
            return
        if not isinstance(lesson, Example):
            metrics.ALERT_OUTCOMES.labels(lesson.delivery, label).inc()
            return
        metrics.EXAMPLES.labels(label).inc()
        known_s = lesson.landmark_s + self.policy.churn.horizon_days * DAY_S
        if self.learner.drifted_at != drifted_at:
            self._drifted(record.offset)
        if is_due := lesson.landmark_s >= self.due_s:
            every_s = self.policy.learning.publish_days * DAY_S
            self.due_s = lesson.landmark_s // every_s * every_s + every_s
        if is_due or self.learner.is_overrated:
            self._hand_over(record.offset, known_s, self.learner.hand_over(known_s))

    def _drifted(self, offset: int) -> None:
        """Say at once that the error has moved."""
        if offset < self._handed_over_to:
            return
        row = drift_row(self.learner.drifts[-1], self.policy.churn.horizon_days)
        metrics.MODEL_DRIFTS.inc()
        log.warning("the error of the model has moved", before=row.error_before, after=row.error_after, offset=offset)
        self._rows[row.insight_id], self._is_urgent = row, True

    def _obey(self, record: Record) -> None:
        """Do what somebody asks of the learner, and answer; what is in force behind it goes out with the answer."""
        try:
            command = decode_command(record.value or b"")
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self.learner.refused["not a command"] += 1
            self._refused(record, "not a command")
            return
        name, time_s = name_of(command), int(command.time.timestamp())
        refused, model = self.learner.obey(command)
        log.info("a command to the learner", command=name, refused=refused or None, offset=record.offset)
        metrics.MODEL_COMMANDS.labels(name, "refused" if refused else "done").inc()
        self._hand_over(record.offset, time_s, model, is_answer=True)

    def _refused(self, record: Record, reason: str) -> None:
        metrics.EXAMPLES.labels("refused").inc()
        log.warning("an example is refused", reason=reason, offset=record.offset)

    def _hand_over(self, offset: int, time_s: int, model: Model | None, *, is_answer: bool = False) -> None:
        """Put a model, if it is another than that in force, and what is said with it with what goes out next.

        What went out before does not go out again. An answer to a command is about models alone, and urgent.
        """
        if model is not None:
            self._published = model.version, time_s
        if offset < self._handed_over_to:
            return
        self._is_urgent |= is_answer or model is not None
        if model is not None:
            self._models.append((model, time_s))
        now = model or self.learner.model()
        rows = (answer_rows if is_answer else learned_rows)(self.learner, now, time_s, APP_VERSION)
        self._rows |= {row.insight_id: row for row in rows}

    def collect(self) -> Iterator[Transaction]:
        """One transaction, if there is a model to hand over, or it is time to save."""
        if self.position == self._saved_to:
            return
        now_s = self.now_s()
        if not self._is_urgent and now_s - self._saved_s < self.save_s:
            return
        models, rows = self._models, [*self._rows.values(), self._state()]
        self._models, self._rows, self._is_urgent = [], {}, False
        self._saved_to, self._saved_s = self.position, now_s
        writes: dict[tuple[str, int], list[Write]] = {}
        for model, time_s in models:
            record: Write = (None, encode_model(model, time_s), NO_HEADERS)
            for number in range(self.topology.partitions[self.journal]):
                writes.setdefault((self.journal, number), []).append(record)
        for row in rows:
            key = row.insight_id.encode()
            to = self.insights, partition_of(key, self.topology.partitions[self.insights])
            writes.setdefault(to, []).append((key, encode_insight(row), NO_HEADERS))
        group_gauges.show(rows)
        for model, _ in models:
            log.info("a model is handed over", version=model.version, examples=model.examples)
        if len(rows) > 1:
            self._show(next((row for row in reversed(rows) if isinstance(row, ModelQuality)), None))
        yield Transaction(LANE, writes, {TopicPartition(*self.examples): OffsetAndMetadata(self.position, "")})

    def _state(self) -> LearnerState:
        version, published_s = self._published or ("", 0)
        return LearnerState(
            insight_id=STATE_ID,
            as_of=rfc3339(published_s),
            text=f"The learner after {self.learner.learned} outcomes.",
            position=self.position,
            due_s=self.due_s,
            model_version=version,
            published_at=rfc3339(published_s) if self._published else None,
            learner=msgspec.Raw(self.learner.snapshot()),
        )

    def committed(self, transaction: Transaction, seconds: float) -> None:  # noqa: ARG002
        """Measure."""
        metrics.CHECKPOINT.labels("learner").observe(seconds)

    def _show(self, row: ModelQuality | None) -> None:
        """Set the gauges of the model: NaN where nothing is known."""
        if row is None and self._published is not None:
            row = quality_row(self.learner, self.learner.model(), self._published[1])
        for gauge, value in (
            (metrics.MODEL_AUC, row.auc if row else None),
            (metrics.MODEL_LOG_LOSS, row.log_loss if row else None),
            (metrics.MODEL_CALIBRATION, row.calibration_error if row else None),
            (metrics.MODEL_DRIFTING, row.is_drifting if row else None),
        ):
            gauge.set(NAN if value is None else value)
        saved = overall(self.learner)
        for bound, value in zip(("estimate", "low", "high"), saved or (NAN, NAN, NAN), strict=True):
            metrics.SAVED.labels(bound).set(value)
        metrics.MODEL_AGE.set_function(self._age_s)
        metrics.FEATURES_MOVED.set(len(self.learner.drift.moved()))
        metrics.MODEL_HELD.set(self.learner.served.by != "learner")
        for each in contenders_of(self.learner):
            metrics.CHALLENGER_GAIN.labels(each.model).set(NAN if each.gain is None else each.gain)

    def _age_s(self) -> float:
        return NAN if self._published is None else time.time() - self._published[1]
