"""All that is remembered of one customer, as plain numbers, and its stored form.

Rules of this file:
* everything kept is the same whatever the order in which the same events came (sums, sets, newest-N,
  first and last by event time), but for the ring of duplicates and the marks of the assessment;
* every container has a limit, so that a state does not grow with the stream;
* times are whole seconds since the Unix epoch (UTC), days and hours are whole numbers of them, amounts
  are whole cents: whole numbers add up to the same sum in any order, floats do not.

Stored form: `HEADER` (fence, deadline, flags) and then MessagePack. The first eight bytes are the fence,
so that two versions of a state are compared without decoding, and the deadline and the flags are read
for every customer after a recovery without decoding the rest. Points, cases and hours stay bytes until somebody asks
for one, and then each kind of them does: most events are of use, and need none, the others one or two.
"""

import struct
from bisect import insort
from collections.abc import ItemsView, ValuesView
from typing import Any, ClassVar, NamedTuple, TypeVar, cast, overload

import msgspec

from detectors.counts import add
from detectors.kinds import CLOSED, DAYS_KEPT
from schemas.alerts import RiskLevel, Status

DAY_S, HOUR_S = 86_400, 3_600
NEVER = 2**62  # a deadline that does not come
VERSION = 2
WAITING = 1  # flag: an event came after the last assessment

RING_BYTES, DIGEST_BYTES = 320, 5  # the newest 64 identities; 40 bits each: one mix-up in 1.7e10 events
HOURS_KEPT = 26  # behind the newest: the one hour window that is read is of 24
MAX_POINTS = 8  # evidence is five events, and no signal that counts points asks for more than six
MAX_CASES = 8

HEADER = struct.Struct(">QqBB")


class Point(NamedTuple):
    """One event worth keeping by itself: when, how much, which event, and a word about it."""

    time_s: int
    value: int
    event_id: str
    label: str


class Case(msgspec.Struct, array_like=True, gc=False):
    """Something that was opened and that the business has to close: a ticket, a promise, an invoice, …"""

    opened_s: int = 0  # first opened; 0 while only later news of it is known
    reopened_s: int = 0
    closed_s: int = 0
    due_s: int = 0
    outcome: int = 0  # of the newest closing, by kind of case
    count: int = 0  # reopenings, attempts, …
    moved: int = 0  # handed on to somebody else
    heard_s: int = 0  # the newest word from the business
    amount: int = 0
    event_id: str = ""  # the event that opened it
    label: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the newest opening is later than the newest closing."""
        return self.opened_s > self.closed_s or self.reopened_s > self.closed_s

    @property
    def last_s(self) -> int:
        """When it was last heard of."""
        return max(self.opened_s, self.reopened_s, self.closed_s, self.heard_s)


class AlertState(msgspec.Struct, array_like=True, gc=False):
    """The customer's newest alert: enough to decide what comes next, and to say what changed."""

    alert_id: str
    revision: int
    status: Status
    opened_s: int
    revised_s: int  # when the last revision went out
    level: RiskLevel
    probability: float
    contributions: dict[int, float]  # signal number → log-odds at the last revision
    first_reason: int = 0
    calm_since_s: int = NEVER  # since when the probability is under `exit`
    snoozed_until_s: int = 0
    feedback: str = ""  # what the team said since the last revision: acknowledged, snoozed, closed
    by_team: bool = False  # ended by the team, not by itself
    by_rules: bool = False  # a change of policy or model has moved it since, and nobody was told yet
    outcome: str = ""  # how the team says that it ended
    win_back: bool = False  # about winning back one who has left
    held_out: bool = False  # of the control group: logged, not delivered
    ruled_by: float = 0.0  # how far changes of rules alone have moved the probability since the last revision
    lot: int = 0  # which control group had been drawn when an alert last opened (detectors.hold_out)


V = TypeVar("V")
D = TypeVar("D")
_part = dict.get


class Parts(dict[int, V]):
    """Kind → what is kept of it, each as it was stored until it is asked for, and stored as it was if it never is."""

    __slots__ = ()
    decode: ClassVar[Any]  # bytes as stored → what is kept of a kind

    @overload
    def get(self, kind: int, default: None = None, /) -> V | None: ...
    @overload
    def get(self, kind: int, default: D, /) -> V | D: ...
    def get(self, kind: int, default: Any = None, /) -> Any:
        """What is kept of a kind."""
        part = _part(self, kind, default)
        if part.__class__ is msgspec.Raw:
            part = self[kind] = self.decode(part)
        return part

    def __getitem__(self, kind: int) -> V:
        part: Any = dict.__getitem__(self, kind)
        if part.__class__ is msgspec.Raw:
            part = self[kind] = self.decode(part)
        return cast(V, part)

    def setdefault(self, kind: int, default: V, /) -> V:
        """What is kept of a kind, from now on `default` where there is nothing."""
        return self[kind] if kind in self else dict.setdefault(self, kind, default)

    def items(self) -> ItemsView[int, V]:  # type: ignore[override]
        """All of them."""
        return self.opened().items()

    def values(self) -> ValuesView[V]:  # type: ignore[override]
        """All of them."""
        return self.opened().values()

    def opened(self) -> dict[int, V]:
        """All of them, as a dict."""
        return {kind: self[kind] for kind in self}

    def __eq__(self, other: object) -> bool:
        return self.opened() == (other.opened() if isinstance(other, Parts) else other)

    __hash__ = None


class Hours(Parts[dict[int, int]]):
    """Counter → hour → count."""

    __slots__ = ()
    decode = msgspec.msgpack.Decoder(dict[int, int]).decode


class Points(Parts[list[Point]]):
    """Kind → the newest events of it, in order of time."""

    __slots__ = ()
    decode = msgspec.msgpack.Decoder(list[Point]).decode


class Cases(Parts[dict[str, Case]]):
    """Kind → name → case."""

    __slots__ = ()
    decode = msgspec.msgpack.Decoder(dict[str, Case]).decode


class Stored(msgspec.Struct, array_like=True, gc=False):
    """What is remembered event by event, case by case and hour by hour, as it is stored."""

    points: dict[int, msgspec.Raw] = {}
    cases: dict[int, msgspec.Raw] = {}
    hours: dict[int, msgspec.Raw] = {}


class Kept(msgspec.Struct, array_like=True, gc=False):
    """The same, each kind of it decoded once it is asked for."""

    points: Points = msgspec.field(default_factory=Points)
    cases: Cases = msgspec.field(default_factory=Cases)
    hours: Hours = msgspec.field(default_factory=Hours)


_decode_stored = msgspec.msgpack.Decoder(Stored).decode


class Customer(msgspec.Struct, array_like=True, gc=False):
    """The state of one customer. Fields are only ever appended: the order is the stored format."""

    # What every event reads and writes, side by side.
    fence: int = 0  # last applied journal offset + 1
    stale: int = 0  # bit per signal to be read again
    last_s: int = 0  # latest event
    active_s: int = 0  # the latest activity, its event, and the usual gap between active days
    active_id: str = ""
    ring: bytes = b""
    days: dict[int, bytes] = {}  # counter → its counts by day (detectors.counts)
    gap_s: int = 0  # 0 while too few gaps are known
    first_s: int = 0  # earliest event
    kept: msgspec.Raw = msgspec.field(default_factory=Kept)  # type: ignore[assignment] # a Kept once asked for
    # The assessment's own marks, and what was said last.
    known: int = 0  # bit per signal that has seen its inputs
    strengths: dict[int, float] = {}  # signal number → strength above 0
    dues: dict[int, int] = {}  # signal number → when it changes without an event
    due_s: int = NEVER
    probability: float = -1.0
    scored: float = -1.0  # probability and level of the last score row
    scored_level: str = ""
    alert: AlertState | None = None
    alerts: int = 0  # opened so far
    # What is said once or now and then.
    first_offset: int = 0
    trace: str = ""  # traceparent of the newest event that had one
    subscribed_s: int = 0  # the latest start or return
    churned_s: int = 0
    voluntary: int = 1
    lead_s: int = 0
    trial_s: int = 0
    started_s: int = 0  # first purchase
    plan: str = ""
    plan_s: int = 0
    currency: str = ""
    contract_s: int = 0  # when the contract's end was last said
    contract_ends_s: int = 0
    auto_renew_off_s: int = 0
    channel: str = ""
    given_s: int = 0  # the last contact that gave the customer something
    heard: int = 0  # bit per input of groups A to C that was ever heard of (detectors.kinds)
    spoke_s: int = 0  # when somebody of the business last spoke with the customer
    # Groups D to L: use, benefits and errors by day (detectors.used_days says how masks are read).
    used_day: int = 0  # the newest day of use
    used: int = 0  # mask of the days of use
    first_used_day: int = 0
    feature_names: str = ""  # each after a line break, one at the end; and the days each was used on
    feature_days: bytes = b""
    news: dict[str, int] = {}  # feature → the day it was released
    benefit_s: int = 0  # the latest benefit
    error_days: dict[int, int] = {}  # day → its first and last second with an error, packed
    # What a change of policy or model leaves behind.
    ruled: int = 0  # since which record decides what it was last looked at with (detectors.rules)
    unsaid: float = -1.0  # the probability that a change of rules alone made, while that is no news (detectors.news)
    stage: str = ""  # of life, as last read; kept where weights depend on it (detectors.weights)
    ordered_s: int = 0  # the latest order
    left_s: int = 0  # since when the customer is gone, as far as that was found; 0 of one who is there
    farewell: bytes = b""  # what was known when it left (detectors.leaving)
    win_back_s: int = 0  # after which leaving an alert about winning it back was opened
    contacted_s: int = 0  # the team's latest contact, by which playbook, and by whom
    contacted: str = ""
    contacted_by: str = ""
    held_s: int = 0  # since when an alert waits for the budget
    # What is true of many at once.
    active_in: int = 0  # bit per feed by which its activity came (detectors.feeds)
    rose: dict[int, int] = {}  # kind of common cause → when a signal of it last rose; minus it → the same, of its own
    held: str = ""  # the incident for whose sake an alert is held back
    rest: float = 0.0  # log-odds that a learned model gives for all but the strengths (detectors.learning.rest)
    rest_shares: dict[int, float] = {}  # signal number → the part of it that speaks for that signal
    rest_read: int = 0  # when, by which model

    @property
    def points(self) -> Points:
        """Kind → the newest events of it, in order of time."""
        kept: Any = self.kept
        return (kept if kept.__class__ is Kept else self.opened()).points

    @property
    def cases(self) -> Cases:
        """Kind → name → case."""
        kept: Any = self.kept
        return (kept if kept.__class__ is Kept else self.opened()).cases

    @property
    def hours(self) -> Hours:
        """Counter → hour → count."""
        kept: Any = self.kept
        return (kept if kept.__class__ is Kept else self.opened()).hours

    def opened(self) -> Kept:
        """Points, cases and hours, decoded so far that each kind of them can be asked for."""
        kept: Any = self.kept
        if kept.__class__ is not Kept:
            stored: Any = _decode_stored(kept)
            kept = Kept(Points(stored.points), Cases(stored.cases), Hours(stored.hours))
            self.kept = kept
        return cast(Kept, kept)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Customer).decode


def dump(c: Customer) -> bytes:
    """State bytes of a customer.

    >>> state = dump(Customer(fence=7))
    >>> dump(load(state)) == state
    True
    """
    return HEADER.pack(c.fence, c.due_s, VERSION, WAITING if c.stale else 0) + _encode(c)


def load(state: bytes) -> Customer:
    """The customer of state bytes; raises ValueError for a version this code does not know."""
    if state[16] != VERSION:
        raise ValueError(f"state version {state[16]} is not {VERSION}")
    return _decode(memoryview(state)[HEADER.size :])


def read_header(state: bytes) -> tuple[int, int, bool]:
    """Fence, deadline (seconds) and whether an event waits for an assessment, without decoding the rest."""
    fence, due_s, _, flags = HEADER.unpack_from(state)
    return fence, due_s, bool(flags & WAITING)


def is_in_ring(ring: bytes, digest: bytes) -> bool:
    """Whether a digest stands in a ring, at a place where one begins.

    >>> is_in_ring(b"abcdefghij", b"fghij"), is_in_ring(b"abcdefghij", b"cdefg")
    (True, False)
    """
    at = ring.find(digest)
    while at >= 0 and at % DIGEST_BYTES:
        at = ring.find(digest, at + 1)
    return at >= 0


def count_day(c: Customer, counter: int, time_s: int, by: int = 1) -> bool:
    """Add to a counter's day; true when that day is new to it."""
    c.days[counter], new = add(c.days.get(counter, b""), time_s // DAY_S, by, DAYS_KEPT[counter])
    return new


def count_hour(c: Customer, counter: int, time_s: int, by: int = 1) -> None:
    """Add to a counter's hour."""
    hour = time_s // HOUR_S
    hours = c.hours.setdefault(counter, {})
    hours[hour] = hours.get(hour, 0) + by
    if len(hours) > 1:
        oldest = max(hours) - HOURS_KEPT
        for old in [h for h in hours if h < oldest]:
            del hours[old]


def note(
    c: Customer, kind: int, time_s: int, value: int, event_id: str, label: str = "", *, keep: int = MAX_POINTS
) -> None:
    """Keep an event by itself; of each kind the newest are kept, in order of time."""
    points = c.points.get(kind)
    if points is None:
        points = c.points[kind] = []
    insort(points, Point(time_s, value, event_id, label))
    if len(points) > keep:
        del points[0]


def case_of(c: Customer, kind: int, key: str) -> Case:
    """The case of that name, made when it is new; of each kind the ones last heard of are kept, open ones longest."""
    cases = c.cases.setdefault(kind, {})
    case = cases.get(key)
    if case is None:
        if len(cases) >= MAX_CASES:
            del cases[min(cases, key=lambda k: (cases[k].is_open, cases[k].last_s, k))]
        case = cases[key] = Case()
    return case


def open_case(case: Case, time_s: int, event_id: str) -> bool:
    """Mark a case as opened, true if it is the earliest opening: only that one describes the case."""
    if case.opened_s and (time_s, event_id) > (case.opened_s, case.event_id):
        return False
    case.opened_s, case.event_id = time_s, event_id
    return True


def close_case(case: Case, time_s: int, outcome: int) -> None:
    """Mark a case as closed; the newest closing wins."""
    if (time_s, outcome) > (case.closed_s, case.outcome):
        case.closed_s, case.outcome = time_s, outcome


def close_named(c: Customer, kind: int, key: str, time_s: int, outcome: int) -> None:
    """Close a case that is mostly good news: remembered whole only if it was trouble before.

    The newest few are kept by name as well, for the trouble that is reported late.
    """
    note(c, CLOSED, time_s, outcome, "", f"{kind}:{key}", keep=2)
    case = c.cases.get(kind, {}).get(key)
    if case is not None:
        close_case(case, time_s, outcome)


def troubled_case(c: Customer, kind: int, key: str) -> Case:
    """The case of that name, with the closing that came before its opening did."""
    case = case_of(c, kind, key)
    name = f"{kind}:{key}"
    for point in c.points.get(CLOSED, ()):
        if point.label == name:
            close_case(case, point.time_s, point.value)
    return case
