"""What a partition knows besides its customers."""

import msgspec

from detectors.budget import Purse
from detectors.customer import HEADER, NEVER, VERSION, read_header
from detectors.feeds import Feed


class Incident(msgspec.Struct, array_like=True):
    """One cause that many customers share (detectors.incidents). Fields are only ever appended."""

    incident_id: str
    cause: int  # number of the kind of cause
    signal: str
    started_s: int
    newest_s: int  # when it rose for the newest customer, of any partition as far as is known
    customers: int = 0  # of this partition
    mine_s: int = 0  # when it rose for the newest of them
    reported: int = 0  # customers, and the newest of them, when this partition last said so
    reported_s: int = 0
    counts: dict[int, int] = {}  # partition → customers, as last reported
    aliases: list[str] = []
    ended: bool = False
    row: str = ""  # the id under which it stands on churn.insights, if it does


class World(msgspec.Struct, array_like=True):
    """Fields are only ever appended: the order is the stored format."""

    now_s: int = 0  # the newest tick
    purse: Purse = msgspec.field(default_factory=Purse)  # what is left of the alert budget
    usage_s: int = 0  # the newest use, and the newest order, of this partition's customers
    orders_s: int = 0
    feeds: dict[str, Feed] = {}  # input topic → what is known of it
    rises: dict[str, dict[int, int]] = {}  # signal or cause → slot → for how many customers it rose
    incidents: list[Incident] = []  # oldest first
    calls: dict[int, list[int]] = {}  # hour → calls, and those of them given up
    calls_told: dict[int, list[int]] = {}  # day → the same, as last said
    calls_slot: int = 0  # when they were last said


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(World).decode


def dump_world(world: World) -> bytes:
    """The bytes that follow a partition's header."""
    return _encode(world)


def store_world(world: World, position: int) -> bytes:
    """The state bytes of a partition that goes on at a position."""
    return HEADER.pack(position, NEVER, VERSION, 0) + dump_world(world)


def restore(world: World, dumped: bytes) -> None:
    """Let a world be as it was when it was dumped; it stays the same object."""
    was = _decode(dumped)
    for name in World.__struct_fields__:
        setattr(world, name, getattr(was, name))


def load_world(state: bytes | None) -> tuple[int, World]:
    """The position and the world of a partition's state bytes, or those of a new partition."""
    return (read_header(state)[0], _decode(memoryview(state)[HEADER.size :])) if state else (0, World())
