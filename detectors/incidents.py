"""One cause that many customers share is one incident, not as many alerts.

Rules:
* a partition counts, in slots of five minutes of event time, the customers for whom a signal of groups G and H
  (technology) or J (availability) rose over a strength; when an hour holds enough of them, it declares an incident;
* the declaration goes to the journal, into every partition, and every partition counts from then on and says so
  there: when it takes the incident up, when its count has doubled, when it goes on, and when it ends;
* two partitions that declare one cause at once agree whatever the order in which they hear of each other: the smaller
  id wins (it begins with the hour of the most rises), the earliest start, the newest rise;
* partition 0 alone writes the row of an incident, from what was said in the journal;
* a customer is touched if a signal of the cause rose for it during the incident, not because it is raised; also if it
  had part in what happened then and has had no trouble of its own since: a rise is the incident's while what the
  signal counts reaches back to it, unless there were faults since (`incidents.own_faults`).
"""

from collections import Counter
from typing import Final

from detectors import kinds
from detectors.assess import Assessor
from detectors.counts import since
from detectors.customer import DAY_S, HOUR_S, Customer
from detectors.history.app_errors import first_and_last
from detectors.lifecycle import LEVELS, level_of
from detectors.model import probability
from detectors.records import INSIGHTS, JOURNAL, Outbox
from detectors.world import Incident, World
from schemas import journal
from schemas.alerts import Change
from schemas.insights import encode_insight
from schemas.insights_live import CommonCause
from schemas.times import rfc3339, utc

TECHNOLOGY, AVAILABILITY = 1, 2
CAUSE_OF_GROUP: Final = {"quality": TECHNOLOGY, "tech": TECHNOLOGY, "availability": AVAILABILITY}
NAMES: Final = {TECHNOLOGY: "technology", AVAILABILITY: "availability"}
NUMBERS: Final = {name: number for number, name in NAMES.items()}
WEEK_D: Final = 7
SLOT_S: Final = 300
WINDOW: Final = HOUR_S // SLOT_S  # slots
SLOTS_KEPT: Final = 6 * WINDOW  # rises that are reported later than that count for no incident
START_SHARE: Final = 10  # it began with the first slot that holds a tenth of the fullest one
INCIDENTS_MAX: Final = 16
ALIASES_MAX: Final = 8
PARTITIONS_MAX: Final = 4_096
WRITER: Final = 0  # the partition that writes the rows
Signals = frozenset[int]  # by number
NOTHING: Final[Signals] = frozenset()


class Incidents:
    """Finds and follows common causes for one partition, with one policy and model."""

    def __init__(self, number: int, assessor: Assessor, stats: Counter[str]) -> None:
        self.number, self.assessor, self.stats = number, assessor, stats
        self.policy = assessor.policy.incidents
        self.watched: dict[int, int] = {}  # signal number → kind of cause
        self.codes: dict[int, str] = {}
        self._reach_s: dict[int, int] = {}  # how far back it counts
        for row in assessor.rows:
            cause = CAUSE_OF_GROUP.get(row.signal.group)
            if cause is not None and row.weight > 0:
                self.watched[row.number], self.codes[row.number] = cause, row.signal.code
                self._reach_s[row.number] = max(1, row.policy.window_d) * DAY_S
        self._numbers = frozenset(self.watched)

    # -- counting -------------------------------------------------------------------------------------

    def raised(self, strengths: dict[int, float]) -> Signals:
        """The watched signals that stand at or over the strength that counts."""
        if self._numbers.isdisjoint(strengths):
            return NOTHING
        least = self.policy.strength
        return frozenset(n for n in self._numbers if strengths.get(n, 0.0) >= least)

    def rose(self, world: World, c: Customer, before: Signals, now_s: int) -> bool:
        """Count a customer for whom something rose since `before`; true if so."""
        risen = self.raised(c.strengths) - before
        if not risen:
            return False
        # What an event raised belongs to the event's time, however late it is read; the rest rose now.
        when_s = min(now_s, c.last_s) if c.stale else now_s
        slot = when_s // SLOT_S
        causes_before = {self.watched[n] for n in before}
        for number in risen:
            _count(world.rises, self.codes[number], slot)
        for cause in {self.watched[n] for n in risen}:
            c.rose = {**c.rose, cause: max(when_s, c.rose.get(cause, 0))}
            if any(self.watched[n] == cause and self._is_own(world, c, n, when_s) for n in risen):
                c.rose[-cause] = max(when_s, c.rose.get(-cause, 0))
            if cause not in causes_before:
                _count(world.rises, NAMES[cause], slot)
                for incident in world.incidents:
                    if incident.cause == cause and self._is_open(incident, when_s):
                        incident.customers += 1
                        incident.mine_s = max(incident.mine_s, when_s)
                        incident.newest_s = max(incident.newest_s, when_s)
        return True

    def _is_own(self, world: World, c: Customer, number: int, when_s: int) -> bool:
        """Whether a rise is the customer's own trouble: what the signal counts reaches back to no incident it met."""
        cause, reach_s = self.watched[number], self._reach_s[number]
        return not any(
            incident.cause == cause
            and when_s < incident.newest_s + max(reach_s, self.policy.quiet_s)
            and self._met(c, incident)
            for incident in world.incidents
        )

    def _met(self, c: Customer, incident: Incident) -> bool:
        """Whether something of the incident's cause happened to the customer during it."""
        if incident.cause == AVAILABILITY:
            points = (*c.points.get(kinds.UNAVAILABLE, ()), *c.points.get(kinds.LATE, ()))
            return any(self._is_open(incident, p.time_s) for p in points)
        return any(self._is_open(incident, o.opened_s) for o in c.cases.get(kinds.OUTAGE, {}).values()) or any(
            self._is_open(incident, day * DAY_S + second)
            for day, packed in c.error_days.items()
            for second in first_and_last(packed)
        )

    def _has_own(self, c: Customer, incident: Incident, now_s: int) -> bool:
        """Whether a customer had trouble of its own within a week, on the days after the incident's last."""
        if incident.cause != TECHNOLOGY:
            return False
        first_day = max((incident.newest_s + self.policy.quiet_s) // DAY_S, now_s // DAY_S - WEEK_D) + 1
        return since(c.days.get(kinds.FAULTS), first_day)[0] >= self.policy.own_faults

    def forget(self, world: World, c: Customer) -> None:
        """Count a customer who was erased no longer; what was reported of it already, as a number, stays."""
        for cause, when_s in c.rose.items():
            if cause < 0:
                continue
            slots = world.rises.get(NAMES[cause], {})
            if slots.get(when_s // SLOT_S):
                slots[when_s // SLOT_S] -= 1
            for incident in world.incidents:
                if incident.cause == cause and incident.customers and self._is_open(incident, when_s):
                    incident.customers -= 1

    def find(self, world: World, now_s: int) -> None:
        """Declare what an hour holds enough of, and no incident stands for yet."""
        enough = max(self.policy.at_least, self.policy.share * world.purse.customers)
        for cause, name in NAMES.items():
            slots = world.rises.get(name)
            if slots is None:
                continue
            oldest = now_s // SLOT_S - SLOTS_KEPT
            for counted in (name, *(self.codes[n] for n, k in self.watched.items() if k == cause)):
                _forget(world.rises, counted, oldest)
            count, first = _fullest_hour(slots)
            if count < enough:
                continue
            within = {slot: n for slot, n in slots.items() if first <= slot < first + WINDOW}
            peak = max(within, key=lambda slot: (within[slot], -slot))
            start = min(slot for slot, n in within.items() if n * START_SHARE >= within[peak])
            newest_s = (max(within) + 1) * SLOT_S
            if any(i.cause == cause and self._overlaps(i, start * SLOT_S, newest_s) for i in world.incidents):
                continue
            incident_id = f"{name}-{rfc3339(peak * SLOT_S)[:13]}Z"
            self._add(world, incident_id, cause, self._signal(world, cause, within), start * SLOT_S, newest_s)

    def _signal(self, world: World, cause: int, slots: dict[int, int]) -> str:
        """The signal that rose for most within these slots."""
        rises = {
            self.codes[n]: sum(k for slot, k in world.rises.get(self.codes[n], {}).items() if slot in slots)
            for n in sorted(self.watched)
            if self.watched[n] == cause
        }
        return max(rises, key=lambda code: rises[code])

    def _add(self, world: World, incident_id: str, cause: int, signal: str, started_s: int, newest_s: int) -> Incident:
        mine = {s: n for s, n in world.rises.get(NAMES[cause], {}).items() if s >= started_s // SLOT_S}
        mine_s = (max(mine) + 1) * SLOT_S if mine else 0
        incident = Incident(
            incident_id,
            cause,
            signal,
            started_s,
            max(newest_s, mine_s),
            customers=sum(mine.values()),
            mine_s=mine_s,
        )
        world.incidents.append(incident)
        del world.incidents[:-INCIDENTS_MAX]
        return incident

    def _is_open(self, incident: Incident, at_s: int) -> bool:
        return incident.started_s - HOUR_S <= at_s < incident.newest_s + self.policy.quiet_s

    def _overlaps(self, incident: Incident, started_s: int, newest_s: int) -> bool:
        return (
            started_s < incident.newest_s + self.policy.quiet_s and incident.started_s < newest_s + self.policy.quiet_s
        )

    # -- what partitions say to each other ------------------------------------------------------------

    def heard(self, world: World, said: journal.Incident, out: Outbox, now_s: int) -> None:
        """Take up what a partition says, this one's own words included."""
        cause = NUMBERS.get(said.incident_id.split("-", 1)[0])
        if cause is None:
            return
        started_s, newest_s = int(said.started_at.timestamp()), int(said.newest_at.timestamp())
        incident = next((i for i in world.incidents if said.incident_id in (i.incident_id, *i.aliases)), None) or next(
            (i for i in world.incidents if i.cause == cause and self._overlaps(i, started_s, newest_s)), None
        )
        if incident is None:
            incident = self._add(world, said.incident_id, cause, said.signal, started_s, newest_s)
        before = _row_of(incident)
        if said.incident_id != incident.incident_id:
            names = {said.incident_id, incident.incident_id, *incident.aliases}
            if said.incident_id < incident.incident_id:
                incident.incident_id, incident.signal = said.incident_id, said.signal
            incident.aliases = sorted(names - {incident.incident_id})[:ALIASES_MAX]
        elif said.signal < incident.signal:
            incident.signal = said.signal
        incident.started_s = min(incident.started_s, started_s)
        incident.newest_s = max(incident.newest_s, newest_s)
        if said.partition in incident.counts or len(incident.counts) < PARTITIONS_MAX:
            incident.counts[said.partition] = max(said.customers, incident.counts.get(said.partition, 0))
        if _row_of(incident) != before:
            self._write_row(incident, out, now_s)

    def tick(self, world: World, out: Outbox, now_s: int) -> None:
        """Say what has changed, and forget what is long over."""
        for incident in world.incidents:
            was, incident.ended = incident.ended, now_s >= incident.newest_s + self.policy.quiet_s
            grown = incident.customers >= 2 * incident.reported or (
                incident.mine_s - incident.reported_s >= self.policy.quiet_s / 4
            )
            if incident.customers > incident.reported and (grown or incident.ended):
                self._report(incident, out, now_s)
            if was != incident.ended:
                self._write_row(incident, out, now_s)
        if any(now_s >= i.newest_s + self.policy.touches_s for i in world.incidents):
            world.incidents = [i for i in world.incidents if now_s < i.newest_s + self.policy.touches_s]

    def _report(self, incident: Incident, out: Outbox, now_s: int) -> None:
        incident.reported, incident.reported_s = incident.customers, incident.mine_s
        incident.counts[self.number] = incident.customers
        record = journal.IncidentDeclared(
            id=f"{incident.incident_id}@{self.number}@{incident.customers}",
            time=utc(now_s),
            data=journal.Incident(
                incident_id=incident.incident_id,
                signal=incident.signal,
                started_at=utc(incident.started_s),
                newest_at=utc(incident.mine_s),
                partition=self.number,
                customers=incident.customers,
            ),
        )
        out.write(JOURNAL, None, journal.encode_control(record))
        self.stats["incident_reports"] += 1
        self._write_row(incident, out, now_s)

    def _write_row(self, incident: Incident, out: Outbox, now_s: int) -> None:
        """Write the incident's row, if this is the partition that does."""
        if self.number != WRITER or not incident.counts:
            return
        name, key = NAMES[incident.cause], f"incident/{incident.incident_id}"
        if incident.row not in ("", key):
            out.write(INSIGHTS, incident.row.encode(), None)
        incident.row = key
        customers, since = sum(incident.counts.values()), rfc3339(incident.started_s)
        ended = rfc3339(incident.newest_s) if incident.ended else None
        row = CommonCause(
            insight_id=key,
            as_of=rfc3339(max(now_s, incident.started_s)),
            text=f"{name.capitalize()}: {incident.signal} rose for {customers} customers"
            f" {f'from {since} to {ended}' if ended else f'since {since}'}.",
            incident_id=incident.incident_id,
            cause=name,
            signal=incident.signal,
            started_at=since,
            ended_at=ended,
            customers=customers,
            also_known_as=tuple(incident.aliases),
        )
        out.write(INSIGHTS, key.encode(), encode_insight(row))

    # -- what it means for one customer ---------------------------------------------------------------

    def touching(self, world: World, c: Customer, now_s: int) -> Incident | None:
        """The newest incident that touches a customer: it rose for the customer then, or is its trouble since."""
        for incident in reversed(world.incidents):
            cause = incident.cause
            if (
                now_s < incident.newest_s + self.policy.touches_s
                and any(self.watched.get(n) == cause for n in c.strengths)
                and (
                    self._is_open(incident, c.rose.get(cause, 0))
                    or (c.rose.get(-cause, 0) < incident.newest_s + self.policy.quiet_s and self._met(c, incident))
                )
                and not self._has_own(c, incident, now_s)
            ):
                return incident
        return None

    def holds(self, c: Customer, incident: Incident, change: Change, by: Assessor) -> bool:
        """Whether an announcement by some rules is owed to the incident alone: without it nothing would be said."""
        shares = by.contributions(c)
        owed = sum(shares[n] for n in sorted(shares) if self.watched.get(n) == incident.cause)
        p, alerts = probability(by.log_odds(c) - owed), by.policy.alerts
        if change == "opened":
            without = frozenset(n for n in shares if self.watched.get(n) == incident.cause)
            return by.risk(c, p, without) < alerts.enter
        if change == "escalated" and c.alert is not None:
            return LEVELS.index(level_of(p, alerts)) <= LEVELS.index(c.alert.level)
        return False

    def release_s(self, incident: Incident) -> int:
        """Until when what is owed to an incident is held back."""
        return incident.newest_s + self.policy.touches_s


def _row_of(incident: Incident) -> tuple[object, ...]:
    """What of an incident stands in its row."""
    newest_s = incident.newest_s if incident.ended else 0
    counted = sum(incident.counts.values())
    return incident.incident_id, incident.signal, incident.started_s, newest_s, counted, tuple(incident.aliases)


def _count(rises: dict[str, dict[int, int]], name: str, slot: int) -> None:
    slots = rises.setdefault(name, {})
    slots[slot] = slots.get(slot, 0) + 1
    if len(slots) > SLOTS_KEPT:
        del slots[min(slots)]


def _forget(rises: dict[str, dict[int, int]], name: str, oldest: int) -> None:
    slots = rises.get(name)
    if slots is not None:
        for slot in [s for s in slots if s < oldest]:
            del slots[slot]


def _fullest_hour(slots: dict[int, int]) -> tuple[int, int]:
    """The most that any hour holds, and its first slot; the earliest of equals.

    >>> _fullest_hour({0: 1, 11: 5, 12: 5, 40: 2})
    (10, 11)
    """
    best, first = 0, 0
    for start in sorted(slots):
        total = sum(n for slot, n in slots.items() if start <= slot < start + WINDOW)
        if total > best:
            best, first = total, start
    return best, first
