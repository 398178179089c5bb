"""Whole seeded lives through the detector: faults on the way change no alert, and trouble is told before it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.deadletters import REASONS
from streams.replay import run
from streams.replay_options import ReplayOptions
from streams.replay_report import Report
from streams.simulate import SimulateOptions, simulate_to_file

pytestmark = pytest.mark.whole
SEED, START_S, NOW_S = 5, 1_767_225_600.0, 1_900_000_000.0


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Report]:
    """What is said of events that came as they happened."""
    return replayed(tmp_path_factory.mktemp("clean"), faults=False)


def replayed(folder: Path, *, faults: bool) -> tuple[list[dict[str, Any]], Report]:
    """The alerts of a simulated half year, without the offsets that they follow from."""
    events, alerts = folder / "events.jsonl", folder / "alerts.jsonl"
    simulate_to_file(SimulateOptions(60, 180, SEED, START_S, str(events), faults=faults))
    options = ReplayOptions((str(events),), alerts=str(alerts), report=str(folder / "report"), now_s=NOW_S)
    report = run(options)
    found = [orjson.loads(line) for line in alerts.read_bytes().splitlines()]
    for alert in found:
        del alert["data"]["evidence_range"]
    return found, report


def test_duplicates_late_reordered_and_broken_events_change_no_alert(
    clean: tuple[list[dict[str, Any]], Report], tmp_path: Path
) -> None:
    faulty, report = replayed(tmp_path, faults=True)
    assert faulty == clean[0]
    assert faulty
    assert report.duplicates > 100
    assert set(report.dead_letters) == set(REASONS) - {"detector_failed"}


def test_most_who_leave_were_alerted_before(clean: tuple[list[dict[str, Any]], Report]) -> None:
    _, report = clean
    assert report.churned >= 10
    assert report.churned_after_alert >= 0.6 * report.churned
    assert report.quality is not None
    within = report.quality.roc_auc_within_landmarks  # pooled, it would also ask how the base rate drifts
    assert within is not None
    assert within > 0.65
