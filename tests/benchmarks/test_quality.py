"""The quality benchmark: fair to everybody, and the made-up businesses are what they say."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import orjson
import pytest

from benchmarks.businesses import BUSINESSES, events
from benchmarks.quality import Witness, figures
from benchmarks.raw_features import raw_features
from benchmarks.rivals import Array, Fitted, Rows, buy_till_you_die, refitted
from detectors.policy import Policy
from schemas.intake import Accepted, read_event
from streams.replay_options import ReplayOptions
from tests.streams.test_replay import NOW_S

DAY_S = 86_400
HORIZON_S = 30 * DAY_S


@pytest.mark.parametrize("business", sorted(BUSINESSES))
def test_a_business_is_a_function_of_its_seed_and_keeps_the_contract(business: str) -> None:
    lines = events(business, customers=20, days=60)
    assert lines == events(business, customers=20, days=60)
    assert lines != events(business, customers=20, days=60, seed=2)
    assert all(isinstance(read_event(line, (), NOW_S), Accepted) for line in lines)
    times = [orjson.loads(line)["time"] for line in lines]
    assert times == sorted(times)


def test_features_of_an_analyst_follow_from_the_events_before_them(tmp_path: Path) -> None:
    lines = events("grocer", customers=12, days=90)
    whole, early = tmp_path / "whole.jsonl", tmp_path / "early.jsonl"
    now_s = 1_000 + min(time_of(line) for line in lines) // DAY_S * DAY_S + 60 * DAY_S
    whole.write_bytes(b"\n".join(lines) + b"\n")
    early.write_bytes(b"\n".join([b"{}", *(line for line in lines if time_of(line) <= now_s)]) + b"\n")
    known = sorted({orjson.loads(line)["subject"] for line in early.read_bytes().splitlines()[1:]})
    asked = known, np.full(len(known), now_s)
    assert len(known) > 3
    kinds = {orjson.loads(line)["type"] for line in lines if time_of(line) <= now_s}
    assert kinds == {orjson.loads(line)["type"] for line in lines}
    assert raw_features(str(whole), *asked).tolist() == raw_features(str(early), *asked).tolist()


def time_of(line: bytes) -> float:
    return datetime.fromisoformat(orjson.loads(line)["time"]).timestamp()


def rows(left: Array, x: Array, weeks: int) -> Rows:
    n = len(left)
    return Rows(x, np.repeat(np.arange(weeks), n // weeks) * 7 * DAY_S, left, np.full(n, 0.5), ["c"] * n, ["a"])


def test_a_rival_is_told_only_what_has_matured() -> None:
    told: list[tuple[float, int]] = []

    def fit(x: Array, left: Array) -> Fitted:
        told.append((float(x[:, 0].max()), len(left)))
        return lambda each: np.full(len(each), 0.5)

    weeks = 12
    when = np.repeat(np.arange(weeks), 10) * 7.0
    given = refitted(rows(np.tile([0.0, 1.0], 60), when[:, None], weeks), fit, HORIZON_S)
    assert np.isnan(given[when < 35]).all()  # nothing had matured
    assert np.isfinite(given[when >= 35]).all()
    assert [latest for latest, _ in told] == [0.0, 28.0]  # at day 35 what was true on day 0, at day 63 on day 28
    assert [n for _, n in told] == [10, 50]


def test_buy_till_you_die_knows_who_buys_often_from_who_has_stopped() -> None:
    now_d = 200
    rng = np.random.default_rng(1)
    orders = {f"c{i}": [d * DAY_S for d in np.cumsum(rng.exponential(10 + i, 15)) if d < now_d] for i in range(40)}
    orders["stopped"] = [d * DAY_S for d in range(0, 60, 5)]
    orders["buys"] = [d * DAY_S for d in range(140, 200, 5)]
    asked = Rows(np.zeros((2, 1)), np.full(2, now_d * DAY_S), np.zeros(2), np.zeros(2), ["stopped", "buys"], ["a"])
    stopped, buys = buy_till_you_die(asked, {who: sorted(times) for who, times in orders.items() if times}, HORIZON_S)
    assert stopped > 0.9 > 0.3 > buys


@pytest.mark.whole
def test_ours_is_judged_on_rows_that_everybody_has(tmp_path: Path) -> None:
    from contextlib import ExitStack

    path = tmp_path / "loyal.jsonl"
    path.write_bytes(b"\n".join(events("loyal", customers=60, days=120)))
    with ExitStack() as stack:
        witness = Witness(ReplayOptions(files=(str(path),), report="-", now_s=NOW_S), Policy(), stack)
        witness.run_events()
        witness.flush(always=True)
    found = witness.rows()
    assert len(found.left) == len(found.given) == len(found.x) == len(found.customers)
    assert found.time_s.max() + HORIZON_S <= witness.outcomes._end_s
    quality = figures(found, found.given, found.time_s.min() + HORIZON_S, Policy())
    assert 0 < quality.rows < len(found.left)
    assert witness.lessons.learner.learned > 0
