"""Saved revenue as rows for people: what is known, with its interval, and what is not known yet."""

from collections.abc import Iterator
from typing import Final, cast

from detectors.learning.saved import ALL, DONE, Saved
from detectors.learning.uplift import Arm, Difference, Pair, kept_share, saved_revenue_share, saved_share
from schemas.insights_value import Comparison, Group, Interval, SavedMoney, SavedRevenue
from schemas.times import rfc3339

LEFT_LEAST: Final = 10  # of either group left, and stayed, before an interval of the revenue can be meant
DIGITS: Final = 4
ABOUT: Final = {
    "all": "",
    "group": "First reason of the group {}. ",
    "reason": "First reason {}. ",
    "recommended": "Playbook {} recommended first. ",
    "done": "Called by playbook {}, which nobody drew by lot. ",
}


def saved_rows(saved: Saved, needed: int, as_of_s: int) -> Iterator[SavedRevenue]:
    """A row for all of it, and for each comparison of which enough is known or will be; as of a time in seconds.

    >>> [row.text for row in saved_rows(Saved(), 50, 1_772_600_767)]
    ['No control group (hold_out.share): what acting on alerts achieves cannot be told. 0 alerts have an outcome.']
    """
    for comparison in saved.comparisons():
        pair = saved.arms(comparison)
        known = pair.delivered.alerts + (0 if comparison.startswith(DONE) else pair.control.alerts)
        if comparison == ALL or known >= needed:
            yield _row(saved, comparison, pair, needed, rfc3339(as_of_s))


def overall_of(saved: Saved, needed: int) -> Difference | None:
    """By how much a smaller share left where alerts were delivered; None where either group has too few outcomes."""
    return _saved(saved.strata(ALL), saved.arms(ALL), needed)


def _saved(strata: list[Pair], pair: Pair, needed: int) -> Difference | None:
    return saved_share(strata) if min(pair.control.alerts, pair.delivered.alerts) >= needed else None


def _row(saved: Saved, comparison: str, pair: Pair, needed: int, as_of: str) -> SavedRevenue:
    kind, _, name = comparison.partition("/")
    strata = saved.strata(comparison)
    found = _saved(strata, pair, needed)
    money = tuple(_money(strata, pair, currency, needed) for currency in sorted(pair.delivered.money))
    drawn = bool(saved.lot)
    return SavedRevenue(
        insight_id=f"saved_revenue/{comparison}"[:256],
        as_of=as_of,
        text=ABOUT[kind].format(name) + _text(saved, pair, found, money, needed),
        comparison=cast(Comparison, kind),
        name=name,
        randomised=kind != "done",
        since=rfc3339(saved.since_s) if drawn else None,
        until=rfc3339(saved.until_s) if drawn else None,
        needed=needed,
        delivered=_group(pair.delivered),
        control=_group(pair.control),
        saved=_interval(found),
        revenue=money,
        again=saved.again,
    )


def _group(arm: Arm) -> Group:
    return Group(alerts=arm.alerts, left=arm.left, contacted=arm.contacted)


def _interval(found: Difference | None, digits: int = DIGITS) -> Interval | None:
    if found is None:
        return None
    return Interval(value=round(found.value, digits), low=round(found.low, digits), high=round(found.high, digits))


def _money(strata: list[Pair], pair: Pair, currency: str, needed: int) -> SavedMoney:
    delivered, control = pair.delivered.money[currency], pair.control.money.get(currency)
    enough = control is not None and min(delivered.alerts, control.alerts) >= needed
    either = all(min(arm.left, arm.alerts - arm.left) >= LEFT_LEAST for arm in (pair.control, pair.delivered))
    found = saved_revenue_share(strata, currency) if enough and either else None
    return SavedMoney(
        currency=currency,
        delivered=round(delivered.before, 2),
        kept_delivered=round(kept_share(delivered)[0], DIGITS),
        kept_control=round(kept_share(control)[0], DIGITS) if control is not None else 0.0,
        saved_share=_interval(found),
        saved=_interval(found.times(delivered.before), 2) if found is not None else None,
    )


def _text(saved: Saved, pair: Pair, found: Difference | None, money: tuple[SavedMoney, ...], needed: int) -> str:
    control, delivered = pair.control, pair.delivered
    if not saved.lot:
        return (
            "No control group (hold_out.share): what acting on alerts achieves cannot be told. "
            f"{saved.undrawn.alerts:,} alerts have an outcome."
        )
    if found is None:
        groups = (("control", control), ("delivered", delivered))
        short = [f"{arm.alerts:,} of {needed:,} {name} alerts" for name, arm in groups if arm.alerts < needed]
        if not short:
            return "The two groups were never drawn by the same share: what acting achieves cannot be told."
        return f"{' and '.join(short)} have an outcome: too few to tell what acting achieves."
    of_100, low, high = found.times(100.0)
    said = (
        f"{delivered.left / delivered.alerts:.1%} of {delivered.alerts:,} left, "
        f"{control.left / control.alerts:.1%} of {control.alerts:,} in the control group: of 100 alerted "
        f"{of_100:.1f} saved ({low:.1f} to {high:.1f}{_doubt(low, high)})"
    )
    for each in money:
        if (saved_money := each.saved) is not None:
            low, high = saved_money.low, saved_money.high
            said += (
                f"; {saved_money.value:,.0f} {each.currency} a month ({low:,.0f} to {high:,.0f}{_doubt(low, high)}) "
                f"of {each.delivered:,.0f}"
            )
    return f"{said}."


def _doubt(low: float, high: float) -> str:
    return ", which may be chance" if low <= 0.0 <= high else ""
