"""The learner's rows by group of customers: common reasons, and quality.

Rules: rows follow from the learner and a time alone; a row names no customer and is of bounded size; where outcomes are
too few the row says so, and how many there are.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from detectors.learning.grades import Grade, Grades, Reliable
from detectors.learning.groups import ALL, FIXED_GROUPS
from detectors.learning.leads import Lead
from detectors.learning.learner import Learner
from detectors.learning.reasons import ENOUGH, Found, Reason
from detectors.learning.space import NAMES
from detectors.model import Model
from schemas.insights import Insight
from schemas.insights_reasons import CommonReason, CommonReasons, QualityByGroup, QualityOfPeriod, ReliabilityRow
from schemas.times import rfc3339

REASONS_SHOWN: Final = 10
NO_ALERT: Final = Lead(0, 0, None)
NAME_CHARS: Final = 120  # of a plan or channel in an id
DIGITS: Final = 6


def group_rows(learner: Learner, model: Model, as_of_s: int) -> Iterator[Insight]:
    """Every row by group, as of a time in seconds since the epoch: those that every business has, and those met.

    >>> from detectors.policy import Policy
    >>> learner = Learner(Policy())
    >>> row = next(group_rows(learner, learner.model(), 0))
    >>> row.insight_id, row.text
    ('common_reasons/all', 'Not enough outcomes yet: about 0 left and 0 stayed; it takes 25 of either.')
    """
    yield from reasons_rows(learner, as_of_s)
    for name in groups_told(learner):
        yield quality_row_of(name, learner.grades, learner, model, as_of_s)


def groups_told(learner: Learner) -> list[str]:
    """The groups that rows are about: those that every business has, and the plans and channels met."""
    return [*FIXED_GROUPS, *learner.segments]


def reasons_rows(learner: Learner, as_of_s: int) -> Iterator[CommonReasons]:
    """The rows of common reasons, as of a time in seconds since the epoch: everybody's first."""
    horizon_d, since_s = learner.policy.churn.horizon_days, learner.reasons.since_s()
    for name, found in learner.reasons.say(groups_told(learner), learner.overlap).items():
        yield reasons_row(name, found, since_s, as_of_s, horizon_d, learner.overlap)


def reasons_row(name: str, found: Found, since_s: int, as_of_s: int, horizon_d: int, overlap: float) -> CommonReasons:
    """The row of what the leavers of a group had in common."""
    return CommonReasons(
        insight_id=f"common_reasons/{name[:NAME_CHARS]}",
        as_of=rfc3339(as_of_s),
        text=reasons_text(name, found, horizon_d, overlap),
        group=name,
        since=rfc3339(since_s),
        outcomes=found.outcomes,
        left=found.left,
        customers_left=round(found.leavers),
        enough=found.enough,
        tried=found.tested,
        reasons=tuple(map(_reason, found.signals[:REASONS_SHOWN])),
        pairs=tuple(map(_reason, found.pairs[:REASONS_SHOWN])),
        keeping=tuple(map(_reason, found.keeping[:REASONS_SHOWN])),
    )


def _reason(reason: Reason) -> CommonReason:
    return CommonReason(
        signals=tuple(NAMES[at] for at in (reason.first, reason.second) if at),
        support=round(reason.support, DIGITS),
        support_kept=round(reason.support_kept, DIGITS),
        lift=round(reason.lift, DIGITS),
        lift_low=round(reason.low, DIGITS),
        lift_high=round(reason.high, DIGITS),
        left=reason.left_with,
        outcomes=reason.outcomes_with,
    )


def reasons_text(name: str, found: Found, horizon_d: int, overlap: float) -> str:
    """The sentence of a row of common reasons."""
    of = "" if name == ALL else f" ({said(name)})"
    left, stayed = round(found.leavers), round((found.outcomes - found.left) / overlap)
    if not found.enough:
        return f"Not enough outcomes yet{of}: about {left:,} left and {stayed:,} stayed; it takes {ENOUGH} of either."
    who = f"Of about {left:,} times that somebody left{of} within {horizon_d} days"  # a buyer may, month after month
    if not found.signals:
        return f"{who}, none of {found.tested} signals and pairs was more common than chance would have it."
    first, *others = found.signals[:3]
    parts = [
        f"{who}, {percent(first.support)} had {said(NAMES[first.first])} ({percent(first.support_kept)} of those who "
        "stayed): "
        f"with it customers leave {first.lift:.1f} times as often as usual ({first.low:.1f} to {first.high:.1f})"
    ]
    parts += [f"{said(NAMES[r.first])} {r.lift:.1f} times ({r.low:.1f} to {r.high:.1f})" for r in others]
    if found.pairs:
        pair = found.pairs[0]
        parts.append(
            f"{said(NAMES[pair.first])} and {said(NAMES[pair.second])} together {pair.lift:.1f} times "
            f"({pair.low:.1f} to {pair.high:.1f})"
        )
    return "; ".join(parts) + "."


def percent(share: float) -> str:
    """A share as a person says it.

    >>> percent(0.624), percent(0.0123), percent(0.0001)
    ('62 %', '1.2 %', 'under 0.1 %')
    """
    if share >= 0.1:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.1f} %" if share >= 0.0005 or not share else "under 0.1 %"


def said(code: str) -> str:
    """A signal or group as a person says it.

    >>> said("billing.payment_trouble"), said("plan:pro"), said("stage:at_renewal")
    ('billing payment trouble', 'plan pro', 'stage at renewal')
    """
    kind, _, name = code.partition(":")
    if not name:
        return code.replace(".", " ").replace("_", " ")
    return f"{kind.replace('_', ' ')} {name if kind in ('plan', 'via') else name.replace('_', ' ')}"


def quality_row_of(name: str, grades: Grades, learner: Learner, model: Model, as_of_s: int) -> QualityByGroup:
    """The row of how good the probabilities of a group were."""
    grade = grades.grade(name, learner.overlap, learner.budget_share)
    table = grades.table(name, learner.overlap)
    lead, leads = learner.leads.lead(name), learner.leads.by_period(name)
    return QualityByGroup(
        insight_id=f"quality_by_group/{name[:NAME_CHARS]}",
        as_of=rfc3339(as_of_s),
        text=quality_text(name, grade, table, lead, learner.overlap),
        group=name,
        model_version=model.version,
        **_figures(grade),
        **_early(lead),
        reliability=reliability_rows(table),
        periods=tuple(
            QualityOfPeriod(since=rfc3339(since_s), **_figures(of), **_early(leads.get(since_s, NO_ALERT)))
            for since_s, of in grades.by_period(name, learner.overlap, learner.budget_share).items()
        ),
    )


def reliability_rows(table: Iterable[Reliable]) -> tuple[ReliabilityRow, ...]:
    """A table of reliability as it is shown."""
    return tuple(
        ReliabilityRow(
            outcomes=row.outcomes,
            left=row.left,
            given=round(row.given, DIGITS),
            observed=round(row.observed, DIGITS),
            observed_low=round(row.observed_low, DIGITS),
            observed_high=round(row.observed_high, DIGITS),
        )
        for row in table
    )


FIGURES: Final = (
    "auc",
    "auc_low",
    "auc_high",
    "average_precision",
    "log_loss",
    "calibration_error",
    "precision_at_budget",
)


def _figures(grade: Grade) -> dict[str, Any]:
    return {
        "outcomes": grade.outcomes,
        "left": grade.left,
        **{name: _rounded(getattr(grade, name)) for name in FIGURES},
    }


def _early(lead: Lead) -> dict[str, Any]:
    return {"alerts": lead.alerts, "alerts_left": lead.left, "lead_days_median": lead.days_median}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def quality_text(name: str, grade: Grade, table: list[Reliable], lead: Lead, overlap: float) -> str:
    """The sentence of a row of quality."""
    whose = "Everybody" if name == ALL else said(name)[0].upper() + said(name)[1:]
    left, stayed = round(grade.left / overlap), round((grade.outcomes - grade.left) / overlap)
    if grade.auc is None or grade.auc_low is None or grade.auc_high is None:
        return f"{whose}: not enough outcomes yet: about {left} left and {stayed} stayed; it takes {ENOUGH} of either."
    parts = [f"{whose}: AUC {grade.auc:.2f} ({grade.auc_low:.2f} to {grade.auc_high:.2f}), about {left} customers left"]
    if grade.precision_at_budget is not None:
        parts.append(f"of the likeliest, as many as the alert budget allows, {percent(grade.precision_at_budget)} left")
    if lead.days_median is not None:
        parts.append(f"alerts came {lead.days_median:.0f} days ahead (median)")
    worst = max(table, key=lambda row: abs(row.given - row.observed))
    parts.append(
        f"calibration error {grade.calibration_error:.3f}, largest where {percent(worst.given)} was given "
        f"and {percent(worst.observed)} left"
    )
    return "; ".join(parts) + "."
