"""The policy's numbers about what a retention team can take: how many alerts, of whom, and who is won back."""

from typing import Annotated

import msgspec
from msgspec import Meta

from detectors.playbooks import WIN_BACK
from schemas.alerts import ChurnType

Share = Annotated[float, Meta(ge=0, le=1)]


class BudgetPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many alerts may open: the best by expected loss go out, the others wait."""

    per_day_per_1000: Annotated[
        float,
        Meta(
            gt=0,
            le=1_000_000,
            description="alerts that may open a day for each 1,000 customers; high, so that it binds in a flood only: "
            "lower it to what the team can act on",
        ),
    ] = 20.0
    burst: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="what a journal partition can save up for a bad day, in alerts, and starts with; "
            "a day's budget where that is more: a small installation is not starved",
        ),
    ] = 10
    critical_overdraws: Annotated[
        bool,
        Meta(
            description="whether a critical alert goes out when nothing is left, at the cost of the days after it, "
            "down to as much as can be saved up"
        ),
    ] = False
    waiting_most: Annotated[
        int,
        Meta(ge=1, le=10_000, description="so many of those that wait are compared anew for the next alert's place"),
    ] = 100
    look_again_s: Annotated[
        int, Meta(ge=1, description="those behind them, and all while the budget is slower, are looked at again then")
    ] = 6 * 3_600


class HoldOutPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The control group: its alerts are logged and not acted on."""

    share: Annotated[Share, Meta(description="of the customers; 0.05 is enough to measure what acting achieves")] = 0.0
    salt: Annotated[str, Meta(description="another salt draws another group; the same keeps it")] = "hold-out"


class PrivacyPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of an id whose customer was erased."""

    new_customer: Annotated[
        bool,
        Meta(description="whether later events of the id start a new customer; else they are dropped and counted"),
    ] = False
    remember_d: Annotated[
        int,
        Meta(
            ge=1,
            le=36_500,
            description="so long a digest of the id keeps what was erased from coming back with late events: "
            "a year, and what a yearly run is late",
        ),
    ] = 400


class WinBackPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How likely one who has left comes back, and when an alert says that it is worth a try."""

    by_type: Annotated[
        dict[ChurnType, Share], Meta(description="by kind of leaving, before anything is learned of returns")
    ] = msgspec.field(default_factory=lambda: dict(WIN_BACK))
    tenure_gain: Annotated[Share, Meta(description="more for who stayed `tenure_months`: habits to come back to")] = 0.1
    tenure_months: Annotated[float, Meta(gt=0, description="from then on, longer makes no difference")] = 24.0
    satisfaction_gain: Annotated[Share, Meta(description="more if all ratings were good, less if all were bad")] = 0.1
    recovered_gain: Annotated[Share, Meta(description="more where a failure was made good: that is remembered")] = 0.1
    offer_from: Annotated[
        Share, Meta(description="below this potential the next step for one who has left is to leave it in peace")
    ] = 0.5
    alerts: Annotated[bool, Meta(description="whether alerts about winning back are opened at all")] = True
    threshold: Annotated[
        Share, Meta(description="they open from this potential: involuntary, service and unrecognised, and few others")
    ] = 0.75
    delay_d: Annotated[
        int, Meta(ge=0, le=3_650, description="so long after leaving: anger is less, another supplier no habit yet")
    ] = 7
    lasts_d: Annotated[int, Meta(ge=1, le=3_650, description="who is not back by then has settled elsewhere")] = 60
