"""`churnwatch explain`: the story of an alert adds up, and its proof cannot be had for a false one."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from schemas.alerts import decode_alert
from schemas.journal_dump import encode_journal_line, journal_line
from streams.cli import main
from streams.explain import Explanation
from tests.detectors.lives import event, fold, records, tick


def life() -> list[bytes]:
    """Half a year of sessions, three payments that fail, an end, and a neighbour whose use keeps the feed alive."""
    found = [event("billing.subscription.started", 0, customer="c-1", plan="pro", mrr=50.0)]
    found += [event("usage.session.started", day + 0.5, customer="c-1") for day in range(0, 120, 2)]
    found += [event("usage.session.started", day + 0.4, customer="c-2") for day in range(130)]
    for day in range(3):
        found.append(
            event("billing.payment.failed", 121 + day, customer="c-1", invoice_id=f"i{day}", attempt=1, id=f"f{day}")
        )
    return [*found, event("billing.subscription.cancelled", 130, customer="c-1", voluntary=False)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[bytes]]:
    """Events and the alerts of their replay, in files that all tests read, and the alerts."""
    folder = tmp_path_factory.mktemp("told")
    events, alerts = folder / "events.jsonl", folder / "alerts.jsonl"
    events.write_bytes(b"\n".join(life()))
    assert run("replay", str(events), "--alerts", str(alerts), "--now", "2030-01-01").exit_code == 0
    said = alerts.read_bytes().splitlines()
    assert len(said) >= 2
    return events, alerts, said


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def explained(result: Result) -> Explanation:
    return msgspec.json.decode(result.stdout_bytes, type=Explanation)


def test_an_alert_is_proven_from_the_events_of_its_replay(told: tuple[Path, Path, list[bytes]]) -> None:
    events, alerts, said = told
    alert = decode_alert(said[0]).data
    result = run("explain", alert.alert_id, str(events), "--alerts", str(alerts), "--json")
    assert result.exit_code == 0, result.stderr
    story = explained(result)
    assert story.proven
    assert story.complete
    assert story.customer_id == "c-1"
    assert [r.revision for r in story.revisions] == [decode_alert(v).data.revision for v in said]


def test_strength_times_weight_adds_up_to_the_probability_with_the_events_behind_it(
    told: tuple[Path, Path, list[bytes]],
) -> None:
    events, alerts, said = told
    alert_id = decode_alert(said[0]).data.alert_id
    story = explained(run("explain", alert_id, str(events), "--alerts", str(alerts), "--json"))
    for revision in story.revisions:
        total = revision.base + sum(cause.strength * cause.weight for cause in revision.causes)
        assert total == pytest.approx(revision.log_odds, abs=1e-5)
        assert 1 / (1 + math.exp(-total)) == pytest.approx(revision.churn_probability, abs=1e-5)
    opened = story.revisions[0]
    trouble = next(cause for cause in opened.causes if cause.code == "billing.payment_trouble")
    assert {e.event_id for e in trouble.evidence} <= {"f0", "f1", "f2"}
    assert all(e.type == "billing.payment.failed" for e in trouble.evidence)
    assert trouble.evidence


def test_people_read_the_cards_the_sum_and_the_proof(told: tuple[Path, Path, list[bytes]]) -> None:
    events, alerts, said = told
    alert_id = decode_alert(said[0]).data.alert_id
    text = run("explain", alert_id, str(events), "--alerts", str(alerts)).stdout
    for part in (
        "billing.payment_trouble",
        "base rate",
        "to leave",
        "✔ derived again",
        "Proven from",
        "payment.failed",
    ):
        assert part in text


def test_a_journal_dump_proves_it_as_well(tmp_path: Path) -> None:
    values = sorted(life()[:-1], key=lambda value: msgspec.json.decode(value)["time"])
    journal = records([*values, tick(124)])
    _, snapshot = fold([*values, tick(124)])
    said = [value for _, value, _ in snapshot.writes["churn.alerts"]]
    dump, alerts = tmp_path / "dump.jsonl", tmp_path / "alerts.jsonl"
    dump.write_bytes(b"\n".join(encode_journal_line(journal_line(0, record)) for record in journal))
    alerts.write_bytes(b"\n".join(value or b"" for value in said))
    alert_id = decode_alert(said[0] or b"").data.alert_id
    result = run("explain", alert_id, str(dump), "--journal", "--alerts", str(alerts))
    assert result.exit_code == 0, result.output


def test_the_end_of_one_who_was_erased_is_proven_and_adds_up_to_what_was_said(tmp_path: Path) -> None:
    erasure = event("privacy.erasure.requested", 125, customer="c-1", request_id="r")
    events, alerts = tmp_path / "events.jsonl", tmp_path / "alerts.jsonl"
    events.write_bytes(b"\n".join([*life()[:-1], erasure]))
    assert run("replay", str(events), "--alerts", str(alerts), "--now", "2030-01-01").exit_code == 0
    alert_id = decode_alert(alerts.read_bytes().splitlines()[0]).data.alert_id
    story = explained(run("explain", alert_id, str(events), "--alerts", str(alerts), "--json"))
    assert story.proven
    last = story.revisions[-1]
    assert (last.status, last.alert.outcome) == ("resolved", "erased")
    assert last.churn_probability == pytest.approx(1 / (1 + math.exp(-last.log_odds)), abs=1e-6)


def test_a_journal_that_was_cut_off_proves_nothing_and_says_so(tmp_path: Path) -> None:
    values = sorted(life()[:-1], key=lambda value: msgspec.json.decode(value)["time"])
    journal = records([*values, tick(124)])
    _, snapshot = fold([*values, tick(124)])
    said = snapshot.writes["churn.alerts"][0][1] or b""
    dump, alerts = tmp_path / "dump.jsonl", tmp_path / "alerts.jsonl"
    dump.write_bytes(b"\n".join(encode_journal_line(journal_line(0, record)) for record in journal[40:]))
    alerts.write_bytes(said)
    result = run("explain", decode_alert(said).data.alert_id, str(dump), "--journal", "--alerts", str(alerts))
    assert result.exit_code == 1
    assert "no longer" in result.stdout


def test_an_alert_that_was_tampered_with_is_not_proven(told: tuple[Path, Path, list[bytes]], tmp_path: Path) -> None:
    events, _, said = told
    alerts = tmp_path / "tampered.jsonl"
    alert = decode_alert(said[0]).data
    alerts.write_bytes(b"\n".join(v.replace(b'"mrr":50.0', b'"mrr":51.0') for v in said))
    result = run("explain", alert.alert_id, str(events), "--alerts", str(alerts))
    assert result.exit_code == 1
    assert "✘ not derived again" in result.stdout


def test_another_policy_than_the_one_in_force_is_noticed(told: tuple[Path, Path, list[bytes]], tmp_path: Path) -> None:
    events, alerts, said = told
    policy = tmp_path / "p.toml"
    policy.write_text("[churn]\nbase_rate = 0.04\n")
    alert_id = decode_alert(said[0]).data.alert_id
    result = run("explain", alert_id, str(events), "--alerts", str(alerts), "--policy", str(policy))
    assert result.exit_code == 1
    assert "--policy" in result.stdout


def test_an_unknown_alert_is_one_clear_line(told: tuple[Path, Path, list[bytes]]) -> None:
    events, alerts, _ = told
    result = run("explain", "nobody", str(events), "--alerts", str(alerts))
    assert result.exit_code == 1
    assert result.stderr.strip().endswith(f"no alert nobody in {alerts}")


@pytest.mark.parametrize("options", [["f.jsonl"], ["--journal"], ["--alerts", "a.jsonl"]])
def test_options_that_make_no_sense_together_are_refused(options: list[str]) -> None:
    assert run("explain", "x", *options).exit_code == 2
