"""`churnwatch insights`: what stands, by kind and group, as people and as machines read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from detectors.learning.learner import Learner
from detectors.learning.shown import learned_rows
from detectors.policy import Policy
from schemas.insights import encode_insight
from streams.cli import main
from tests.detectors.learning.test_learner import example


def rows() -> list[bytes]:
    """What a learner says after a few outcomes."""
    learner = Learner(Policy())
    for number in range(200):
        learner.learn(example(number, left=number % 3 == 0, segments=("plan:pro",)))
    return [encode_insight(row) for row in learned_rows(learner, learner.model(), 1_772_600_767)]


ROWS = rows()
STATE = b'{"kind":"learner_state","insight_id":"learner_state","as_of":"2026-03-04T05:06:07Z","text":"State."}'
STRANGE = b'{"kind":"moon_phase","insight_id":"moon_phase/1","as_of":"2026-03-04T05:06:07Z","text":"Full.","share":1.0}'


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join([STRANGE, *ROWS[::-1], STATE]) + b"\n")
    return str(path)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["insights", *args])


def test_everything_for_people_is_listed_in_order_with_its_sentence(file: str) -> None:
    done = run("list", "--from", file)
    ids = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert done.exit_code == 0
    assert ids == sorted(ids)
    assert {"moon_phase/1", "common_reasons/all", "quality_by_group/plan:pro"} <= set(ids)
    assert "learner_state" not in ids
    assert "Not enough outcomes yet (stage lead)" in done.stdout
    assert done.stderr == f"{len(ids):,} insights\n"


def test_a_kind_and_a_group_are_listed_alone_byte_for_byte(file: str) -> None:
    done = run("list", "--from", file, "--kind", "quality_by_group", "--group", "plan:pro", "--json")
    assert [line for line in ROWS if b'"quality_by_group/plan:pro"' in line] == done.stdout_bytes.splitlines()
    assert run("list", "--from", file, "--kind", "learner_state", "--json").stdout_bytes == STATE + b"\n"


def test_an_insight_is_shown_whole_also_of_a_kind_that_is_not_known(file: str) -> None:
    done = run("show", "quality_by_group/all", "moon_phase/1", "--from", file)
    assert done.exit_code == 0
    for said in ("reliability", "observed_low", "periods", "2001-", "Full.", "share"):
        assert said in done.stdout
    assert run("show", "common_reasons/all", "--from", file, "--json").stdout_bytes.rstrip(b"\n") in ROWS


NAMED = (
    '{"kind":"common_reasons","insight_id":"common_reasons/plan:pro[/b]","as_of":"","text":"Of pro[/b]\\u001b[2J.",'
    '"group":"plan:pro[/b]","signals":[{"name":"[red]a[/x]\\u001b[1A","left":3}]}\n'
)


def test_a_plan_is_neither_markup_nor_moves_a_cursor_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(NAMED)
    source = ("--from", str(tmp_path / "rows.jsonl"))
    listed, shown = run("list", *source), run("show", "common_reasons/plan:pro[/b]", *source)
    for done in (listed, shown):
        assert done.exit_code == 0, done.output
        assert "Of pro[/b]\\x1b[2J." in done.stdout
        assert "\x1b" not in done.stdout
    assert "[red]a[/x]\\x1b[1A" in shown.stdout


def test_an_id_that_does_not_stand_is_named(file: str) -> None:
    done = run("show", "common_reasons/all", "common_reasons/plan:none", "--from", file)
    assert done.exit_code == 1
    assert "no insight has the id common_reasons/plan:none" in done.stderr


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"kind":"x"}', b"\xff"])
def test_a_line_that_is_no_insight_is_named(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "rows.jsonl").write_bytes(STRANGE + b"\n" + line + b"\n")
    done = run("list", "--from", str(tmp_path / "rows.jsonl"))
    assert done.exit_code == 1
    assert "line 2: not an insight" in done.stderr
