"""Who the customers are: plan, rhythm, tenure; and the world they share. Drawn once, before anything happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, HOUR_S, MINUTE_S, YEAR_S

FEATURES: Final = ("board", "search", "export", "reports", "calendar", "chat", "import", "rules", "mobile", "share")
SERVICES: Final = ("web", "sync", "payments")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a customer has bought: price per month, how often it is billed, and how many features and seats it has."""

    name: str
    mrr: float
    billing_days: int
    features: int
    seats: int


PLANS: Final = (
    Plan("basic", 12.0, 30, 4, 1),
    Plan("plus", 29.0, 30, 7, 1),
    Plan("team", 149.0, 30, 10, 12),
    Plan("box", 48.0, 14, 3, 1),
)
PLAN_WEIGHTS: Final = (0.35, 0.35, 0.2, 0.1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When somebody is active: the chance on each weekday, how many sessions on such a day, and between what hours."""

    name: str
    active_chance: tuple[float, ...]
    sessions: tuple[int, int]
    hours: tuple[float, float]


RHYTHMS: Final = (
    Rhythm("office", (0.97, 0.97, 0.97, 0.97, 0.94, 0.05, 0.03), (1, 2), (8.0, 17.5)),
    Rhythm("evenings", (0.9, 0.9, 0.9, 0.9, 0.7, 0.85, 0.95), (1, 2), (17.0, 23.0)),
    Rhythm("weekends", (0.05, 0.05, 0.05, 0.15, 0.6, 0.97, 0.95), (2, 3), (9.0, 22.0)),
    Rhythm("now and then", (0.05, 0.93, 0.05, 0.93, 0.05, 0.93, 0.05), (1, 2), (7.0, 22.0)),
)
RHYTHM_WEIGHTS: Final = (0.4, 0.35, 0.15, 0.1)


@dataclass(frozen=True, slots=True)
class Outage:
    """A service that was away for everybody who uses it, in seconds since the Unix epoch."""

    outage_id: str
    service: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Release:
    """A feature that came out for everybody, in seconds since the Unix epoch."""

    feature: str
    time_s: float


@dataclass(frozen=True, slots=True)
class Rise:
    """A price rise for everybody: from when, announced when (seconds since the Unix epoch), and 0.03 for 3 % more."""

    time_s: float
    announced_s: float
    share: float


@dataclass(frozen=True, slots=True)
class Storm:
    """An outage that most customers meet within the same hour, with errors and calls for help, from when to when."""

    outage_id: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class World:
    """What all customers of a run share: the time it covers, its outages, releases and price rises."""

    seed: int
    start_s: float
    end_s: float
    outages: tuple[Outage, ...]
    releases: tuple[Release, ...]
    rises: tuple[Rise, ...] = ()
    storms: tuple[Storm, ...] = ()


def make_world(seed: int, start_s: float, end_s: float, storms_s: Sequence[float] = ()) -> World:
    """The world of a seed between two times in seconds since the Unix epoch; `storms_s` says when storms begin."""
    dice = Dice(f"{seed}/world")
    outages: list[Outage] = []
    time_s = start_s + dice.gap(80.0 * DAY_S)
    while time_s < end_s:
        lasts_s = dice.between(8.0, 90.0) * MINUTE_S
        outages.append(Outage(f"O-{seed}-{len(outages)}", dice.pick(SERVICES), time_s, time_s + lasts_s))
        time_s += lasts_s + DAY_S + dice.gap(80.0 * DAY_S)
    releases: list[Release] = []
    time_s = start_s + dice.between(10.0, 30.0) * DAY_S
    while time_s < end_s:
        releases.append(Release(f"new-{len(releases)}", time_s))
        time_s += dice.between(40.0, 75.0) * DAY_S
    rises: list[Rise] = []
    time_s = start_s + dice.between(60.0, 300.0) * DAY_S
    while time_s < end_s:
        rises.append(Rise(time_s, time_s - dice.between(35.0, 60.0) * DAY_S, round(dice.between(0.02, 0.045), 3)))
        time_s += dice.between(340.0, 400.0) * DAY_S
    storms = [
        Storm(f"O-{seed}-storm-{number}", storm_s, storm_s + dice.between(2.0, 4.0) * HOUR_S)
        for number, storm_s in enumerate(sorted(storms_s))
    ]
    return World(seed, start_s, end_s, tuple(outages), tuple(releases), tuple(rises), tuple(storms))


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days away, in seconds since the Unix epoch, and how active the customer is meanwhile, 1 being as usual."""

    start_s: float
    end_s: float
    level: float


@dataclass(frozen=True, slots=True)
class Person:
    """One customer: plan and rhythm, and when the life that is told begins."""

    customer_id: str
    world: World
    joined_s: float
    """When the life that is told begins."""
    since_s: float
    """Since when this is a customer: for those who were there from the start, up to three years before."""
    plan: Plan
    rhythm: Rhythm
    utc_offset_h: float
    contract_ends_s: float | None
    service: str
    holidays: tuple[Holiday, ...] = ()

    @property
    def end_s(self) -> float:
        """The end of what is told, in seconds since the Unix epoch."""
        return self.world.end_s

    def reference(self, kind: str, time_s: float) -> str:
        """A ticket, call or invoice number that no other happening has."""
        return f"{kind}-{self.customer_id}-{int(time_s * 10.0):x}"


def make_person(world: World, number: int, dice: Dice) -> Person:
    """The customer of that number: six in ten are there from the start, the others join along the way."""
    length_s = world.end_s - world.start_s
    from_the_start = dice.chance(0.6)
    joins_at = dice.between(0.0, 0.08) if from_the_start else dice.between(0.08, 0.6)
    joined_s = world.start_s + joins_at * length_s
    since_s = joined_s - min(dice.gap(1.1), 3.0) * YEAR_S if from_the_start else joined_s
    contract_ends_s = joined_s + dice.between(0.3, 1.0) * 365.0 * DAY_S if dice.chance(0.4) else None
    return Person(
        customer_id=f"sim{world.seed}-{number:06d}",
        world=world,
        joined_s=joined_s,
        since_s=since_s,
        plan=dice.weighted(PLANS, PLAN_WEIGHTS),
        rhythm=dice.weighted(RHYTHMS, RHYTHM_WEIGHTS),
        utc_offset_h=dice.weighted((0.0, 1.0, 2.0, -5.0, -8.0), (0.2, 0.4, 0.2, 0.1, 0.1)),
        contract_ends_s=contract_ends_s,
        service=dice.pick(SERVICES),
        holidays=_holidays(world, joined_s, dice.branch("holidays")),
    )


def _holidays(world: World, joined_s: float, dice: Dice) -> tuple[Holiday, ...]:
    """Now and then some days to three weeks away, in which some go on a little; and everybody's turn of the year."""
    found: list[Holiday] = []
    time_s = joined_s + dice.gap(200.0 * DAY_S)
    while time_s < world.end_s:
        lasts_s = dice.weighted((4.0, 8.0, 15.0, 22.0), (0.35, 0.35, 0.25, 0.05)) * DAY_S
        found.append(Holiday(time_s, time_s + lasts_s, dice.pick((0.0, 0.0, 0.3, 0.5))))
        time_s += lasts_s + (30.0 + dice.gap(170.0)) * DAY_S
    for year in range(moment(joined_s).year, moment(world.end_s).year + 1):
        christmas_s = datetime(year, 12, 24, tzinfo=UTC).timestamp()
        found.append(Holiday(christmas_s, christmas_s + 9.0 * DAY_S, 0.5))
    return tuple(found)


def moment(time_s: float) -> datetime:
    """The time as data fields hold it: aware, in UTC, to the millisecond."""
    return datetime.fromtimestamp(round(time_s, 3), UTC)


def in_office_hours(time_s: float, dice: Dice) -> float:
    """A time on the same UTC day when a service desk is open."""
    return time_s // DAY_S * DAY_S + dice.between(8.0, 17.5) * HOUR_S
