"""What a release has stored, every later one reads, and goes on from."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.customer import HEADER, VERSION, load
from detectors.learning.learner import Learner
from detectors.records import DEAD, Snapshot
from detectors.rules import RULES_KEY, is_customer
from tests.detectors.lives import POLICY, alerts_of, partition, records, tick
from tests.golden.stored import (
    CUT_DAY,
    FOLDER,
    HORIZON_DAYS,
    STRUCTS,
    Golden,
    fields_of,
    history,
    path_of,
    read,
    told,
    write,
)

FILES = sorted(FOLDER.glob("v*.json"))
TODAY = path_of(VERSION)


def gone_on(golden: Golden) -> tuple[dict[bytes, bytes], Snapshot]:
    """The states and what was written after the second half of the stories, from a golden state on."""
    p = partition(golden.stored(), examples=True)
    p.feed(records(history(CUT_DAY, 365.0), golden.position))
    return p.states, p.snapshot()


def test_todays_stored_form_has_a_file() -> None:
    """`python -m tests.golden.stored` writes it."""
    assert TODAY in FILES
    assert {path.name for path in FILES if read(path).released is None} <= {TODAY.name}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_stored_state_says_what_it_said_when_it_was_written(path: Path) -> None:
    golden = read(path)
    stored = golden.stored()
    found = {key.decode(): told(load(state)) for key, state in stored.items() if is_customer(key)}
    assert found == golden.customers
    assert any("open" in said for said in found.values())
    p = partition(stored, examples=True)
    assert p.position == golden.position
    assert p.rules.assessor.policy.churn.horizon_days == HORIZON_DAYS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_worker_goes_on_from_a_stored_state_and_stores_todays_form(path: Path) -> None:
    golden = read(path)
    open_then = {said[7]: said[8] for said in golden.customers.values() if "open" in said}
    states, snapshot = gone_on(golden)
    assert not snapshot.writes.get(DEAD)
    first: dict[str | int | None, int] = {}
    for event in alerts_of(snapshot):
        first.setdefault(event.data.alert_id, event.data.revision)
    assert {alert_id: first[alert_id] - 1 for alert_id in open_then} == open_then
    assert {HEADER.unpack_from(states[key.encode()])[2] for key in golden.customers} == {VERSION}
    assert RULES_KEY in states


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_learner_goes_on_from_a_stored_state(path: Path) -> None:
    golden = read(path)
    learner = Learner(POLICY)
    learner.restore(golden.learned())
    assert learner.learned > 0
    again = Learner(POLICY)  # of another policy, perhaps, than the one that it learned with
    again.restore(learner.snapshot())
    assert again.snapshot() == learner.snapshot()


def test_fields_are_only_ever_appended() -> None:
    """A field in another place would be read as another one, without an error where the types allow it."""
    golden = read(TODAY)
    for kind in STRUCTS:
        then = golden.fields[kind.__name__]
        assert fields_of(kind)[: len(then)] == then, f"{kind.__name__}: raise VERSION, and keep the old form readable"


def test_a_file_that_has_gone_out_is_never_written_again(tmp_path: Path) -> None:
    path = tmp_path / "v2.json"
    assert write(path, None)
    assert write(path, "0.1.0")
    before = path.read_bytes()
    assert not write(path, None)
    assert path.read_bytes() == before


LATER = (
    b'{"specversion":"1.0","id":"x","source":"/churnwatch/clock","type":"churn.journal.moon_phase.v1",'
    b'"time":"2026-01-01T00:00:00Z","data":{}}'
)


def test_a_control_record_of_a_later_release_is_a_dead_letter_and_all_goes_on() -> None:
    """Old and new workers run side by side during an upgrade."""
    p = partition()
    p.feed(records([tick(1.0), LATER, tick(2.0)]))
    assert [value for _, value, _ in p.snapshot().writes[DEAD]] == [LATER]
    assert p.stats["ticks"] == 2
