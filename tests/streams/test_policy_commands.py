"""`churnwatch policy`: what is wrong and where, what another policy would say, and one clear line for an error."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from detectors.policy import Policy
from detectors.policy_text import parse_policy
from streams.cli import main
from streams.policy_diff import Episode, paired
from tests.detectors.lives import event, new_policy, records, tick

NOBODY = "127.0.0.1:1"
LEAVING = [
    *(event("billing.payment.failed", 1 + i / 100, invoice_id="i", attempt=1) for i in range(3)),
    event("usage.session.started", 2),
    *(event("billing.payment.failed", 3 + i / 100, customer="c-2", invoice_id="i", attempt=1) for i in range(2)),
    event("billing.auto_renew.disabled", 3.2, customer="c-2"),
    event("usage.session.started", 9, customer="c-3"),
]


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


@pytest.fixture
def events(tmp_path: Path) -> str:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(LEAVING) + b"\n")
    return str(path)


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_check_names_file_line_key_and_what_is_wrong(tmp_path: Path) -> None:
    bad = written(tmp_path, "bad.toml", "[alerts]\nenter = 3\n[churn]\nbase_rat = 0.1\n")
    found = run("policy", "check", bad)
    assert found.exit_code == 1
    assert found.stdout.splitlines() == [
        f"{bad}:2: alerts.enter: Expected `float` < 1.0",
        f"{bad}:4: churn.base_rat: there is no such key; is `base_rate` meant?",
    ]
    syntax = run("policy", "check", written(tmp_path, "syntax.toml", "[alerts]\n\nenter ="))
    assert (syntax.exit_code, syntax.stdout.count(":3: ")) == (1, 1)


def test_check_passes_what_is_odd_with_a_warning(tmp_path: Path) -> None:
    odd = written(tmp_path, "odd.toml", "[alerts]\nenter = 0.12")
    found = run("policy", "check", odd)
    assert (found.exit_code, found.stdout) == (
        0,
        f"{odd}:1: warning: alerts.exit: equal to `enter`: alerts will flap\n",
    )
    assert parse_policy(Path(odd).read_text()).version in found.stderr


def test_check_of_no_file_is_wrong_usage_and_of_no_text_a_failure(tmp_path: Path) -> None:
    assert run("policy", "check", str(tmp_path / "none.toml")).exit_code == 2
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    found = run("policy", "check", str(tmp_path / "binary.toml"))
    assert (found.exit_code, "UTF-8" in found.stderr) == (1, True)


def test_the_printed_default_is_the_default(tmp_path: Path) -> None:
    printed = run("policy", "default")
    assert parse_policy(printed.stdout) == Policy()
    assert run("policy", "check", written(tmp_path, "p.toml", printed.stdout)).stdout == ""


def test_diff_counts_what_appears_vanishes_and_changes(tmp_path: Path, events: str) -> None:
    keen = written(tmp_path, "keen.toml", '[signals."exit.intent"]\nprior = 7.0\n')
    tame = written(tmp_path, "tame.toml", '[signals."billing.payment_trouble"]\nprior = 0.2\n')
    found = run("policy", "diff", "default", keen, events, "--json")
    assert found.exit_code == 0, found.stderr
    said = msgspec.json.decode(found.stdout)
    assert said["total"] == {"old": 1, "new": 2, "appears": 1, "vanishes": 0, "changes": 0}
    assert [(day, counts["appears"]) for day, counts in said["by_day"].items()] == [
        ("2026-01-02", 0),
        ("2026-01-04", 1),
    ]
    assert [(pair["what"], pair["new"]["customer_id"]) for pair in said["sample"]] == [("appears", "c-2")]
    assert sum(counts["new"] for counts in said["by_level"].values()) == 2
    turned = msgspec.json.decode(run("policy", "diff", keen, "default", events, "--json").stdout)
    assert (turned["total"]["vanishes"], turned["old_version"]) == (1, said["new_version"])
    assert msgspec.json.decode(run("policy", "diff", keen, tame, events, "--json").stdout)["total"]["vanishes"] == 2
    dear = written(tmp_path, "dear.toml", '[signals."billing.payment_trouble"]\nprior = 5.0\n')
    changed = msgspec.json.decode(run("policy", "diff", "default", dear, events, "--json").stdout)
    assert changed["total"]["changes"] == 1
    pair = next(pair for pair in changed["sample"] if pair["what"] == "changes")
    assert (pair["old"]["level"], pair["new"]["level"]) == ("high", "critical")


def test_diff_is_a_table_for_people_and_says_when_there_is_no_difference(tmp_path: Path, events: str) -> None:
    keen = written(tmp_path, "keen.toml", 'name = "keen"\n[signals."exit.intent"]\nprior = 7.0\n')
    shown = run("policy", "diff", "default", keen, events).stdout
    assert "1 appear, 0 vanish, 0 change" in shown.replace("\n", " ")
    assert "2026-01-04" in shown
    assert "c-2" in shown
    same = run("policy", "diff", "default", "default", events)
    assert "0 appear, 0 vanish, 0 change" in same.stdout.replace("\n", " ")
    assert "2026-01-04" not in same.stdout


def test_diff_with_a_wrong_policy_is_one_line(tmp_path: Path, events: str) -> None:
    bad = written(tmp_path, "bad.toml", "[alerts]\nenter = 3")
    found = run("policy", "diff", "default", bad, events)
    assert (found.exit_code, found.stderr.count("\n"), "line 2" in found.stderr) == (1, 1, True)


def test_apply_and_show_without_a_broker_say_so(tmp_path: Path) -> None:
    good = written(tmp_path, "good.toml", "")
    for args in (("apply", good), ("show",)):
        found = run("policy", *args, "--bootstrap", NOBODY)
        assert (found.exit_code, "no Kafka broker answers" in found.stderr) == (1, True), found.stderr


def test_a_replay_of_a_journal_follows_the_policy_that_its_records_bring(tmp_path: Path) -> None:
    from schemas.journal_dump import encode_journal_line, journal_line

    keen = parse_policy('name = "keen"')
    other = written(tmp_path, "other.toml", 'name = "other"')
    journal = records([*LEAVING[:3], tick(1.1), new_policy(1.2, keen), *LEAVING[4:7], tick(4)])
    dump = tmp_path / "dump.jsonl"
    dump.write_bytes(b"".join(encode_journal_line(journal_line(0, record)) + b"\n" for record in journal))
    alerts, report = tmp_path / "alerts.jsonl", tmp_path / "report.json"
    done = run("replay", "--journal", str(dump), "--policy", other, "--alerts", str(alerts), "--report", str(report))
    assert done.exit_code == 0, done.stderr
    versions = [msgspec.json.decode(line)["data"]["policy_version"] for line in alerts.read_bytes().splitlines()]
    assert versions[0] == parse_policy('name = "other"').version
    assert msgspec.json.decode(report.read_bytes())["policy_version"] == keen.version
    assert msgspec.json.decode(report.read_bytes())["customers"] == 2


EPISODES = st.lists(
    st.builds(
        lambda customer, opened, lasts, level: Episode(
            customer, f"{customer}{opened}", f"2026-01-{opened:02}", f"2026-01-{opened + lasts:02}" if lasts else None,
            level, 0.5, "a.b", "price", 1,
        ),
        st.sampled_from("ab"), st.integers(1, 20), st.integers(0, 5), st.sampled_from(["high", "critical"]),
    ),
    max_size=8,
)  # fmt: skip


@given(EPISODES, EPISODES)
def test_every_alert_is_on_one_side_of_one_pair(old: list[Episode], new: list[Episode]) -> None:
    pairs = list(paired(old, new))
    assert sorted(map(repr, old)) == sorted(repr(p.old) for p in pairs if p.old is not None)
    assert sorted(map(repr, new)) == sorted(repr(p.new) for p in pairs if p.new is not None)
    for pair in pairs:
        if pair.old is not None and pair.new is not None:
            assert pair.old.meets(pair.new)
            assert (pair.what == "same") is pair.old.tells_the_same_as(pair.new)
    assert all(pair.what == "same" for pair in paired(old, old))
