"""What goes wrong on the way: duplicates, late and reordered events, broken records for each reason, stray feedback.

`with_faults` adds and delays and takes nothing away: every sound event still arrives, so the truth about the customers
stays what it was. Only a silence, which is asked for by name, swallows events. `detector_failed` is not among the
reasons here: no input is meant to bring that about.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from schemas.events import TOPIC_OF_TYPE
from streams.simulation.dice import Dice
from streams.simulation.wire import Emission

Break = Callable[[dict[str, object]], bytes]
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class FaultRates:
    """How often each fault comes, as a share of all events; delays are counted in events that overtake."""

    duplicate: float = 0.01
    late: float = 0.005
    reordered: float = 0.02
    broken: float = 0.002
    stray: float = 0.0005
    late_by: tuple[int, int] = (200, 4_000)
    reordered_by: tuple[int, int] = (1, 20)
    duplicate_after: tuple[int, int] = (1, 1_000)


def _cut_off(event: dict[str, object]) -> bytes:
    return _encode(event)[:-12]


def _not_utf8(event: dict[str, object]) -> bytes:
    return _encode(event).replace(b'"subject":"', b'"subject":"\xff\xfe', 1)


def _bare_list(event: dict[str, object]) -> bytes:
    return _encode([event["type"], event["subject"]])


def _without_envelope(event: dict[str, object]) -> bytes:
    return _encode(event["data"])


def _unknown_type(event: dict[str, object]) -> bytes:
    kind = str(event["type"]).split(".")[0]
    return _encode({**event, "type": f"{kind}.spaceship.launched"})


def _without_subject(event: dict[str, object]) -> bytes:
    return _encode({name: value for name, value in event.items() if name != "subject"})


def _without_data(event: dict[str, object]) -> bytes:
    return _encode({**event, "type": "billing.plan.changed", "data": {"old_plan": "plus"}})


def _wrong_field(event: dict[str, object]) -> bytes:
    return _encode({**event, "type": "usage.session.ended", "data": {"duration_s": "a while"}})


def _negative_amount(event: dict[str, object]) -> bytes:
    return _encode({**event, "type": "billing.refund.issued", "data": {"amount": -5.0}})


def _six_stars(event: dict[str, object]) -> bytes:
    return _encode({**event, "type": "support.ticket.rated", "data": {"ticket_id": "T-0", "csat": 6}})


def _next_century(event: dict[str, object]) -> bytes:
    text = str(event["time"])
    return _encode({**event, "time": str(int(text[:4]) + 100) + text[4:].replace("-02-29", "-02-28")})


def _huge(event: dict[str, object]) -> bytes:
    return _encode({**event, "padding": "x" * 300_000})


BROKEN: Final[tuple[tuple[str, Break], ...]] = (
    ("not_json", _cut_off),
    ("not_an_event", _bare_list),
    ("unknown_type", _unknown_type),
    ("wrong_shape", _wrong_field),
    ("out_of_range", _negative_amount),
    ("from_the_future", _next_century),
    ("too_large", _huge),
    ("not_json", _not_utf8),
    ("not_an_event", _without_envelope),
    ("not_an_event", _without_subject),
    ("wrong_shape", _without_data),
    ("out_of_range", _six_stars),
)
"""The dead-letter reason, and how an event is broken so that it gets it; taken in turn, the huge one only once."""


STRAYS: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("retention.alert.acknowledged", {"by": "amira"}),
    ("retention.alert.snoozed", {"by": "jonas", "until": "2100-01-01T00:00:00Z"}),
    ("retention.alert.resolved", {"by": "wen", "outcome": "no_risk"}),
)
"""Feedback about an alert that nobody raised: sound by its contract, and refused by the detector."""


def with_faults(emissions: Iterator[Emission], dice: Dice, rates: FaultRates | None = None) -> Iterator[Emission]:
    """The same emissions with faults among them; which ones is fixed by the dice."""
    share = rates or FaultRates()
    held: list[tuple[int, int, Emission]] = []
    broken = stray = 0
    for index, sound in enumerate(emissions):
        while held and held[0][0] <= index:
            yield heapq.heappop(held)[2]
        if dice.chance(share.broken) or index == 2 * broken + 1 < 2 * len(BROKEN):
            yield broken_copy(sound, broken)
            broken += 1
        if dice.chance(share.stray) or index == 100 * (stray + 1) <= 100 * len(STRAYS):
            yield stray_feedback(sound, stray)
            stray += 1
        if dice.chance(share.duplicate):
            heapq.heappush(held, (index + dice.whole(*share.duplicate_after), index * 2, sound))
        if dice.chance(share.late):
            heapq.heappush(held, (index + dice.whole(*share.late_by), index * 2 + 1, sound))
        elif dice.chance(share.reordered):
            heapq.heappush(held, (index + dice.whole(*share.reordered_by), index * 2 + 1, sound))
        else:
            yield sound
    while held:
        yield heapq.heappop(held)[2]


@dataclass(frozen=True, slots=True)
class Silence:
    """A topic on which nothing arrives from one time to another, in seconds since the Unix epoch."""

    topic: str
    start_s: float
    end_s: float


def without_silent(emissions: Iterator[Emission], silences: Sequence[Silence]) -> Iterator[Emission]:
    """The emissions without those that a silent feed swallows: what happened meanwhile is never told."""
    for one in emissions:
        if not any(each.topic == one.topic and each.start_s <= one.time_s < each.end_s for each in silences):
            yield one


def broken_copy(sound: Emission, number: int) -> Emission:
    """A broken copy of an emission under an id of its own, by the `number`-th way of BROKEN."""
    ways = BROKEN if number < len(BROKEN) else [way for way in BROKEN if way[0] != "too_large"]
    _reason, break_it = ways[number % len(ways)]
    event: dict[str, object] = msgspec.json.decode(sound.value)
    event["id"] = f"{event['id']}-broken-{number}"
    return sound._replace(value=break_it(event))


def stray_feedback(sound: Emission, number: int) -> Emission:
    """Feedback about the same customer and an alert that nobody raised, of the `number`-th kind of STRAYS."""
    name, data = STRAYS[number % len(STRAYS)]
    event: dict[str, object] = msgspec.json.decode(sound.value)
    event |= {"id": f"{event['id']}-stray-{number}", "type": name, "data": {"alert_id": f"nobody's-{number}", **data}}
    return Emission(sound.time_s, TOPIC_OF_TYPE[name], sound.customer_id, _encode(event))
