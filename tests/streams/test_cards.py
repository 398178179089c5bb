"""The card of an alert, and which alerts are shown."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from schemas.alerts import AlertEvent, RiskLevel, decode_alert
from streams.cards import LEVEL_STYLES, card
from streams.tail import LEVELS, TailOptions, is_wanted

GOLDEN = decode_alert((Path(__file__).parents[1] / "golden" / "alert.json").read_bytes())


def alert(**changed: Any) -> AlertEvent:
    return msgspec.structs.replace(GOLDEN, data=msgspec.structs.replace(GOLDEN.data, **changed))


def printed(event: AlertEvent) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(card(event))
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_a_card_says_who_how_likely_why_what_to_do_and_what_is_at_stake() -> None:
    text, data = printed(GOLDEN), GOLDEN.data
    assert data.revenue_at_risk is not None
    wanted = [
        data.customer_id,
        data.risk_level.upper(),
        f"{data.churn_probability:.0%} to leave within {data.horizon_days} days",
        data.trend,
        data.churn_type,
        f"{data.revenue_at_risk.mrr:,.2f} {data.revenue_at_risk.currency} a month",
        f"{data.alert_id} · revision {data.revision}",
    ]
    wanted += [reason.text for reason in data.reasons] + [f"{reason.contribution:+.2f}" for reason in data.reasons]
    wanted += [action.text for action in data.recommended_actions]
    assert [part for part in wanted if part not in text] == []


def test_a_card_needs_neither_revenue_nor_reasons_nor_actions() -> None:
    bare = alert(revenue_at_risk=None, reasons=(), recommended_actions=(), previous_probability=None)
    assert "a month" not in printed(bare)


def test_a_card_says_when_one_must_not_act() -> None:
    assert "control group: do not act" in printed(alert(delivery="hold_out"))


def test_what_an_event_says_is_never_taken_for_markup() -> None:
    assert "[bold]c-1[/bold]" in printed(alert(customer_id="[bold]c-1[/bold]"))
    reason = msgspec.structs.replace(GOLDEN.data.reasons[0], text="from pro[/b] to [red]max\x1b[2J")
    text = printed(alert(reasons=(reason,)))
    assert "from pro[/b] to [red]max\\x1b[2J" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_has_a_colour_of_its_own(level: RiskLevel) -> None:
    assert len(set(LEVEL_STYLES.values())) == len(LEVELS)
    assert LEVEL_STYLES[level]


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_lets_itself_and_all_above_through(level: RiskLevel) -> None:
    options = TailOptions("127.0.0.1:9092", level=level)
    shown = [other for other in LEVELS if is_wanted(alert(risk_level=other), options)]
    assert shown == list(LEVELS[LEVELS.index(level) :])


def test_a_customer_is_shown_alone() -> None:
    options = TailOptions("127.0.0.1:9092", customer="c-9")
    assert is_wanted(alert(customer_id="c-9"), options)
    assert not is_wanted(alert(customer_id="c-99"), options)
