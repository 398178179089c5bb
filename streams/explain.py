"""`churnwatch explain`: where an alert and its journal are found, and the proof that one follows from the other.

Rules: what was said is taken from where it was said (the topic, or a replay's file), never from the derivation that is
to prove it; the journal is that of the broker, of a dump, or the one that a replay of event files makes in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import msgspec

from detectors.account import Account, Retraced
from detectors.model import Model
from detectors.policy import Policy
from schemas.alerts import Alert, AlertEvent, decode_alert
from schemas.events import TYPE_OF
from schemas.journal_dump import JournalRecord
from schemas.times import rfc3339
from schemas.topics import ALERTS, JOURNAL
from streams.failures import Failure
from streams.lines import read_lines
from streams.policy_file import load_policy
from streams.progress import Progress, Silent
from streams.replay import Replay, read_dump
from streams.replay_options import ReplayOptions
from streams.topic_reader import committed_records, partitions_of, reading

Journals = dict[int, list[JournalRecord]]


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """Which alert, and where to look for it: files if there are any, else Kafka."""

    alert_id: str
    files: tuple[str, ...] = ()
    journal: bool = False
    """The files are journal dumps, not events."""
    alerts: str | None = None
    """What was said, as JSON lines: the replay's or the tail's."""
    policy: str | None = None
    bootstrap: str = ""
    prefix: str = ""
    progress: Progress = field(default_factory=Silent)


class Evidence(msgspec.Struct, frozen=True):
    """One event that carries a reason."""

    event_id: str
    offset: int
    type: str
    time: str
    data: msgspec.Raw


class Cause(msgspec.Struct, frozen=True):
    """One signal's part: contribution = strength × weight, in log-odds."""

    code: str
    strength: float
    weight: float
    contribution: float
    since_last: float | None
    text: str | None
    evidence: list[Evidence]


class Revision(msgspec.Struct, frozen=True):
    """One revision, as it was said and as it was derived again."""

    revision: int
    type: str
    as_of: str
    status: str
    churn_probability: float
    risk_level: str
    log_odds: float
    base: float
    causes: list[Cause]
    journal_offset: int
    derived_again: bool  # byte for byte
    bytes_said: int
    sha256: str  # of the bytes that were said
    alert: Alert


class Explanation(msgspec.Struct, frozen=True):
    """The story of one alert."""

    alert_id: str
    customer_id: str
    policy_version: str
    model_version: str
    partition: int
    records: int
    first_offset: int
    complete: bool  # the journal that was read reaches back to the customer's first event
    proven: bool  # every revision was derived again, byte for byte
    events: int  # of the customer, up to the last revision
    revisions: list[Revision]


def explain_from(said: list[bytes], account: Account) -> Explanation:
    """Put what was said and what was derived again side by side."""
    again = {r.event.data.revision: r for r in account.revisions}
    told = sorted((decode_alert(value).data.revision, value) for value in said)
    revisions = [_revision(value, again.get(number), account) for number, value in told]
    last = decode_alert(told[-1][1]).data
    where = last.evidence_range
    return Explanation(
        alert_id=last.alert_id,
        customer_id=last.customer_id,
        policy_version=last.policy_version,
        model_version=last.model_version,
        partition=where.partition,
        records=account.records,
        first_offset=account.first_offset,
        complete=0 <= account.first_offset <= where.first_offset,
        proven=all(revision.derived_again for revision in revisions),
        events=len(account.events),
        revisions=revisions,
    )


def _revision(value: bytes, again: Retraced | None, account: Account) -> Revision:
    event = decode_alert(value)
    alert = event.data
    return Revision(
        revision=alert.revision,
        type=event.type,
        as_of=alert.as_of,
        status=alert.status,
        churn_probability=alert.churn_probability,
        risk_level=alert.risk_level,
        log_odds=again.log_odds if again is not None else 0.0,
        base=again.base if again is not None else 0.0,
        causes=_causes(alert, again, account),
        journal_offset=alert.evidence_range.last_offset,
        derived_again=again is not None and again.value == value,
        bytes_said=len(value),
        sha256=hashlib.sha256(value).hexdigest(),
        alert=alert,
    )


def _causes(alert: Alert, again: Retraced | None, account: Account) -> list[Cause]:
    reasons = {reason.code: reason for reason in alert.reasons}
    found = []
    for w in again.weighed if again is not None else ():
        reason = reasons.get(w.code)
        evidence = [_evidence(event_id, account) for event_id in (reason.evidence if reason else ())]
        found.append(
            Cause(
                code=w.code,
                strength=round(w.strength, 6),
                weight=round(w.weight, 6),
                contribution=round(w.contribution, 6),
                since_last=reason.since_last if reason else None,
                text=reason.text if reason else None,
                evidence=[e for e in evidence if e is not None],
            )
        )
    return found


def _evidence(event_id: str, account: Account) -> Evidence | None:
    told = account.events.get(event_id)
    if told is None:
        return None
    event = told.event
    return Evidence(
        event_id,
        told.offset,
        TYPE_OF[type(event.data)],
        rfc3339(int(event.time.timestamp())),
        msgspec.Raw(msgspec.json.encode(event.data)),
    )


def _account(said: list[bytes], policy: Policy) -> Account:
    """An account of the alert of these revisions, still without a record."""
    alerts = [decode_alert(value).data for value in said]
    first = alerts[0]
    offsets = [alert.evidence_range.last_offset for alert in alerts]
    number = first.evidence_range.partition
    return Account(number, first.alert_id, first.customer_id.encode(), offsets, policy, Model.prior(policy))


def _of_alert(values: Iterable[bytes], alert_id: str) -> Iterator[bytes]:
    """Of many alert revisions those of one alert; what is no alert is passed over."""
    wanted = alert_id.encode()
    for value in values:
        if wanted not in value:
            continue
        try:
            event: AlertEvent = decode_alert(value)
        except msgspec.MsgspecError:
            continue
        if event.data.alert_id == alert_id:
            yield value


# -- files ------------------------------------------------------------------------------------------


class _Remembering(Replay):
    """A replay that keeps the journal it makes."""

    def __init__(self, options: ReplayOptions, policy: Policy, stack: ExitStack) -> None:
        super().__init__(options, policy, stack)
        self.journals: Journals = {}

    def feed(self, number: int, records: list[JournalRecord]) -> None:
        """Keep the records as well."""
        self.journals.setdefault(number, []).extend(records)
        super().feed(number, records)


def explain_files(options: ExplainOptions) -> Explanation:
    """Explain from files; raises Failure if the alert is not there."""
    policy = load_policy(options.policy)
    if options.alerts is None:
        raise Failure("say where the alerts are with --alerts: what was said is compared with what is derived again")
    said = list(_of_alert((value for _, value in read_lines(options.alerts, Silent())), options.alert_id))
    if not said:
        raise Failure(f"no alert {options.alert_id} in {options.alerts}")
    journals = _dumped(options) if options.journal else _replayed(options, policy)
    account = _account(said, policy)
    for record in journals.get(decode_alert(said[0]).data.evidence_range.partition, []):
        if not account.add(record):
            break
    return explain_from(said, account)


def _dumped(options: ExplainOptions) -> Journals:
    journals: Journals = {}
    for path in options.files:
        for _, partition, record in read_dump(path, options.progress):
            journals.setdefault(partition, []).append(record)
    for records in journals.values():
        records.sort(key=lambda record: record.offset)
    return journals


def _replayed(options: ExplainOptions, policy: Policy) -> Journals:
    with ExitStack() as stack:
        replay = _Remembering(ReplayOptions(files=options.files, progress=options.progress), policy, stack)
        replay.run_events()
        replay.flush(always=True)
        return replay.journals


# -- Kafka ------------------------------------------------------------------------------------------


async def explain_kafka(options: ExplainOptions) -> Explanation:
    """Explain from the broker's topics; raises Failure if the alert is not there, or no broker answers."""
    policy = load_policy(options.policy)
    alerts, journal = options.prefix + ALERTS, options.prefix + JOURNAL
    async with reading(options.bootstrap, "churnwatch-explain") as consumer:
        said: list[bytes] = []
        for number in await partitions_of(consumer, alerts, options.prefix):
            async for record in committed_records(consumer, alerts, number):
                said += _of_alert((record.value or b"",), options.alert_id)
        if not said:
            raise Failure(f"no alert {options.alert_id} in {alerts}: it keeps revisions for its retention time")
        account = _account(said, policy)
        number = decode_alert(said[0]).data.evidence_range.partition
        async for record in committed_records(consumer, journal, number):
            if not account.add(record):
                break
    return explain_from(said, account)
