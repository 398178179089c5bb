"""The fold of one journal partition: `(state, record) → (state, decisions)`, and the only file that knows the order.

Rules:
* what a record does follows from the records before it alone: not from fetches, nor speed, nor where a process died;
* customers are assessed at ticks, those touched since the last one and those whose deadline passed, in order of their
  key; at once only after event types that the policy marks urgent; more of the same touches few;
* nothing leaves, and no state bytes change, but in `snapshot`: what happened since can be taken back whole, and is when
  a handler fails. Then it is done again with care (each event on a copy), and what failed becomes a dead letter.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec
from xxhash import xxh3_64_digest

from detectors.abandonment import newest_calls
from detectors.aside import attempt
from detectors.assess import after_the_same
from detectors.budget import give_back, shared_out, used_permille
from detectors.customer import DIGEST_BYTES, NEVER, RING_BYTES, Customer, dump, is_in_ring, load, read_header
from detectors.deadlines import Deadlines, waiting_and_due
from detectors.desk import Desk, Look
from detectors.erasure import GONE, Erasures, mark_key
from detectors.everybody import COUNTED, USE, USE_EVERY_S, Everybody
from detectors.history import HANDLERS, RefusedError
from detectors.history.routes import Handler
from detectors.learning.examples import WATCHES, Ledger
from detectors.learning.space import Answers
from detectors.model import Model
from detectors.policy import Policy
from detectors.records import Outbox, Record, Snapshot
from detectors.refusals import Refusals
from detectors.rules import RESERVED, RULES_KEY, RefusedRulesError, Rules
from detectors.sources import Seeds
from detectors.world import load_world, store_world
from schemas.deadletters import Reason
from schemas.events import TYPE_OF, Event, decode_event
from schemas.journal import FeedHeard, IncidentDeclared, ModelChanged, PolicyChanged, Tick, decode_control
from schemas.retention import ErasureRequested

D = TypeVar("D")
PARTITION_KEY = b""  # no customer has it: ids are not empty
OTHER = 1  # the bit that says "touched" where no signal depends on the event


class PoisonedError(Exception):
    """A handler failed on a record that was not expected to fail."""


class Partition:
    """One journal partition's customers; `states` is the store's own dict, changed only in `snapshot`."""

    def __init__(
        self,
        number: int,
        states: dict[bytes, bytes],
        policy: Policy,
        model: Model,
        *,
        max_hot: int = 50_000,
        journal: str = "churn.journal",
        app_version: str = "0",
        handlers: Mapping[type, Handler[Any]] = HANDLERS,
        examples: bool = False,
    ) -> None:
        self.number, self.states, self.max_hot = number, states, max_hot
        self.handlers, self.writes_examples = handlers, examples
        self.stats: Counter[str] = Counter()
        self.refusals = Refusals(journal, number, app_version, self.stats)
        self._stats_before: Counter[str] = Counter()
        self._fed: list[Sequence[Record]] = []
        self._careful = False
        self._seeds = Seeds()
        self.rules = Rules(policy, model)
        self._rewind()

    def _decide_by_rules(self) -> None:
        """Read customers with the policy and the model in force from here on."""
        self.assessor = self.rules.assessor
        self.desk = Desk(self.number, self.rules, self.stats)
        self.answers = Answers(self.assessor.model, self.assessor.weights)
        self.ledger.policy = self.erased.policy = self.assessor.policy
        self.everybody = Everybody(self.number, self.assessor.policy)
        masks, bits, urgent = self.assessor.masks, self.assessor.bits, set(self.assessor.policy.urgent)
        self.routes = {
            kind: (handler, masks[kind] | OTHER, bits[kind], TYPE_OF[kind] in urgent, COUNTED.get(TYPE_OF[kind], 0))
            for kind, handler in self.handlers.items()
        }

    def feed(self, records: Sequence[Record]) -> None:
        """Apply records in order of their offsets. Never raises for what a record says."""
        self._fed.append(records)
        try:
            self._run(records)
        except PoisonedError:
            self._again()

    def _again(self) -> None:
        """Take back what happened since the last snapshot, and do it again with care."""
        self._careful = True
        self._rewind()
        for records in self._fed:
            self._run(records)

    def _rewind(self) -> None:
        """Be as the state bytes say: at the start, and when what happened since must be taken back."""
        self.hot: dict[bytes, Customer] = {}
        self.dirty: dict[bytes, Customer | None] = {}
        self.touched, dues = waiting_and_due(self.states)
        self.out = Outbox()
        self.stats.clear()
        self.stats.update(self._stats_before)
        self.position, self.world = load_world(self.states.get(PARTITION_KEY))
        self.rules.load(self.states.get(RULES_KEY), self.position)
        self.ledger = Ledger(self.states, self.rules.assessor.policy)
        self.erased = Erasures(self.states, self.rules.assessor.policy)
        self._decide_by_rules()
        self.deadlines = Deadlines(dues)

    def _load(self, key: bytes) -> Customer:
        """The live customer of a key, read from its bytes or new."""
        c = self.hot.get(key)
        if c is None:
            state = self.states.get(key) if self.dirty.get(key, True) is not None else None
            c = self.hot[key] = load(state) if state is not None else self.erased.newcomer(key)
        return c

    def _stored(self, key: bytes, r: Record) -> Customer | None:
        """The same for a record; None, and a dead letter, where this code cannot read what is stored."""
        try:
            return self._load(key)
        except Exception as error:
            self._failed(r, error)
            return None

    def _run(self, records: Sequence[Record]) -> None:
        hot, dirty, touched, routes, seeds = self.hot, self.dirty, self.touched, self.routes, self._seeds  # bound once
        digest_of, careful, world, position = xxh3_64_digest, self._careful, self.world, self.position
        for r in records:
            offset, key = r.offset, r.key
            if offset < position:
                self.stats["fence_skips"] += 1
                continue
            position = offset + 1
            if not key or key >= RESERVED:
                self._control(r)
                routes = self.routes
                continue
            try:
                event = decode_event(r.value)  # type: ignore[arg-type]
                time_s = int(event.time.timestamp())
            except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
                self._refuse(r, "not_an_event", "$: not an event of the contract")
                continue
            if (kind := event.data.__class__) is ErasureRequested:
                self._erase(key, event, r)
                continue
            handler, mask, bits, urgent, counted = routes[kind]
            if (c := hot.get(key) or self._stored(key, r)) is None:
                continue
            if offset < c.fence or time_s < c.first_s:
                if (c := self.erased.admitted(key, c, offset, time_s, self.stats)) is None:
                    continue
                hot[key] = c
            digest, ring = digest_of(event.id.encode(), seeds[event.source])[:DIGEST_BYTES], c.ring
            if digest in ring and is_in_ring(ring, digest):
                self.refusals.again(kind)
                continue
            try:
                if careful:
                    c = load(dump(c))
                same = handler(c, event.data, time_s, event.id)
                if careful:
                    dump(c)
            except RefusedError as refused:
                self._refuse(r, refused.reason, refused.detail)
                continue
            except Exception as error:
                self._failed(r, error)
                continue
            if not c.fence:
                c.first_offset, c.first_s, c.last_s = offset, time_s, time_s
            c.ring = ring + digest if len(ring) < RING_BYTES else ring[DIGEST_BYTES:] + digest
            c.fence = position
            dirty[key] = c
            if same:
                mask = after_the_same(c, mask, bits, time_s, world.now_s)
            if mask and not c.stale:
                touched.add(key)
            if careful:
                hot[key] = c
            c.stale |= mask
            if time_s > c.last_s:
                c.last_s = time_s
            elif time_s < c.first_s:
                c.first_s = time_s
            if event.traceparent is not None and time_s >= c.last_s:
                c.trace = event.traceparent
            if counted and (counted != USE or time_s > world.usage_s + USE_EVERY_S):
                self._aside(r, partial(self.everybody.count, world, event.data, time_s))
            if urgent:
                self._look_at((key,), max(world.now_s, time_s), r)
                touched.discard(key)
        self.position = position
        self.stats["records"] += len(records)

    def _control(self, r: Record) -> None:
        """Apply a record that is nobody's event."""
        try:
            control = decode_control(r.value)  # type: ignore[arg-type]
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
            self._refuse(r, "not_an_event", "$: not a control record")
            return
        if isinstance(control, Tick):
            self._tick(r, int(control.time_s))
        elif isinstance(control, FeedHeard):
            self._aside(r, partial(self.everybody.hear, self.world, control.data.topic, int(control.time.timestamp())))
        elif isinstance(control, IncidentDeclared):
            self._aside(r, partial(self.desk.incidents.heard, self.world, control.data, self.out, self.world.now_s))
        elif isinstance(control, PolicyChanged | ModelChanged):
            self._take_up(control, r)

    def _aside(self, r: Record, step: Callable[[], None]) -> None:
        """Take a step that is no customer's own, or refuse the record that it failed at."""
        if (error := attempt(step, self.world, self.out, careful=self._careful)) is not None:
            self._failed(r, error)

    def _take_up(self, control: PolicyChanged | ModelChanged, r: Record) -> None:
        """Decide by another policy or model from this record on; customers are looked at when it is their turn."""
        try:
            if self.rules.take_up(control, r.offset + 1):
                self.stats["rules_changed"] += 1
                self._decide_by_rules()
        except RefusedRulesError as refused:
            self._refuse(r, "wrong_shape", str(refused))

    def _tick(self, r: Record, now_s: int) -> None:
        """Look at whoever was touched since the last tick, and at whoever is due."""
        self.stats["ticks"] += 1
        self.world.now_s = now_s = max(now_s, self.world.now_s)
        due = sorted(self.touched | self.deadlines.pop(now_s, self._due_of))
        customers = bisect_left(due, RESERVED)
        self._look_at(due[:customers], now_s, r)
        self.touched.clear()
        for key in due[customers:]:
            self._wake(key, now_s, r) if key.startswith(WATCHES) else self.erased.wake(key)
        for step in (self.desk.incidents.tick, self.everybody.tick):
            self._aside(r, partial(step, self.world, self.out, now_s))
        self.stats["budget_used_permille"] = used_permille(self.world.purse, now_s, self.assessor.policy.budget)

    def _wake(self, key: bytes, now_s: int, r: Record) -> None:
        """Write down a landmark of a customer, and hand on what has matured."""
        customer = key[len(WATCHES) :]
        try:
            self.ledger.wake(customer, self._load(customer), self.world, now_s, self.answers, self.out)
        except Exception as error:
            self._failed(r, error)
            self.ledger.forget(customer)
        self.deadlines.move(key, now_s, self.ledger.due_of(key), now_s)

    def _due_of(self, key: bytes) -> int:
        """When a customer, or what is written down of it, is due, as its state says now."""
        if key >= RESERVED:
            return self.ledger.due_of(key) if key.startswith(WATCHES) else self.erased.due_of(key)
        c = self.hot.get(key)
        if c is not None:
            return c.due_s
        state = self.states.get(key) if self.dirty.get(key, True) is not None else None
        return read_header(state)[1] if state is not None else NEVER

    def _look_at(self, keys: Iterable[bytes], now_s: int, r: Record) -> None:
        """Assess customers at one moment: all are read, those with news decided on, those who ask share the budget."""
        self._aside(r, partial(self.everybody.begin, self.world))
        desk, out = self.desk, self.out
        desk.sit_down(self.world, now_s)
        looks = [look for key in keys if (look := self._read(key, r)) is not None]
        if desk.rose:
            self._aside(r, partial(desk.incidents.find, self.world, now_s))
        decided = [(look, self._finish(look, r, partial(desk.decide, look, r.offset, out))) for look in looks]
        asking = [(asks[0], (look, *asks)) for look, asks in decided if asks is not None]
        purse = self.world.purse
        for (look, place, by), until_s in shared_out(asking, purse, now_s, self.assessor.policy):
            if until_s is not None:
                self._finish(look, r, partial(desk.hold, look, until_s, out))
            elif not self._finish(look, r, partial(desk.open, look, r.offset, out, by)):
                give_back(purse, place)
        if desk.opened and self.writes_examples:
            self._aside(r, partial(self.ledger.follow, desk.opened, self._load, self.deadlines, now_s))

    def _read(self, key: bytes, r: Record) -> Look | None:
        """Read one customer, on a copy where care is taken; None where there is nothing to decide, or that failed."""
        if (before := self.hot.get(key) or self._stored(key, r)) is None:
            return None
        if before.probability < 0.0:
            self.world.purse.customers += 1
            if self.writes_examples:
                self.ledger.meet(key, self.world, self.world.now_s, self.deadlines)
        try:
            look = self.desk.read(key, before, load(dump(before)) if self._careful else before)
        except Exception as error:
            self._failed(r, error)
            self._put_off(key, before)
            return None
        if self.desk.has_news(look):
            return look
        # Nothing about whoever is as it was depends on the others, so it is done with while it is at hand.
        self._finish(look, r, partial(self.desk.put_away, look, self.out))
        return None

    def _finish(self, look: Look, r: Record, step: Callable[[], D]) -> D | None:
        """Take a step with a customer that was read, and keep what became of it; where that fails, it is put off."""
        key, before, c = look.key, look.before, look.customer
        due_s = before.due_s
        mark = self.out.mark() if self._careful else {}
        try:
            done = step()
        except Exception as error:
            if self._careful:
                self.out.undo(mark)
            self._failed(r, error)
            self._put_off(key, before)
            return None
        self.deadlines.move(key, due_s, c.due_s, self.desk.moment.now_s)
        self.hot[key] = self.dirty[key] = c
        return done

    def _put_off(self, key: bytes, c: Customer) -> None:
        """After a look that failed the customer stays as it was, and waits for its next event."""
        self.world.purse.customers -= c.probability < 0.0  # counted when it was read, and will be again
        c.stale, c.due_s = 0, NEVER
        c.dues.clear()
        self.hot[key] = self.dirty[key] = c

    def _erase(self, key: bytes, event: Event, r: Record) -> None:
        """Forget a customer: its open alert ends, its rows in the compacted topics go, and a receipt says so."""
        if self.erased.is_known(key, event):
            self.refusals.again(ErasureRequested)
            return
        c = self._stored(key, r) or Customer(fence=1, probability=0.0)  # what cannot be read is forgotten all the same
        if ended := c.alert is not None and c.alert.status != "resolved":
            try:
                self.desk.end(key, c, self.world, r.offset, self.out)
            except Exception as error:
                self._failed(r, error)
        self.world.purse.customers -= c.probability >= 0.0
        self.desk.incidents.forget(self.world, c)
        self.hot.pop(key, None)
        self.touched.discard(key)
        self.dirty[key] = None
        self.ledger.forget(key)
        as_of_s = max(self.world.now_s, r.timestamp // 1_000)
        until_s = self.erased.note(key, event, as_of_s, self.out, found=0 < c.fence < GONE, ended=ended)
        self.deadlines.move(mark_key(key), NEVER, until_s, self.world.now_s)
        self.stats["erased"] += 1

    def calls(self) -> dict[str, tuple[int, int]]:
        """Calls, and those given up, in the newest whole `hour` and `day`."""
        return newest_calls(self.world)

    def _refuse(self, r: Record, reason: Reason, detail: str) -> None:
        """Hand a record on as a dead letter, as it came."""
        self.refusals.write(r, reason, detail, self.out)

    def _failed(self, r: Record, error: Exception) -> None:
        """A fault of this code: take back what is not certain, and do it again with care; then it is a dead letter."""
        if not self._careful:
            raise PoisonedError from error
        self._refuse(r, "detector_failed", f"$: {type(error).__name__} in the detector")

    def snapshot(self) -> Snapshot:
        """Everything since the last snapshot, to be stored and sent together or not at all."""
        try:
            states = [(key, None if c is None else dump(c)) for key, c in self.dirty.items()]
        except Exception:
            if self._careful:
                raise
            self._again()
            return self.snapshot()
        states += [*self.ledger.dirty.items(), *self.erased.dirty.items()]
        states.append((PARTITION_KEY, store_world(self.world, self.position)))
        if self.states.get(RULES_KEY) != self.rules.stored:
            states.append((RULES_KEY, self.rules.stored))
        for key, state in states:
            if state is None:
                self.states.pop(key, None)
            else:
                self.states[key] = state
        taken = Snapshot(states, self.out.writes)
        self.out, self._fed, self._careful = Outbox(), [], False
        for dirty in (self.dirty, self.ledger.dirty, self.erased.dirty):
            dirty.clear()
        self._stats_before = self.stats.copy()
        if len(self.hot) > self.max_hot:
            self.hot.clear()
        return taken
