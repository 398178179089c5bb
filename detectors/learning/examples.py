"""Examples with delayed labels: what was known of a customer at a landmark, and what became of it.

Rules:
* a landmark falls every `landmark_days`, on a day of the customer's own, so that they spread, and at the end of a day,
  because half a day looks like a bad one; what was true then is frozen then, with the probability that was given;
* an example is labelled once its horizon has passed and never before, so whether a customer left early or late makes
  no difference to when it is learned from; one that is forgotten before that is censored: nobody learns from it;
* who is watched follows from a hash of the customer and from how many there are: the sample is halved whenever it
  has grown beyond `watched_max`, and stays a fair one, early and late customers alike;
* what waits is stored under a key of its own, so that a customer's state does not grow: ids are UTF-8, and the first
  byte of these keys never begins one.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Final

import msgspec
import xxhash
from msgspec import Meta

from detectors.customer import DAY_S, HEADER, NEVER, VERSION, Customer, read_header
from detectors.deadlines import Deadlines
from detectors.feeds import Feeds, lost_s
from detectors.hold_out import lot_of
from detectors.learning.alerted import Opened, Opening, encode_outcome, opened_of, outcome_of
from detectors.learning.labels import has_left
from detectors.learning.lives import Life, Then, life_of, then_of
from detectors.learning.rest import segments
from detectors.learning.space import SPACE, Answers, frozen
from detectors.leaving import buys_only, has_cancelled, only_uses
from detectors.policy import Policy
from detectors.records import EXAMPLES, Outbox
from detectors.rules import RESERVED
from detectors.world import World
from schemas.times import FIRST_TIME_S, LAST_TIME_S

WATCHES: Final = RESERVED + b"\x01"
DIGITS: Final = 6  # of a probability that is written down
PENDING_MAX: Final = 64
ALERTS_MAX: Final = 16  # of a customer within a horizon; more are not followed
LONG_QUIET: Final = 4  # a customer of whom nothing was heard for a horizon is written down once in so many landmarks


# Who learns adds numbers up and makes groups of names: what has no bound, or bears another's name, is no example.
Thousandths = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Segments = Annotated[tuple[Annotated[str, Meta(pattern="^(plan|via):", max_length=80)], ...], Meta(max_length=2)]


class Pending(msgspec.Struct, array_like=True, gc=False):
    """What was true at a landmark."""

    landmark_s: int
    probability: float
    values: dict[int, int]  # coordinate (detectors.learning.space) → thousandths
    segments: list[str]
    weight: int = 1  # landmarks that it stands for
    orders_only: bool = False  # who leaves by ordering nothing
    life: Then | None = None  # where the beginning of its life is known
    by_use: bool = False  # who leaves by doing nothing at all


class Watch(msgspec.Struct, array_like=True, gc=False):
    """What waits for one customer. Fields are only ever appended: the order is the stored format."""

    next_s: int = NEVER  # the next landmark
    space: int = 0  # fingerprint of the coordinates that the values are in
    pending: list[Pending] = []
    alerts: list[Opened] = []  # that wait for their outcome, oldest first


class Example(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A landmark and what became of it; the only thing that is learned from."""

    customer_id: Annotated[str, Meta(min_length=1)]
    landmark_s: Annotated[int, Meta(ge=FIRST_TIME_S, le=LAST_TIME_S)]
    space: Annotated[int, Meta(description="fingerprint of the coordinates that the values are in")]
    probability: Annotated[float, Meta(ge=0, le=1, description="as given then")]
    values: Annotated[dict[int, Thousandths], Meta(description="coordinate → thousandths; those not named are 0")]
    segments: Segments = ()
    weight: Annotated[int, Meta(ge=1, le=64)] = 1
    left: bool
    life: Annotated[Life, Meta(description="up to the next landmark")] | None = None


encode_example: Final = msgspec.json.Encoder().encode
"""An example as compact JSON."""

decode_example: Final = msgspec.json.Decoder(Example).decode
"""Decode an example; raises msgspec's errors for anything else."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Watch).decode


def watch_key(key: bytes) -> bytes:
    """Where what waits for a customer is stored."""
    return WATCHES + key


def dump_watch(watch: Watch, horizon_s: int) -> bytes:
    """State bytes; the deadline in front is the next landmark or the next example to mature, whichever is sooner."""
    first_s = min((waiting[0].landmark_s for waiting in (watch.pending, watch.alerts) if waiting), default=NEVER)
    return HEADER.pack(0, min(watch.next_s, first_s + horizon_s), VERSION, 0) + _encode(watch)


def load_watch(state: bytes) -> Watch:
    """What waits, from its state bytes."""
    return _decode(memoryview(state)[HEADER.size :])


def hash_of(key: bytes) -> int:
    """32 bits that a customer has for good."""
    return xxhash.xxh3_64_intdigest(key, 0x1EA2) & 0xFFFFFFFF


def is_watched(key: bytes, met: int, watched_max: int) -> bool:
    """Whether a customer is in the sample, where `met` customers are known.

    >>> [sum(is_watched(b"%d" % i, 4_000, most) for i in range(4_000)) for most in (4_000, 2_000)]
    [4000, 2069]
    """
    halvings = 0
    while met > watched_max << halvings:
        halvings += 1
    return hash_of(key) < 1 << (32 - halvings) if halvings < 32 else False


def next_landmark_s(key: bytes, after_s: int, every_s: int) -> int:
    """The customer's next landmark after a time.

    >>> next_landmark_s(b"c-1", 1_000_000, 604_800) == next_landmark_s(b"c-1", 1_000_001, 604_800) > 1_000_001
    True
    """
    own_s = hash_of(key) * 2654435761 % max(1, every_s // DAY_S) * DAY_S
    return (after_s - own_s) // every_s * every_s + every_s + own_s


def _life(c: Customer, pending: Pending, watch: Watch, *, left: bool) -> Life | None:
    """What became of a life up to the landmark that was written down next, once a horizon has passed."""
    then = pending.life
    if then is None:
        return None
    if watch.pending:
        next_d = (watch.pending[0].landmark_s - pending.landmark_s) // DAY_S
        then = msgspec.structs.replace(then, exposed_d=min(then.exposed_d, next_d))
    return life_of(c, pending.landmark_s, then, left=left)


class Ledger:
    """What waits for the customers of one partition; `states` is the store's own dict, and only read here."""

    def __init__(self, states: dict[bytes, bytes], policy: Policy) -> None:
        self.states = states
        self.policy = policy
        self.dirty: dict[bytes, bytes | None] = {}

    @property
    def every_s(self) -> int:
        """Seconds from one landmark to the next."""
        return self.policy.churn.landmark_days * DAY_S

    @property
    def horizon_s(self) -> int:
        """Seconds after which it is known what became of a customer."""
        return self.policy.churn.horizon_days * DAY_S

    def _state(self, key: bytes) -> bytes | None:
        return self.dirty[key] if key in self.dirty else self.states.get(key)

    def due_of(self, key: bytes) -> int:
        """When to wake a watch, as it is stored."""
        state = self._state(key)
        return read_header(state)[1] if state is not None else NEVER

    def meet(self, key: bytes, world: World, time_s: int, deadlines: Deadlines) -> None:
        """Watch a customer that is new, if it is in the sample."""
        if self._state(watch_key(key)) is None and is_watched(
            key, world.purse.customers, self.policy.learning.watched_max
        ):
            watch = Watch(next_landmark_s(key, max(world.now_s, time_s), self.every_s), SPACE)
            self.dirty[watch_key(key)] = dump_watch(watch, self.horizon_s)
            deadlines.move(watch_key(key), NEVER, watch.next_s, world.now_s)

    def forget(self, key: bytes) -> None:
        """What waits for a customer is censored."""
        if self._state(watch_key(key)) is not None:
            self.dirty[watch_key(key)] = None

    def follow(
        self, openings: Iterable[Opening], load: Callable[[bytes], Customer], deadlines: Deadlines, now_s: int
    ) -> None:
        """Write down what is true of the customers whose alerts have opened now."""
        for opening in openings:
            c, key = load(opening.key), watch_key(opening.key)
            if c.alert is None or c.alert.alert_id != opening.alert.alert_id:
                continue  # it was taken back
            state, before_s = self._state(key), self.due_of(key)
            watch = load_watch(state) if state is not None else Watch(NEVER, SPACE)
            if len(watch.alerts) < ALERTS_MAX:
                watch.alerts.append(opened_of(opening, c, self.policy, lot_of(self.policy.hold_out)))
            self.dirty[key] = dump_watch(watch, self.horizon_s)
            deadlines.move(key, before_s, self.due_of(key), now_s)

    def wake(self, key: bytes, c: Customer, world: World, now_s: int, answers: Answers, out: Outbox) -> None:
        """Hand on what has matured, and write down a landmark if one is due, with the probability of now."""
        state = self._state(watch_key(key))
        if state is None:
            return
        watch = load_watch(state)
        for example in self._mature(key, watch, c, now_s, world.feeds):
            out.write(EXAMPLES, key, encode_example(example))
        while watch.alerts and watch.alerts[0].landmark_s + self.horizon_s <= now_s:
            opened = watch.alerts.pop(0)
            if not opened.by_use or only_uses(c, self.policy, world.feeds):
                out.write(EXAMPLES, key, encode_outcome(outcome_of(key.decode(), opened, c, self.horizon_s)))
        if watch.space != SPACE:
            watch.space, watch.pending = SPACE, []  # of a program that meant something else: censored
        if watch.next_s <= now_s:
            self._landmark(key, watch, c, world, now_s, answers)
        gone = watch.next_s == NEVER and not watch.pending and not watch.alerts
        self.dirty[watch_key(key)] = None if gone else dump_watch(watch, self.horizon_s)

    def _mature(self, key: bytes, watch: Watch, c: Customer, now_s: int, feeds: Feeds) -> list[Example]:
        matured = []
        while watch.pending and watch.pending[0].landmark_s + self.horizon_s <= now_s:
            pending = watch.pending.pop(0)
            if pending.by_use and not only_uses(c, self.policy, feeds):
                continue  # there is billing after all, and only it says who left: censored
            asked = {"orders_only": pending.orders_only, "by_use": pending.by_use}
            left = has_left(c, pending.landmark_s, self.horizon_s, **asked)
            matured.append(
                Example(
                    customer_id=key.decode(),
                    landmark_s=pending.landmark_s,
                    space=watch.space,
                    probability=pending.probability,
                    values=pending.values,
                    segments=tuple(pending.segments),
                    weight=pending.weight,
                    left=left,
                    life=_life(c, pending, watch, left=left),
                )
            )
        return matured

    def _landmark(self, key: bytes, watch: Watch, c: Customer, world: World, now_s: int, answers: Answers) -> None:
        if not is_watched(key, world.purse.customers, self.policy.learning.watched_max):
            watch.next_s = NEVER
            return
        watch.next_s = next_landmark_s(key, now_s, self.every_s)
        if has_cancelled(c, self.policy.churn) or len(watch.pending) >= PENDING_MAX:
            return
        # Whoever was silent for a horizon changes slowly: one landmark stands for several. Which one is a matter of the
        # calendar: if the others were skipped from there on, whoever comes back next day would count as often as four
        # who do not, and be missed while it is back.
        stands_for = LONG_QUIET if now_s - c.last_s > self.horizon_s else 1
        if (hash_of(key) + now_s // self.every_s) % stands_for:
            return
        quiet, grace_s = (c.active_s, now_s), self.policy.value.feed_grace_s
        lost = lost_s(world.feeds, c.active_in, quiet, now_s, grace_s)
        by_use = only_uses(c, self.policy, world.feeds)
        values, groups = frozen(c, now_s, self.policy, lost, by_use), sorted(segments(c))
        watch.pending.append(
            Pending(
                now_s,
                round(answers.give(values, groups), DIGITS),
                values,
                groups,
                stands_for,
                buys_only(c, self.policy),
                then_of(c, now_s, now_s + self.horizon_s, self.policy, lost, by_use=by_use),
                by_use,
            )
        )
