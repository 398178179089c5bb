"""What the customers of a stream have behind them when it begins: states filled by half a year of events.

A few hundred different lives are led through the real fold, with a tick a day; each customer then has the state of one
of them. A fresh state would flatter every engine: it is small, and has no deadlines.
"""

from __future__ import annotations

import random
from heapq import merge

from benchmarks.events import SEED, START_S, Cast, Record, customer_id, encode, rfc3339
from detectors.customer import DAY_S, dump, load
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.rules import is_customer
from schemas.journal import encode_tick

LIVES = 500
DAYS = 180
DEFAULT = Policy()
FENCE = 1  # every state stands before journal offset 1


def life(number: int, rng: random.Random) -> list[tuple[float, str, str]]:
    """(time in epoch seconds, event type, data as JSON text) of one customer's half year, in order of time."""
    cast = Cast(rng)
    activity = rng.betavariate(1.5, 2.5)  # share of the days with any use
    began_s = START_S - DAYS * DAY_S + int(rng.random() * DAY_S)
    ends_s = START_S + rng.randrange(90, 360) * DAY_S
    plan, mrr = rng.choice((("basic", 29), ("team", 49), ("business", 149)))
    contract = f'{{"plan":"{plan}","mrr":{mrr},"contract_ends_at":"{rfc3339(ends_s)}"}}'
    found = [(float(began_s), "billing.subscription.started", contract)]
    for day in range(1, DAYS):
        at_s = began_s + day * DAY_S
        todo = []
        if rng.random() < activity:
            todo += ["session", *["feature"] * rng.randrange(1, 4), "session"]
            if rng.random() < 0.1:
                todo.append("error")
        if day % 30 == 0:
            todo += ["invoice", "invoice", "quota"]
            if rng.random() < 0.4:
                todo += ["ticket", "ticket", "ticket"]
            if rng.random() < 0.3:
                todo.append(rng.choice(("offer", "call", "contact", "survey")))
        times = sorted(rng.random() * DAY_S / 2 for _ in todo)
        found += [(at_s + second, *cast.next(number, what)) for second, what in zip(times, todo, strict=True)]
    return [each for each in found if each[0] < START_S]


def told(number: int, rng: random.Random) -> list[tuple[float, int, int, str, str]]:
    """A life as (time, customer, step, event type, data), so that lives can be merged."""
    return [(at_s, number, step, kind, data) for step, (at_s, kind, data) in enumerate(life(number, rng))]


def history(lives: int = LIVES, seed: int = SEED) -> list[Record]:
    """The records of lives led side by side, with a tick a day."""
    records: list[Record] = []
    tick_s = START_S - DAYS * DAY_S
    for at_s, who, step, kind, data in merge(*(told(who, random.Random(seed + who)) for who in range(lives))):
        while at_s >= tick_s:
            records.append(Record(len(records), None, encode_tick(tick_s)))
            tick_s += DAY_S
        subject = customer_id(who)
        value = encode(kind, f"h{who:05d}{step:06d}", subject, rfc3339(at_s), data)
        records.append(Record(len(records), subject.encode(), value))
    return [*records, Record(len(records), None, encode_tick(START_S))]


def lived_states(lives: int = LIVES, seed: int = SEED, policy: Policy = DEFAULT) -> list[bytes]:
    """State bytes of customers who have lived; each has read the journal up to offset FENCE."""
    fold = Partition(0, {}, policy, Model.prior(policy))
    fold.feed(history(lives, seed))
    fold.snapshot()
    states = []
    for key, state in sorted(fold.states.items()):
        if is_customer(key):
            customer = load(state)
            customer.fence, customer.first_offset = FENCE, 0
            states.append(dump(customer))
    return states


def states_of(customers: int, lived: list[bytes]) -> dict[bytes, bytes]:
    """A state for every customer of a stream, each in memory of its own."""
    return {customer_id(number).encode(): bytes(bytearray(lived[number % len(lived)])) for number in range(customers)}
