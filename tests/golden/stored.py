"""What a partition and the learner store, in files that no later release may fail to read.

`python -m tests.golden.stored` writes today's file, `states/v<VERSION>.json`, until a release has gone out with it;
`python -m tests.golden.stored 0.1.0` marks it as released with 0.1.0, and from then on nothing writes it again: who
changes the stored form raises VERSION, teaches `load` the old form, and gets a file of its own.
"""

from __future__ import annotations

import sys
import zlib
from base64 import b64decode, b64encode
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import orjson

from detectors import world
from detectors.budget import Purse
from detectors.customer import DAY_S, VERSION, AlertState, Case, Customer, Point, load
from detectors.feeds import Feed
from detectors.learning.alerted import Opened
from detectors.learning.examples import Pending, Watch, decode_example
from detectors.learning.learner import Learner
from detectors.records import EXAMPLES
from detectors.rules import Ruling, is_customer
from schemas.journal import encode_heard
from tests.detectors.lives import POLICY, START_S, new_policy, partition, records, tick
from tests.golden.stories import STORIES

FOLDER: Final = Path(__file__).parent / "states"
STRUCTS: Final = (
    Customer,
    AlertState,
    Case,
    Point,
    world.World,
    world.Incident,
    Purse,
    Feed,
    Ruling,
    Watch,
    Pending,
    Opened,
)
HORIZON_DAYS: Final = 28  # a policy from the journal is stored too
LEARNED: Final = 3  # examples; what the learner stores grows with them, and its form does not
CUT_DAY: Final = 262.0  # in the middle of the stories: some have an open alert, one has left


class Golden(msgspec.Struct, kw_only=True):
    """One version's file."""

    version: int
    released: str | None  # the first release that stored this
    fields: dict[str, list[str]]  # of each stored struct, in their order
    states: dict[str, str]  # key in hex → bytes in base64
    learner: str  # zlib, in base64
    position: int  # the journal offset that comes next
    customers: dict[str, list[str | int | None]]  # what the states say, in words that outlast their form

    def stored(self) -> dict[bytes, bytes]:
        """The states as a store holds them."""
        return {bytes.fromhex(key): b64decode(state) for key, state in self.states.items()}

    def learned(self) -> bytes:
        """The learner's state."""
        return zlib.decompress(b64decode(self.learner))


def fields_of(kind: type) -> list[str]:
    """The names of a stored struct's fields, in the order in which they are stored."""
    return list(getattr(kind, "_fields", None) or [field.name for field in msgspec.structs.fields(kind)])


def told(c: Customer) -> list[str | int | None]:
    """What every release must find in a customer's state, in whatever form it keeps it."""
    alert = c.alert
    said: list[str | int | None] = [c.first_s, c.last_s, c.started_s, c.churned_s, c.plan, c.alerts, c.fence]
    return said if alert is None else [*said, alert.alert_id, alert.revision, alert.status, alert.opened_s]


def history(day_from: float, day_to: float) -> list[bytes]:
    """All stories side by side, each of a customer of its own, with a tick a day."""
    lines: list[tuple[float, bytes]] = []
    for name, story in STORIES.items():
        for line in story():
            event = orjson.loads(line)
            event["subject"] = f"c-{name}"
            lines.append((_day(event["time"]), orjson.dumps(event)))
    first, last = int(day_from), int(day_to)
    lines += [(day, tick(day)) for day in range(first, last)]
    return [line for day, line in sorted(lines) if day_from <= day < day_to]


def _day(time: str) -> float:
    return (datetime.fromisoformat(time).timestamp() - START_S) / DAY_S


def make() -> Golden:
    """Today's file, not released."""
    p = partition(examples=True)
    own = msgspec.structs.replace(POLICY, churn=msgspec.structs.replace(POLICY.churn, horizon_days=HORIZON_DAYS))
    values = [new_policy(0.0, own), encode_heard("usage.events", START_S), *history(0.0, CUT_DAY)]
    p.feed(records(values))
    snapshot = p.snapshot()
    learner = Learner(POLICY)
    for _, value, _ in [write for write in snapshot.writes[EXAMPLES] if b'"kind"' not in (write[1] or b"")][:LEARNED]:
        assert value is not None
        learner.learn(decode_example(value))
    return Golden(
        version=VERSION,
        released=None,
        fields={kind.__name__: fields_of(kind) for kind in STRUCTS},
        states={key.hex(): b64encode(state).decode() for key, state in sorted(p.states.items())},
        learner=b64encode(zlib.compress(learner.snapshot(), 9)).decode(),
        position=p.position,
        customers={key.decode(): told(load(state)) for key, state in p.states.items() if is_customer(key)},
    )


def path_of(version: int) -> Path:
    """Where the file of a version of the stored form is."""
    return FOLDER / f"v{version}.json"


def read(path: Path) -> Golden:
    """A golden file."""
    return msgspec.json.decode(path.read_bytes(), type=Golden)


def write(path: Path, released: str | None) -> bool:
    """Write today's file, with the release that it goes out with; False where it has gone out already."""
    if path.exists() and read(path).released is not None:
        return False
    golden = make()
    golden.released = released
    path.write_bytes(msgspec.json.format(msgspec.json.encode(golden), indent=1) + b"\n")
    return True


if __name__ == "__main__":
    if not write(path_of(VERSION), sys.argv[1] if len(sys.argv) > 1 else None):
        sys.exit(f"{path_of(VERSION).name} has gone out with a release: raise VERSION, and keep the old form readable")
