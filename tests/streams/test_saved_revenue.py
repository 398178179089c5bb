"""Saved revenue through a whole replay: what calling achieves is found, and what it does not is not claimed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from detectors.hold_out import is_held_out
from detectors.policy_text import parse_policy
from streams.replay import run
from streams.replay_options import ReplayOptions
from tests.detectors.lives import START_S, event

TEXT = "[hold_out]\nshare = 0.3\n[budget]\nburst = 1000\n"
POLICY = parse_policy(TEXT)
CUSTOMERS = 400
PLAYBOOK = "update_payment_method"
LEAVING, SAVED = 0.5, 0.8  # of those in trouble; of those who are called


def history(*, works: bool, seed: int = 1) -> list[bytes]:
    """Customers whose payments fail; the team calls all but the control group, which works or does not."""
    rng, found = random.Random(seed), []
    for number in range(CUSTOMERS):
        customer = f"c-{number}"
        found.append(event("billing.subscription.started", 0.1, customer=customer, plan="pro", mrr=50.0))
        for i in range(4):
            day = 3 + i / 8
            found.append(event("billing.payment.failed", day, customer=customer, invoice_id=f"i-{i}", attempt=1))
        called = not is_held_out(customer, POLICY.hold_out)
        if called:
            found.append(event("retention.customer.contacted", 5, customer=customer, playbook=PLAYBOOK, by="ann"))
        if rng.random() < LEAVING and not (works and called and rng.random() < SAVED):
            day = 6 + 20 * rng.random()
            found.append(event("billing.subscription.cancelled", day, customer=customer, voluntary=False))
    return [*found, event("usage.session.started", 45, customer="last")]


def report(tmp_path: Path, lines: list[bytes], policy: str = TEXT) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report of a replay, and its insights."""
    for name, content in (("events.jsonl", b"\n".join(lines)), ("policy.toml", policy.encode())):
        (tmp_path / name).write_bytes(content)
    said, rows = tmp_path / "report.json", tmp_path / "insights.jsonl"
    run(
        ReplayOptions(
            (str(tmp_path / "events.jsonl"),),
            policy=str(tmp_path / "policy.toml"),
            report=str(said),
            insights=str(rows),
            now_s=START_S + 1e9,
        )
    )
    return orjson.loads(said.read_bytes()), [orjson.loads(line) for line in rows.read_bytes().splitlines()]


@pytest.mark.parametrize("works", [True, False])
def test_what_calling_saves_is_found_and_nothing_is_claimed_where_it_saves_nobody(tmp_path: Path, works: bool) -> None:
    said, rows = report(tmp_path, history(works=works))
    row = said["saved_revenue"][0]
    control, delivered = row["control"], row["delivered"]
    assert control["alerts"] + delivered["alerts"] == CUSTOMERS
    assert (control["contacted"], delivered["contacted"]) == (0, delivered["alerts"])
    saved = row["saved"]
    assert (saved["low"] > 0.0) == works
    assert saved["low"] < (LEAVING * SAVED if works else 0.0) < saved["high"]
    money = row["revenue"][0]
    assert money["delivered"] == 50.0 * delivered["alerts"]
    assert (money["saved"]["low"] > 0.0) == works
    named = {each["insight_id"] for each in rows}
    assert named >= {
        "saved_revenue/all",
        "saved_revenue/reason/billing.payment_trouble",
        "saved_revenue/recommended/update_payment_method",
        "saved_revenue/done/update_payment_method",
    }
    assert next(each for each in rows if each["insight_id"] == "saved_revenue/all")["saved"] == saved


def test_without_a_control_group_it_says_that_nothing_can_be_told(tmp_path: Path) -> None:
    said, _ = report(tmp_path, history(works=True)[:21], "")
    (row,) = said["saved_revenue"]
    assert row["text"].startswith("No control group (hold_out.share)")
    assert row["saved"] is None
