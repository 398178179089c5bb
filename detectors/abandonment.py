"""Calls given up, over all customers of a partition: the most basic measure of churn there is, leads included.

Rules: a call given up counts if it waited for more than `service.abandon_after_s`, and who hung up sooner did not
call (as in `service.call_abandoned`); it belongs to the hour of its event, however late it is reported, if that lies
within the newest `HOURS_KEPT`; the counts are part of the partition's state, so they are as exact under restarts as
the alerts are. Rows go out at ticks, `EVERY_S` apart, for the days whose counts have changed.
"""

from collections.abc import Iterable
from typing import Final

from detectors.customer import DAY_S, HOUR_S
from detectors.records import INSIGHTS, Outbox
from detectors.world import World
from schemas.insights import encode_insight
from schemas.insights_live import CallAbandonment, HourOfCalls
from schemas.times import rfc3339

HOURS_KEPT: Final = 168  # a week: later news of a call changes no row any more
DAYS_TOLD: Final = 9
ROWS_KEPT_D: Final = 400  # a day's row is taken back after so many days
EVERY_S: Final = 300
HOURS: Final = 24


def count_call(world: World, time_s: int, *, given_up: bool) -> None:
    """Count one call of anybody."""
    hour, calls = time_s // HOUR_S, world.calls
    counts = calls.get(hour)
    if counts is None:
        newest = max(calls, default=hour)
        if hour <= newest - HOURS_KEPT:
            return
        counts = calls[hour] = [0, 0]
        for old in [h for h in calls if h <= max(newest, hour) - HOURS_KEPT]:
            del calls[old]
    counts[0] += 1
    counts[1] += given_up


def newest_calls(world: World) -> dict[str, tuple[int, int]]:
    """Calls, and those given up, of the newest whole hour and of the newest 24 of them.

    >>> newest_calls(World(now_s=30 * HOUR_S, calls={28: [4, 1], 29: [2, 2], 30: [9, 9]}))
    {'hour': (2, 2), 'day': (6, 3)}
    """
    end = world.now_s // HOUR_S
    found = {}
    for period, hours in (("hour", 1), ("day", HOURS)):
        counts = [n for hour, n in world.calls.items() if end - hours <= hour < end]
        found[period] = (sum(n[0] for n in counts), sum(n[1] for n in counts))
    return found


def tell_calls(world: World, number: int, out: Outbox, now_s: int) -> None:
    """Write the rows of the days whose counts have changed, if it is time."""
    if not world.calls or now_s // EVERY_S == world.calls_slot:
        return
    world.calls_slot = now_s // EVERY_S
    days: dict[int, dict[int, list[int]]] = {}
    for hour in sorted(world.calls):
        days.setdefault(hour // HOURS, {})[hour % HOURS] = world.calls[hour]
    # Of the oldest day some hours may be forgotten: what was last said of it stands.
    whole_from = -(-(max(world.calls) - HOURS_KEPT + 1) // HOURS)
    for day, hours in days.items():
        total = [sum(n[0] for n in hours.values()), sum(n[1] for n in hours.values())]
        if day < whole_from or total == world.calls_told.get(day) or not total[0]:
            continue
        if day not in world.calls_told:
            out.write(INSIGHTS, _key(day - ROWS_KEPT_D, number), None)
        world.calls_told[day] = total
        out.write(INSIGHTS, _key(day, number), _row(day, number, hours.items(), total, now_s))
    for day in sorted(world.calls_told)[:-DAYS_TOLD]:
        del world.calls_told[day]


def _row(day: int, number: int, hours: Iterable[tuple[int, list[int]]], total: list[int], now_s: int) -> bytes:
    calls, abandoned = total
    date = rfc3339(day * DAY_S)[:10]
    return encode_insight(
        CallAbandonment(
            insight_id=_key(day, number).decode(),
            as_of=rfc3339(now_s),
            text=f"{abandoned} of {calls} calls were given up on {date} ({abandoned / calls:.0%}, partition {number}).",
            date=date,
            partition=number,
            calls=calls,
            abandoned=abandoned,
            ratio=round(abandoned / calls, 6),
            hours=tuple(HourOfCalls(hour=hour, calls=n[0], abandoned=n[1]) for hour, n in hours),
        )
    )


def _key(day: int, number: int) -> bytes:
    return f"call_abandonment/{rfc3339(day * DAY_S)[:10]}/{number}".encode()
