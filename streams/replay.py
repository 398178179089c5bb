"""`churnwatch replay`: the whole job on files, with no broker, by the same core.

A replay of events is a small broker in memory: intake reads and sorts them, each customer goes to the journal
partition that Kafka would give it, and ticks stand where the clock of `CHURNWATCH_CLOCK=events` puts them. A replay
of a journal dump takes partitions, offsets and ticks from the dump and reorders nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import BinaryIO, NamedTuple

import msgspec

from detectors.assess import Assessor
from detectors.learning.challengers import river_challengers
from detectors.learning.groups import groups_of_customer
from detectors.learning.shown import learned_rows
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.reading import customer, scores_at
from detectors.records import ALERTS, DEAD, EXAMPLES, INSIGHTS, JOURNAL, Write
from schemas.alerts import AlertEvent, decode_alert
from schemas.deadletters import dead_letter_line, encode_dead_letter_line, read_dead_letter
from schemas.insights import encode_insight
from schemas.intake import Accepted, read_event
from schemas.journal import encode_heard, encode_tick
from schemas.journal_dump import JournalRecord, decode_journal_line
from schemas.scores import ScoreRow, encode_score
from schemas.topics import TOPICS
from streams.engine.partitions import Places
from streams.failures import Failure
from streams.heard import EVENTS_SPAN_S, TOPIC_OF, Heard
from streams.learning import Lessons, encode_model
from streams.lines import open_output, read_lines, total_bytes
from streams.ordering import GAP_S
from streams.outcomes import Outcomes
from streams.policy_file import load_policy
from streams.progress import Progress
from streams.release import APP_VERSION
from streams.replay_options import ReplayOptions
from streams.replay_report import Report

TICK_S = 3_600  # as CHURNWATCH_EVENT_TICK_S by default
PARTITIONS = TOPICS["churn.journal"].partitions
SNAPSHOT_RECORDS = 50_000
MAX_HOT = 200_000


class Line(NamedTuple):
    """One accepted event, ordered as the journal: by time, source, id, then bytes, so that files may be shuffled."""

    time_s: float
    source: str
    event_id: str
    value: bytes
    customer_id: str
    file: int
    number: int
    topic: str


class Replay:
    """One replay: the partitions, and the files that they write to."""

    def __init__(self, options: ReplayOptions, policy: Policy, stack: ExitStack) -> None:
        def output(path: str | None) -> BinaryIO | None:
            return stack.enter_context(open_output(path)) if path is not None else None

        self.options, self.policy, self.model = options, policy, Model.prior(policy)
        self.alerts, self.scores, self.dlq = output(options.alerts), output(options.scores), output(options.dlq)
        self.partitions: dict[int, Partition] = {}
        self.places = Places(PARTITIONS)
        self.refused: Counter[str] = Counter()
        self.origins: dict[int, dict[int, tuple[int, int]]] = {}  # partition → offset → file, line
        self.outcomes = Outcomes(policy)
        self.learns = not options.journal  # which names its models
        self.lessons = Lessons(policy, river_challengers() if self.learns and options.report is not None else None)
        self._taken: Counter[int] = Counter()  # partition → examples of its outbox that were taken
        self.read = self.accepted = self.applied = 0
        self._since_snapshot = 0
        self._placed: Counter[int] = Counter()  # partition → records of its outbox that stand in the journal
        self.insights: dict[bytes, bytes] = {}

    def partition(self, number: int) -> Partition:
        """The fold of a partition, made when it is first asked for."""
        if number not in self.partitions:
            self.partitions[number] = Partition(
                number, {}, self.policy, self.model, max_hot=MAX_HOT, examples=self.learns
            )
            self.origins[number] = {}
        return self.partitions[number]

    def assessor(self) -> Assessor:
        """What decided at the end, in the first partition: a journal may have brought another policy or model."""
        first = min(self.partitions, default=None)
        return Assessor(self.policy, self.model) if first is None else self.partitions[first].assessor

    def feed(self, number: int, records: list[JournalRecord]) -> None:
        """Apply records of one partition."""
        self.partition(number).feed(records)
        self.applied += len(records)
        self._since_snapshot += len(records)

    def flush(self, *, always: bool = False) -> None:
        """Write out what the partitions decided, in order of time."""
        if not always and self._since_snapshot < SNAPSHOT_RECORDS:
            return
        self._since_snapshot = 0
        self.collect()
        self._placed.clear()
        self._taken.clear()
        alerts: list[tuple[bytes, Write]] = []
        for number in sorted(self.partitions):
            writes = self.partitions[number].snapshot().writes
            alerts += [(dict(write[2])["ce_time"], write) for write in writes.get(ALERTS, ())]
            for _, value, headers in writes.get(DEAD, ()):
                self._refuse_late(value or b"", headers)
            for key, value, _ in writes.get(INSIGHTS, ()):
                if value is None:
                    self.insights.pop(key or b"", None)
                else:
                    self.insights[key or b""] = value
        alerts.sort(key=lambda item: item[0])
        for _, (_, value, _) in alerts:
            assert value is not None
            self.said(decode_alert(value), value)

    def said(self, alert: AlertEvent, value: bytes) -> None:
        """Take note of an alert revision, in order of time, and write it out."""
        self.outcomes.alerted(alert.data)
        if self.alerts is not None:
            self.alerts.write(value + b"\n")

    def study(self, time_s: int, to_all: Callable[[bytes, int], None]) -> None:
        """Learn from what has matured, and hand the model over as a record of the journal, once a period."""
        if self.learns and self.lessons.is_due(time_s):
            self.collect()
            model, learner = self.lessons.learn(time_s), self.lessons.learner
            if model is not None:
                to_all(encode_model(model, time_s), time_s)
            if self.options.insights is not None:
                for row in learned_rows(learner, model or learner.model(), time_s, APP_VERSION):
                    self.insights[row.insight_id.encode()] = encode_insight(row)

    def collect(self) -> None:
        """Take the examples that the partitions have written since they were last asked."""
        for number in sorted(self.partitions):
            written = self.partitions[number].out.writes.get(EXAMPLES, [])
            self.lessons.collect(written[self._taken[number] :])
            self._taken[number] = len(written)

    def declared(self) -> list[bytes]:
        """What the partitions have written to the journal and nobody has placed there yet."""
        found = []
        for number in sorted(self.partitions):
            writes = self.partitions[number].out.writes.get(JOURNAL, [])
            found += [value for _, value, _ in writes[self._placed[number] :] if value is not None]
            self._placed[number] = len(writes)
        return found

    def refuse(self, reason: str, detail: str, stage: str, file: int, number: int, value: bytes) -> None:
        """Count a dead letter, and write its line."""
        self.refused[reason] += 1
        if self.dlq is not None:
            name = self.options.files[file]
            line = dead_letter_line(reason, detail, stage, name, number, value)  # type: ignore[arg-type]
            self.dlq.write(encode_dead_letter_line(line) + b"\n")

    def _refuse_late(self, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        letter = read_dead_letter(headers)
        assert letter is not None
        file, number = self.origins[letter.origin.partition].get(letter.origin.offset, (0, letter.origin.offset + 1))
        self.refuse(letter.reason, letter.detail, letter.stage, file, number, value)

    # -- events -------------------------------------------------------------------------------------

    def read_events(self) -> list[Line]:
        """Every event of the files that the contract accepts, in order of the journal."""
        now_s = self.options.now_s if self.options.now_s is not None else time.time()
        until_s = self.options.until_s
        lines: list[Line] = []
        for file, path in enumerate(self.options.files):
            for number, value in read_lines(path, self.options.progress):
                self.read += 1
                found = read_event(value, (), now_s)
                if not isinstance(found, Accepted):
                    self.refuse(found.reason, found.detail, "intake", file, number, value)
                    continue
                event = found.event
                event_s = event.time.timestamp()
                if until_s is not None and event_s > until_s:
                    continue
                self.accepted += 1
                self.outcomes.happened(event, event_s)
                lines.append(
                    Line(
                        event_s,
                        event.source,
                        event.id,
                        found.value,
                        event.subject,
                        file,
                        number,
                        TOPIC_OF[event.data.__class__],
                    )
                )
        lines.sort()
        return lines

    def run_events(self) -> None:
        """Fold the events of the files."""
        lines = self.read_events()
        if not lines:
            return
        end_s = int(self.options.until_s if self.options.until_s is not None else lines[-1].time_s)
        for number in range(PARTITIONS):
            self.partition(number)
        offsets = [0] * PARTITIONS
        waiting: list[list[JournalRecord]] = [[] for _ in range(PARTITIONS)]

        heard = Heard(EVENTS_SPAN_S)

        def to_all(value: bytes, time_s: int) -> None:
            for number, records in enumerate(waiting):
                records.append(JournalRecord(offsets[number], None, value, time_s * 1000))
                offsets[number] += 1

        def tick(time_s: int) -> None:
            to_all(encode_tick(time_s), time_s)
            for number, records in enumerate(waiting):
                self.feed(number, records)
                waiting[number] = []
            for value in self.declared():  # what the partitions say to each other follows the tick that they say it at
                to_all(value, time_s)
            self.study(time_s, to_all)
            self.flush()

        def drain() -> None:
            for number, records in enumerate(waiting):
                self.feed(number, records)
                waiting[number] = []
            self.flush()

        judged_every_s = self.outcomes.every_s if self.options.report is not None else None
        clock = Clock(int(lines[0].time_s), self.options.score_every_s, judged_every_s)
        for line in lines:
            for time_s, ticks, scores in clock.passed(line.time_s):
                if ticks:
                    tick(time_s)
                if scores:
                    drain()
                self.score(time_s, scores)
            if heard.is_news(line.topic, int(line.time_s)):
                to_all(encode_heard(line.topic, int(line.time_s)), int(line.time_s))
            key, number = self.places[line.customer_id]
            waiting[number].append(JournalRecord(offsets[number], key, line.value, int(line.time_s * 1000)))
            self.origins[number][offsets[number]] = (line.file, line.number)
            offsets[number] += 1
        for time_s, ticks, scores in clock.passed(end_s + 1):
            if ticks:
                tick(time_s)
            if scores:
                drain()
            self.score(time_s, scores)
        tick(end_s)
        drain()
        self.outcomes.ends(end_s)

    def score(self, time_s: int, scores: Scores) -> None:
        """Write the score rows of a time, and hand them to whoever judges them."""
        if not scores:
            return
        rows = sorted(
            (row for partition in self.partitions.values() for row in scores_at(partition, time_s)),
            key=lambda row: row.customer_id,
        )
        if scores.wanted and self.scores is not None:
            for row in rows:
                self.scores.write(encode_score(row) + b"\n")
        if scores.judged:
            groups = {row.customer_id: self._groups_of(row) for row in rows}
            self.outcomes.landmark(time_s, rows, groups)

    def _groups_of(self, row: ScoreRow) -> tuple[str, ...]:
        key, number = self.places[row.customer_id]
        return groups_of_customer(customer(self.partitions[number], key), row.lifecycle_stage)

    # -- journals -----------------------------------------------------------------------------------

    def run_journal(self) -> None:
        """Fold the journal dumps as they are."""
        records: dict[int, list[JournalRecord]] = {}
        for file, path in enumerate(self.options.files):
            for number, partition, record in read_dump(path, self.options.progress):
                self.read += 1
                self.partition(partition)
                self.origins[partition][record.offset] = (file, number)
                records.setdefault(partition, []).append(record)
        for number in sorted(records):
            self.feed(number, sorted(records[number], key=lambda record: record.offset))
        self.flush(always=True)
        self.accepted = self.read - sum(self.refused.values())


def read_dump(path: str, progress: Progress) -> Iterator[tuple[int, int, JournalRecord]]:
    """The records of a journal dump: number of the line, partition, record; raises Failure for a line that is none."""
    for number, text in read_lines(path, progress):
        try:
            line = decode_journal_line(text)
            record = line.record()
        except (msgspec.MsgspecError, ValueError):
            raise Failure(f"{path}, line {number}: not a line of `churnwatch journal dump`") from None
        yield number, line.partition, record


class Scores(NamedTuple):
    """Which score rows a time asks for."""

    wanted: bool
    judged: bool

    def __bool__(self) -> bool:
        return self.wanted or self.judged


class Clock:
    """The times that lie between events: ticks, and the multiples at which scores are asked for."""

    def __init__(self, first_s: int, score_every_s: float | None, landmark_every_s: int | None) -> None:
        self._every = [TICK_S, score_every_s, landmark_every_s]
        self._next = [_multiple_from(first_s, every) for every in self._every]

    def passed(self, time_s: float) -> Iterator[tuple[int, bool, Scores]]:
        """Every asked time before `time_s` that was not given yet, with what it asks for."""
        ticks_to_s = self._next[0] + GAP_S
        while (now_s := min(self._next)) < time_s:
            if ticks_to_s <= self._next[0] < time_s - TICK_S:
                self._next[0] = (time_s - 1) // TICK_S * TICK_S
                continue
            due = [at == now_s for at in self._next]
            for i, is_due in enumerate(due):
                if is_due:
                    self._next[i] += self._every[i] or 0
            yield int(now_s), due[0], Scores(due[1], due[2])


def _multiple_from(time_s: int, every_s: float | None) -> float:
    """The first multiple of a period at or after a time; never, without a period."""
    return max(0.0, -(-time_s // every_s) * every_s) if every_s else float("inf")


def run(options: ReplayOptions) -> Report:
    """Replay; raises Failure for a file that cannot be read or written, or a policy that is wrong."""
    started = time.perf_counter()
    size = total_bytes(options.files)
    if size is not None:
        options.progress.expect(size)
    policy = load_policy(options.policy)
    with ExitStack() as stack:
        replay = Replay(options, policy, stack)
        if options.journal:
            replay.run_journal()
        else:
            replay.run_events()
            replay.flush(always=True)
        if options.insights is not None:
            rows = stack.enter_context(open_output(options.insights))
            rows.writelines(value + b"\n" for _, value in sorted(replay.insights.items()))
        report = Report.of(replay, time.perf_counter() - started)
        if options.report is not None:
            stack.enter_context(open_output(options.report)).write(report.json())
    return report
