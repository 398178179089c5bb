"""How long customers stay: what is known of a life at a landmark, and whether it ended before the next one.

Rules:
* the landmarks of a customer are end to end, so each day of a life that was watched counts once, and each end once;
* an age is known only where the beginning was seen (a start of a subscription, or of those known by their orders alone
  the first order that is known): whoever was a customer before is not taken for a young one;
* whoever was a customer already when it was first watched is at risk from then on (left truncation), and whoever is
  still one counts up to the last landmark that has matured (censoring);
* a buyer who leaves by silence leaves on the day on which the silence has lasted long enough; one who is known by use
  alone at the first landmark behind which nothing is heard for a whole horizon, and is not at risk until it is back.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from detectors.customer import DAY_S, Customer
from detectors.leaving import buys_without_subscription
from detectors.policy import Policy
from detectors.profile import active_life_d, stage_of

WEEK_D: Final = 7
MONTH_D: Final = 30

Days = Annotated[int, Meta(ge=0, le=100_000)]
Came = Annotated[tuple[Annotated[str, Meta(pattern="^(before|decided):", max_length=32)], ...], Meta(max_length=3)]


class Then(msgspec.Struct, array_like=True, gc=False):
    """What waits of a life with a landmark. Fields are only ever appended: the order is the stored format."""

    age_d: int
    exposed_d: int  # to the next landmark, or to the horizon where that is sooner
    active_d: int  # first use to last use; −1: nothing was used yet
    stage: str
    by_use: int = 0  # 1: known by use alone, and heard of since the landmark before; 2: and not heard of
    came: tuple[str, ...] | None = None  # how it came to buy; None: stored before this was written down


class Life(msgspec.Struct, frozen=True, gc=False):
    """A stretch of a life, from one landmark to the next, and whether it ended there."""

    age_d: Annotated[Days, Meta(description="at the landmark, since the newest start")]
    exposed_d: Annotated[Days, Meta(description="for which it is known whether the customer was there")]
    gone_d: Annotated[Days, Meta(description="after the landmark, when it left; null: it stayed")] | None
    active_d: Annotated[Days, Meta(description="first use to last use; null: nothing was used")] | None
    stage: Annotated[str, Meta(max_length=32)]
    came: Annotated[Came, Meta(description="how it came to buy")] = ()


def born_s(c: Customer, *, by_use: bool = False) -> int:
    """When the life began that a customer leads now, in seconds since the epoch; 0 where nobody saw it.

    >>> born_s(Customer(subscribed_s=5, started_s=2)), born_s(Customer(started_s=2, contract_s=2))
    (5, 0)
    """
    if c.subscribed_s:
        return c.subscribed_s
    if buys_without_subscription(c):
        return c.started_s
    return c.first_s if by_use else 0


def then_of(
    c: Customer, now_s: int, next_s: int, policy: Policy, lost_s: int = 0, *, by_use: bool = False
) -> Then | None:
    """What is written down of a life at a landmark; None of one who is gone, or whose beginning is not known."""
    began_s = born_s(c, by_use=by_use)
    silent_s, horizon_s = now_s - c.active_s, policy.churn.horizon_days * DAY_S
    if (silent_s > horizon_s if by_use else c.left_s) or not 0 < began_s <= now_s:
        return None
    active_d = active_life_d(c)
    heard = silent_s < policy.churn.landmark_days * DAY_S
    return Then(
        (now_s - began_s) // DAY_S,
        min(next_s - now_s, horizon_s) // DAY_S,
        -1 if active_d is None else active_d,
        stage_of(c, now_s, policy, lost_s),
        (1 if heard else 2) if by_use else 0,
        came(c),
    )


def life_of(c: Customer, landmark_s: int, then: Then, *, left: bool) -> Life | None:
    """What became of that life up to the next landmark, once the horizon has passed; `left` is the example's label.

    None of one known by use alone who had left before the landmark.
    """
    end_s = landmark_s + then.exposed_d * DAY_S
    gone_d, active_d = None, then.active_d
    for left_s in (c.churned_s, 0 if then.by_use else c.left_s):
        if gone_d is None and landmark_s < left_s <= end_s:
            gone_d, active_d = (left_s - landmark_s) // DAY_S, _active_d(c, left_s, then.active_d)
    if then.by_use and left and gone_d is None:
        if then.by_use == 2:
            return None
        gone_d = 0
    # As of the landmark: a trial after the end is of the next life.
    how = came(c) if then.came is None else then.came
    return Life(then.age_d, then.exposed_d, gone_d, None if active_d < 0 else active_d, then.stage, how)


def _active_d(c: Customer, left_s: int, known_d: int) -> int:
    """The active life of one who has left: what was used since, of another life perhaps, does not count."""
    if not c.first_used_day or c.first_used_day > left_s // DAY_S:
        return known_d
    return max(known_d, min(c.used_day, left_s // DAY_S) - c.first_used_day)


def came(c: Customer) -> tuple[str, ...]:
    """How a customer came to buy, as groups: by a trial, as a lead, or at once, and how long it thought about it.

    >>> came(Customer(lead_s=1, trial_s=3 * DAY_S, started_s=12 * DAY_S)), came(Customer(started_s=1))
    (('before:lead', 'before:trial', 'decided:month'), ('before:nothing',))
    """
    found = []
    if c.lead_s:
        found.append("before:lead")
    if c.trial_s:
        found.append("before:trial")
    if not found:
        return ("before:nothing",)
    took_d = (c.started_s - min(at for at in (c.lead_s, c.trial_s) if at)) // DAY_S if c.started_s else -1
    if took_d >= 0:
        found.append(f"decided:{'week' if took_d < WEEK_D else 'month' if took_d < MONTH_D else 'later'}")
    return tuple(found)
