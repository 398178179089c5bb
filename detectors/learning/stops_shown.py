"""How long customers stay as rows for people: survival curves, and who stops before the time that is expected."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from detectors.learning.stops import ALL, Lives, Stopped, plan_of
from detectors.learning.survival import WEEK_D, Staying, median_of
from detectors.learning.uplift import Difference
from detectors.policy import Policy
from detectors.useful_life import EVERYBODY, expected_d, with_learned
from schemas.insights_value import ActiveLife, Interval, MedianLife, StayingAt, Survival
from schemas.times import rfc3339

AGES: Final = (1, 2, 3, 4, 6, 8, 13, 17, 26, 39, 52, 65, 78, 104, 130, 156, 208, 260)
"""Weeks of age that a row names, with the last one that is known."""
MONTH_D: Final = 30.4375
DIGITS: Final = 4
LEFT_LEAST: Final = 5  # who left, before a group has a row of them
WHO: Final = {"all": "All customers", "plan": "Plan {}", "via": "Customers won by {}", "stage": "Customers in stage {}"}
CAME: Final = {
    "before:lead": "Customers who came as leads",
    "before:trial": "Customers who came by a trial",
    "before:nothing": "Customers who bought at once",
    "decided:week": "Customers who decided within a week",
    "decided:month": "Customers who decided within a month",
    "decided:later": "Customers who took over a month to decide",
}


class Expected(NamedTuple):
    """How long the product is expected to be of use to a group, and who says so."""

    days: float
    by: Literal["policy", "learned"]

    def __str__(self) -> str:
        return f"{self.days / MONTH_D:.0f} months"


def survival_rows(lives: Lives, policy: Policy, as_of_s: int) -> Iterator[Survival]:
    """A curve for everybody, and one for each group of which enough were watched; as of a time in seconds."""
    for group in lives.groups():
        table = lives.tables.get(group)
        points = table.curve(policy.learning.curve_least) if table is not None else []
        if table is None or not points:
            continue
        expected = expected_of(group, lives, policy)
        at_expected = next((point for point in points if point.age == round(expected.days / WEEK_D)), None)
        median = median_of(points)
        yield Survival(
            insight_id=f"survival/{group}",
            as_of=rfc3339(as_of_s),
            text=_curve_text(group, points, at_expected, expected),
            group=group,
            watched_months=round(sum(table.days) / MONTH_D, 1),
            left=table.ends,
            from_age_d=(points[0].age - 1) * WEEK_D,
            points=tuple(_point(point) for point in points if point.age in AGES or point is points[-1]),
            median=None
            if median is None
            else MedianLife(
                value=median.age * WEEK_D,
                low=median.low * WEEK_D,
                high=median.high * WEEK_D if median.high is not None else None,
            ),
            expected_d=expected.days,
            expected_by=expected.by,
            staying_at_expected=None if at_expected is None else _interval(at_expected),
        )


def active_life_rows(lives: Lives, policy: Policy, as_of_s: int) -> Iterator[ActiveLife]:
    """A row for every group of which a handful left, as of a time in seconds."""
    for group in lives.groups():
        stopped = lives.stopped.get(group)
        if stopped is None or stopped.left < LEFT_LEAST:
            continue
        expected = expected_of(group, lives, policy)
        ratio = lives.times_others(group, expected.days) if group != ALL else None
        yield ActiveLife(
            insight_id=f"active_life/{group}",
            as_of=rfc3339(as_of_s),
            text=_stop_text(group, stopped, ratio, expected),
            group=group,
            left=stopped.left,
            before_expected=stopped.before,
            unused=stopped.unused,
            median_at_most_d=stopped.median_at_most_d(),
            expected_d=expected.days,
            expected_by=expected.by,
            times_others=None
            if ratio is None
            else Interval(value=round(ratio.value, 2), low=round(ratio.low, 2), high=round(ratio.high, 2)),
        )


def expected_of(group: str, lives: Lives, policy: Policy) -> Expected:
    """How long the product is expected to be of use to a group, as policy says or as was learned."""
    plan, learned_d = plan_of((group,)), lives.learned_d if policy.life.learned else {}
    days = expected_d(with_learned(policy.life, learned_d), plan)
    named = plan in policy.life.useful_life_d_by_plan
    is_learned = not named and (plan in learned_d or EVERYBODY in learned_d)
    return Expected(days, "learned" if is_learned else "policy")


def who(group: str) -> str:
    """A group in words.

    >>> who("via:ads"), who("before:trial"), who("stage:active")
    ('Customers won by ads', 'Customers who came by a trial', 'Customers in stage active')
    """
    kind, _, name = group.partition(":")
    return CAME.get(group) or WHO[kind].format(name)


def _interval(point: Staying) -> Interval:
    return Interval(value=round(point.share, DIGITS), low=round(point.low, DIGITS), high=round(point.high, DIGITS))


def _point(point: Staying) -> StayingAt:
    found = _interval(point)
    return StayingAt(
        age_d=point.age * WEEK_D,
        at_risk=round(point.at_risk, 1),
        staying=found.value,
        low=found.low,
        high=found.high,
    )


def _curve_text(group: str, points: list[Staying], at_expected: Staying | None, expected: Expected) -> str:
    last = at_expected or points[-1]
    when = f"{last.age * WEEK_D / MONTH_D:.0f} months" if last.age > 8 else f"{last.age} weeks"
    since = f", of those who had reached {points[0].age - 1} weeks" if points[0].age > 1 else ""
    median = median_of(points)
    half = f"; half have left after {median.age * WEEK_D / MONTH_D:.0f} months" if median is not None else ""
    return (
        f"{who(group)}: {last.share:.1%} ({last.low:.1%} to {last.high:.1%}) stay for {when}{since}{half}; "
        f"{expected} are expected."
    )


def _stop_text(group: str, stopped: Stopped, ratio: Difference | None, expected: Expected) -> str:
    said = f"{who(group)}: {stopped.left:,} left, {stopped.before:,} of them before the {expected} that are expected"
    median = stopped.median_at_most_d()
    if median is not None:
        said += f"; half of those who had used anything had done so for {median} days at most"
    if stopped.unused:
        said += f"; {stopped.unused:,} had used nothing"
    if ratio is not None:
        value, low, high = ratio
        others = "others" if group.startswith("stage:") else "others of the same age"
        said += f"; they leave {factor(value)} times as often as {others} ({factor(low)} to {factor(high)})"
        if low <= 1.0 <= high:
            said += ", which may be chance"
    return f"{said}."


def factor(times: float) -> str:
    """A factor in two figures: a tenth and a hundredth are not both nothing.

    >>> factor(0.026), factor(2.44), factor(23.4)
    ('0.026', '2.4', '23')
    """
    return f"{times:.2g}" if times < 10.0 else f"{times:.0f}"
