"""One alert revision as a card that a retention agent reads: who, how likely, why, what to do, what is at stake."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.alerts import Alert, AlertEvent, RiskLevel, Trend
from streams.terminal import printable

LEVEL_STYLES: Final[dict[RiskLevel, str]] = {
    "low": "green",
    "medium": "yellow",
    "high": "dark_orange",
    "critical": "bold red",
}
TREND_SIGNS: Final[dict[Trend, str]] = {"rising": "↗", "steady": "→", "falling": "↘"}


def card(event: AlertEvent) -> RenderableType:
    """The card of one alert revision; the frame has the colour of the risk level."""
    alert = event.data
    style = LEVEL_STYLES[alert.risk_level]
    change = event.type.split(".")[2]
    title = Text.assemble((alert.risk_level.upper(), style), f"  {printable(alert.customer_id)}  ", (change, "bold"))
    body: list[RenderableType] = [_probability(alert), _reasons(alert)]
    if alert.recommended_actions:
        body.append(_actions(alert))
    return Panel(
        Group(*body),
        title=title,
        title_align="left",
        subtitle=Text(printable(f"{alert.alert_id} · revision {alert.revision} · {alert.as_of}"), "dim"),
        subtitle_align="right",
        border_style=style,
    )


def _probability(alert: Alert) -> Text:
    if alert.lifecycle_stage == "churned":
        text = Text.assemble("has left", f" · {alert.win_back_potential:.0%} to be won back")
    else:
        text = Text.assemble(
            (f"{alert.churn_probability:.0%}", "bold"),
            f" to leave within {alert.horizon_days} days {TREND_SIGNS[alert.trend]} {alert.trend}",
        )
    if alert.previous_probability is not None and alert.lifecycle_stage != "churned":
        text.append(f" (was {alert.previous_probability:.0%})")
    text.append(f" · {alert.churn_type.replace('_', ' ')} · {alert.lifecycle_stage.replace('_', ' ')}")
    if alert.revenue_at_risk is not None:
        risk = alert.revenue_at_risk
        text.append(f" · {risk.mrr:,.2f} {risk.currency} a month, {risk.expected_loss:,.2f} at stake")
    if alert.status != "open":
        text.append(f" · {alert.status}")
    if alert.outcome is not None:
        text.append(f": {alert.outcome.replace('_', ' ')}")
    if alert.last_contact is not None:
        contact = alert.last_contact
        text.append(printable(f" · {contact.playbook.replace('_', ' ')} by {contact.by}"))
    if alert.common_cause is not None:
        text.append(printable(f" · shares incident {alert.common_cause}"))
    if alert.delivery == "hold_out":
        text.append(" · control group: do not act", "italic")
    return text


def _reasons(alert: Alert) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, style="cyan")
    table.add_column()
    for reason in alert.reasons:
        table.add_row(f"{reason.contribution:+.2f}", Text(reason.code), Text(printable(reason.text)))
    return table


def _actions(alert: Alert) -> Text:
    return Text("\n").join(
        Text.assemble(("▸ ", "bold"), printable(action.text)) for action in alert.recommended_actions
    )
