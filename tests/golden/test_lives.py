"""A customer's year for each churn type: the alerts and sentences in full, byte for byte.

After a change that is meant: `python -m tests.golden.renew`, and read the difference in the `.txt` pages.
"""

from __future__ import annotations

from typing import get_args

import orjson
import pytest

from schemas.alerts import ChurnType
from tests.golden.renew import LIVES, alerts_of, page
from tests.golden.stories import STORIES


def test_there_is_a_life_for_each_churn_type() -> None:
    assert set(STORIES) == set(get_args(ChurnType))
    names = {f"{name}{end}" for name in STORIES for end in (".alerts.jsonl", ".txt")}
    assert {path.name for path in LIVES.iterdir()} - {"payment_trouble.jsonl"} == names


@pytest.mark.parametrize("name", STORIES)
def test_the_alerts_and_sentences_of_a_life_are_the_golden_ones(name: str) -> None:
    found = alerts_of(name)
    assert found == (LIVES / f"{name}.alerts.jsonl").read_bytes()
    assert page(name, found) == (LIVES / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", STORIES)
def test_only_the_one_in_trouble_is_alerted_and_is_so_before_leaving(name: str) -> None:
    alerts = [orjson.loads(line)["data"] for line in (LIVES / f"{name}.alerts.jsonl").read_bytes().splitlines()]
    left_at = max(orjson.loads(line)["time"] for line in STORIES[name]() if b"subscription.cancelled" in line)
    assert {alert["customer_id"] for alert in alerts} == {"c-1"}
    assert min(alert["as_of"] for alert in alerts) < left_at
    assert alerts[-1]["status"] == "resolved"
