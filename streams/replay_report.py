"""What a replay has to say of itself: as JSON for machines, and in a few lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson
from msgspec import Struct

from detectors.learning.groups import ALL
from detectors.learning.shown import value_rows
from detectors.learning.shown_groups import reasons_rows
from detectors.quality import Quality
from detectors.rules import customers_in
from schemas.insights_value import VALUE_INSIGHTS
from streams.judged import Judgement, judgement
from streams.outcomes import lead_of

if TYPE_CHECKING:
    from streams.replay import Replay


HELD_BACK: Final = ("budget", "common_cause", "rules", "hold_out")


class Report(Struct, frozen=True, kw_only=True):
    """Counts, quality and throughput of one replay; everything but `throughput` follows from the inputs."""

    lines: int
    events: int
    dead_letters: dict[str, int]
    duplicates: int
    customers: int
    ticks: int
    assessments: int
    alerts: dict[str, int]
    alerts_held_back: dict[str, int]
    churned: int
    churned_after_alert: int
    lead_days_median: float | None
    quality: Quality | None
    reliability: list[dict[str, Any]]
    quality_by_group: dict[str, dict[str, Any]]
    quality_over_time: list[dict[str, Any]]
    common_reasons: list[dict[str, Any]]
    learning: dict[str, Any]
    saved_revenue: list[dict[str, Any]]
    survival: list[dict[str, Any]]
    active_life: list[dict[str, Any]]
    policy_version: str
    model_version: str
    throughput: dict[str, float]

    @classmethod
    def of(cls, replay: Replay, elapsed_s: float) -> Report:
        """The report of a replay that is done."""
        stats: Counter[str] = Counter()
        customers = 0
        for partition in replay.partitions.values():
            stats += partition.stats
            customers += sum(1 for _ in customers_in(partition.states))
        learner = replay.lessons.learner
        reasons = [row for row in reasons_rows(learner, replay.lessons.as_of_s) if row.enough or row.group == ALL]
        value = [msgspec.to_builtins(row) for row in value_rows(learner, replay.lessons.as_of_s)]
        gone, warned, lead_days = lead_of(list(replay.outcomes.gone()))
        judged = judgement(replay.outcomes) if replay.options.report is not None else Judgement()
        return cls(
            lines=replay.read,
            events=replay.accepted,
            dead_letters=dict(sorted(replay.refused.items())),
            duplicates=stats["duplicates"],
            customers=customers,
            ticks=stats["ticks"],
            assessments=stats["assessments"],
            alerts={name: stats[f"alerts_{name}"] for name in ("opened", "updated", "escalated", "resolved")},
            alerts_held_back={name: stats[f"held_back_{name}"] for name in HELD_BACK},
            churned=gone,
            churned_after_alert=warned,
            lead_days_median=lead_days,
            quality=replay.outcomes.quality() if replay.options.report is not None else None,
            reliability=judged.reliability,
            quality_by_group=judged.by_group,
            quality_over_time=judged.over_time,
            common_reasons=[msgspec.to_builtins(row) for row in reasons],
            learning=learner.report(),
            **{kind: [row for row in value if row["kind"] == kind] for kind in VALUE_INSIGHTS},
            policy_version=replay.assessor().policy_version,
            model_version=replay.assessor().model.version,
            throughput={"elapsed_s": elapsed_s, "events_per_s": replay.accepted / elapsed_s if elapsed_s else 0.0},
        )

    def json(self) -> bytes:
        """The report as indented JSON."""
        said: dict[str, Any] = msgspec.to_builtins(self)
        said["quality"] = self.quality._asdict() if self.quality is not None else None
        return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def lines_for_people(self) -> Iterator[str]:
        """What was done, in a few lines."""
        refused = sum(self.dead_letters.values())
        yield (
            f"{self.events:,} events of {self.customers:,} customers in {self.throughput['elapsed_s']:.1f} s "
            f"({self.throughput['events_per_s']:,.0f}/s); {self.duplicates:,} duplicates, {refused:,} dead letters"
        )
        for reason, count in self.dead_letters.items():
            yield f"  {count:,} × {reason}"
        a = self.alerts
        yield (
            f"{a['opened']:,} alerts opened, {a['updated']:,} updated, {a['escalated']:,} escalated, "
            f"{a['resolved']:,} resolved"
        )
        if any(self.alerts_held_back.values()):
            held = self.alerts_held_back
            yield (
                f"alerts waited {held['budget']:,} times for the budget, {held['common_cause']:,} for a common cause; "
                f"{held['rules']:,} only new rules would have opened, {held['hold_out']:,} were logged only"
            )
        if self.churned:
            lead = f", {self.lead_days_median:.0f} days ahead (median)" if self.lead_days_median is not None else ""
            yield f"{self.churned:,} cancelled, {self.churned_after_alert:,} of them after an alert{lead}"
        for row in self.common_reasons[:1]:
            if row["enough"]:
                yield f"what they had in common: {row['text']}"
