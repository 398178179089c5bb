"""`churnwatch model` on what a replay or a learner has written: shown as it is, refused where it cannot be meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from detectors.learning.served import ANSWERS
from schemas.insights import encode_insight
from streams.cli import main
from tests.streams.test_learner import WHOLE, models
from tests.streams.test_learner_commands import STEERED


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The rows that a learner leaves whom somebody has steered, the newest of each id."""
    path = tmp_path_factory.mktemp("rows") / "insights.jsonl"
    newest = [found[-1] for found in STEERED.rows_of.values()]
    path.write_bytes(b"".join(encode_insight(row) + b"\n" for row in newest))
    return str(path)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["model", *args])


def test_the_list_has_what_decides_what_stands_beside_it_and_what_can_come_back(rows: str) -> None:
    done = run("list", "--from", rows)
    assert done.exit_code == 0, done.output
    for version in set(models(STEERED)):
        assert version in done.stdout
    assert "decides" in done.stdout
    assert f"{models(STEERED)[-1]} is in force, by the learner's own choice." in done.stdout
    said = json.loads(run("list", "--from", rows, "--json").stdout)
    assert said["in_force"] == models(STEERED)[-1]
    assert [answer["id"] for answer in said["answers"]] == ["p-1", "b-1", "r-1", "p-2"]


def test_a_model_is_shown_with_its_weights_the_one_in_force_or_one_that_is_named(rows: str) -> None:
    first = models(STEERED)[0]
    assert json.loads(run("show", "--from", rows, "--json").stdout)["version"] == models(STEERED)[-1]
    assert json.loads(run("show", first, "--from", rows, "--json").stdout)["version"] == first
    assert f"{first}, handed over " in run("show", first, "--from", rows).stdout
    gone = run("show", "online-0-00000000", "--from", rows)
    assert gone.exit_code == 1
    assert "is not kept" in gone.stderr


def test_a_plan_that_is_weighed_is_neither_markup_nor_moves_a_cursor(rows: str, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in Path(rows).read_text().splitlines()]
    row = next(line for line in lines if line["kind"] == "models")
    row["text"] += "\x1b[2J"
    for kept in row["retained"]:
        kept["features"] = {"plan:pro[/b]\x1b[2J": 3.0}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    shown, listed = (run(name, "--from", str(tmp_path / "rows.jsonl")) for name in ("show", "list"))
    assert (shown.exit_code, listed.exit_code) == (0, 0)
    assert "plan:pro[/b]\\x1b[2J" in shown.stdout
    assert "\x1b" not in shown.stdout + listed.stdout


def test_the_card_is_a_page_or_an_object(rows: str) -> None:
    page = run("card", "--from", rows)
    assert page.exit_code == 0, page.output
    assert page.stdout.startswith(f"# Model card: {models(STEERED)[-1]}\n")
    assert "\n## Limits\n" in page.stdout
    said = json.loads(run("card", "--from", rows, "--json").stdout)
    assert (said["kind"], said["version"]) == ("model_card", models(STEERED)[-1])
    assert said["examples"] == WHOLE.quality[-1].examples


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no row models: it is written when a model is handed over for the first time"),
        ("not a row\n", "line 1: not an insight"),
        ('{"kind":"models","insight_id":"models"}\n', "the row models is not of this release"),
    ],
)
def test_a_file_that_has_no_such_row_or_a_broken_one_is_one_line_and_exit_code_1(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    done = run("list", "--from", str(path))
    assert done.exit_code == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["promote", "rollback", "release"])
def test_how_many_ids_are_known_again_is_said_where_one_is_given(name: str) -> None:
    assert f"among the newest {ANSWERS}." in " ".join(run(name, "--help").stdout.split())


@pytest.mark.parametrize(
    "args",
    [
        ("promote", ""),
        ("rollback", "v" * 200),
        ("release", "--reason", "x" * 201),
        *((*name, "--id", "") for name in (("promote", "quick"), ("rollback",), ("release",))),
    ],
)
def test_what_cannot_be_asked_for_is_wrong_usage_and_nothing_is_sent(args: tuple[str, ...]) -> None:
    done = run(*args, "--bootstrap", "127.0.0.1:1")
    assert done.exit_code == 2, done.output
    assert "this cannot be asked for" in done.stderr
