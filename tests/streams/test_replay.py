"""`churnwatch replay`: the same bytes for the same events, however they lie in the files."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from schemas.deadletters import decode_dead_letter_line
from schemas.journal_dump import encode_journal_line, journal_line
from streams.failures import Failure
from streams.replay import run
from streams.replay_options import ReplayOptions
from tests.detectors.lives import START_S, at, event, fold, records, tick

NOW_S = START_S + 10_000 * 86_400.0


def life(customer: str, shift_d: float = 0.0) -> list[bytes]:
    """Half a year of sessions that end, failing payments, and a cancellation."""
    sessions = [event("usage.session.started", shift_d + d, customer=customer) for d in range(0, 120, 2)]
    failed = [
        event("billing.payment.failed", shift_d + 130 + d, customer=customer, invoice_id=f"i{d}", attempt=1)
        for d in range(3)
    ]
    return [
        event("billing.subscription.started", shift_d, customer=customer, plan="pro", mrr=50.0),
        *sessions,
        *failed,
        event("billing.subscription.cancelled", shift_d + 160, customer=customer),
    ]


def healthy(customer: str, days: int = 200) -> list[bytes]:
    return [event("usage.session.started", d + 0.3, customer=customer) for d in range(days)]


EVENTS = [*life("c-1"), *life("c-2", 7.25), *healthy("c-3"), *healthy("c-4")]


def replay(tmp_path: Path, lines: list[bytes], name: str = "events.jsonl", **options: Any) -> dict[str, bytes]:
    """Replay lines; returns what each output holds."""
    source = tmp_path / name
    text = b"\n".join(lines) + b"\n" if lines else b""
    if name.endswith(".gz"):
        source.write_bytes(gzip.compress(text))
    elif name.endswith(".zst"):
        source.write_bytes(zstandard.compress(text))
    else:
        source.write_bytes(text)
    outputs = {kind: tmp_path / f"{kind}.out" for kind in ("alerts", "scores", "report", "dlq")}
    settings: dict[str, Any] = {"score_every_s": 7 * 86_400.0, "now_s": NOW_S, **options}
    settings |= {kind: str(path) for kind, path in outputs.items()}
    run(ReplayOptions(files=(str(source),), **settings))
    return {kind: path.read_bytes() for kind, path in outputs.items()}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the events give as they are."""
    return replay(tmp_path_factory.mktemp("plain"), EVENTS)


def without_throughput(report: bytes) -> dict[str, Any]:
    said: dict[str, Any] = orjson.loads(report)
    del said["throughput"]
    return said


def test_two_replays_give_identical_bytes(tmp_path: Path, plain: dict[str, bytes]) -> None:
    first, second = plain, replay(tmp_path, EVENTS)
    assert first["alerts"] == second["alerts"] != b""
    assert first["scores"] == second["scores"] != b""
    assert without_throughput(first["report"]) == without_throughput(second["report"])


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_and_duplicated_lines_give_the_same_bytes(tmp_path: Path, plain: dict[str, bytes], seed: int) -> None:
    lines = [*EVENTS, *random.Random(seed).sample(EVENTS, 40)]
    random.Random(seed).shuffle(lines)
    found = replay(tmp_path, lines)
    ids = [[orjson.loads(line)["id"] for line in out["alerts"].splitlines()] for out in (found, plain)]
    assert ids[0] == ids[1]
    assert found["scores"] == plain["scores"]
    assert without_throughput(found["report"])["duplicates"] == 40


@pytest.mark.parametrize("name", ["events.jsonl.gz", "events.jsonl.zst"])
def test_packed_files_give_the_same_bytes_as_plain_ones(tmp_path: Path, plain: dict[str, bytes], name: str) -> None:
    assert replay(tmp_path, EVENTS, name)["alerts"] == plain["alerts"]


def test_score_rows_at_each_multiple_since_the_epoch_for_all_who_have_not_cancelled(plain: dict[str, bytes]) -> None:
    rows = [orjson.loads(line) for line in plain["scores"].splitlines()]
    week_s = 7 * 86_400
    first_s = -(-START_S // week_s) * week_s
    assert rows[0]["as_of"] == at((first_s - START_S) / 86_400)
    times = sorted({row["as_of"] for row in rows})
    assert len(times) == (START_S + 199 * 86_400 - first_s) // week_s + 1
    last_of = {row["customer_id"]: row["as_of"] for row in rows}
    assert last_of["c-1"] < at(160) < last_of["c-3"]
    assert [row["customer_id"] for row in rows if row["as_of"] == times[2]] == ["c-1", "c-2", "c-3", "c-4"]


def test_a_score_has_seen_events_up_to_its_time_only(tmp_path: Path) -> None:
    week_d = 7 - START_S / 86_400 % 7 + 14  # a multiple of seven days since the epoch, in days after the start
    before = [event("billing.payment.failed", week_d - i / 100, invoice_id="i", attempt=1) for i in range(3)]
    after = [event("billing.payment.failed", week_d + 1 / 86_400, invoice_id="j", attempt=1)]
    rows = replay(tmp_path, [*before, *after, *healthy("c-9", 40)])["scores"].splitlines()
    said = {(row["customer_id"], row["as_of"]): row for row in map(orjson.loads, rows)}
    assert said["c-1", at(week_d)]["reasons"] == [{"code": "billing.payment_trouble", "contribution": 1.6}]
    shifted = replay(tmp_path, [*before[1:], *after, *healthy("c-9", 40)])["scores"].splitlines()
    found = {(row["customer_id"], row["as_of"]): row for row in map(orjson.loads, shifted)}
    assert found["c-1", at(week_d)]["reasons"] == [{"code": "billing.payment_trouble", "contribution": 0.8}]


def test_until_leaves_out_what_came_later(tmp_path: Path, plain: dict[str, bytes]) -> None:
    whole = plain["alerts"].splitlines()
    until_s = START_S + 140.0 * 86_400
    part = replay(tmp_path, EVENTS, until_s=until_s)["alerts"].splitlines()
    assert part
    assert [line for line in whole if orjson.loads(line)["time"] <= at(140)][: len(part)] == part


def test_dead_letters_name_file_line_and_reason_and_keep_the_bytes(tmp_path: Path) -> None:
    future = event("usage.session.started", 20_000)
    bad = [b"{", b'{"specversion":"1.0"}', event("no.such.type", 1), event("usage.session.ended", 1), future]
    feedback = event("retention.alert.acknowledged", 5, alert_id="unknown", by="ann")
    out = replay(tmp_path, [EVENTS[0], *bad, feedback])
    letters = [decode_dead_letter_line(line) for line in out["dlq"].splitlines()]
    assert [(x.reason, x.stage, x.line) for x in letters] == [
        ("not_json", "intake", 2),
        ("not_an_event", "intake", 3),
        ("unknown_type", "intake", 4),
        ("wrong_shape", "intake", 5),
        ("from_the_future", "intake", 6),
        ("out_of_range", "detector", 7),
    ]
    assert [x.value for x in letters] == [*bad, feedback]
    assert all(x.file.endswith("events.jsonl") for x in letters)
    assert orjson.loads(out["report"])["dead_letters"]["out_of_range"] == 1


def test_a_replay_of_a_journal_gives_the_alerts_of_the_fold_that_read_it(tmp_path: Path) -> None:
    values = [*EVENTS[:70], tick(136), *EVENTS[70:80], tick(150)]
    _, snapshot = fold(values)
    dump = [encode_journal_line(journal_line(0, r)) for r in records(values)]
    random.Random(1).shuffle(dump)
    found = replay(tmp_path, dump, journal=True)["alerts"].splitlines()
    assert found == [value for _, value, _ in snapshot.writes["churn.alerts"]]


def test_the_report_judges_what_was_said_before_it_was_known(plain: dict[str, bytes]) -> None:
    report = orjson.loads(plain["report"])
    assert report["churned"] == report["churned_after_alert"] == 2
    assert 0 < report["lead_days_median"] < 60
    assert report["quality"]["left"] == 8
    assert report["quality"]["roc_auc"] > 0.9


def test_the_report_judges_groups_and_every_four_weeks_and_they_add_up(plain: dict[str, bytes]) -> None:
    report = orjson.loads(plain["report"])
    whole, groups, periods = report["quality"], report["quality_by_group"], report["quality_over_time"]
    assert {name: groups["all"][name] for name in whole} == whole
    for kind in ("stage:", "known_by:"):
        of_kind = [each for name, each in groups.items() if name.startswith(kind)]
        assert sum(each["rows"] for each in of_kind) == whole["rows"]
        assert sum(each["left"] for each in of_kind) == whole["left"]
    assert (groups["plan:pro"]["left"], groups["plan:pro"]["rows"] < whole["rows"]) == (whole["left"], True)
    assert (groups["plan:pro"]["churned"], groups["plan:pro"]["churned_after_alert"]) == (2, 2)
    assert groups["plan:pro"]["lead_days_median"] == groups["all"]["lead_days_median"] == report["lead_days_median"]
    assert [each["since"] for each in periods] == sorted(each["since"] for each in periods)
    assert sum(each["rows"] for each in periods) == whole["rows"]
    assert sum(each["churned"] for each in periods) == 2
    assert sum(row["left"] for row in report["reliability"]) == whole["left"]
    error = sum(row["rows"] * abs(row["given"] - row["observed"]) for row in report["reliability"]) / whole["rows"]
    assert error == pytest.approx(whole["calibration_error"], abs=1e-5)


def test_common_reasons_are_in_the_report_and_among_the_insights(tmp_path: Path) -> None:
    """Those who cannot pay leave, and nobody else."""
    lines = []
    for number in range(96):
        name, stays_d = f"c-{number}", 100 if number % 3 else 30 + number / 3
        lines.append(event("billing.subscription.started", 0.1, customer=name, plan="pro", mrr=50.0))
        lines += [event("usage.session.started", d + 0.3, customer=name) for d in range(0, int(stays_d), 9)]
        if not number % 3:
            lines += [event("billing.payment.failed", stays_d - 12 + d, customer=name, invoice_id=f"i{d}", attempt=1)
                      for d in range(3)]  # fmt: skip
            lines.append(event("billing.subscription.cancelled", stays_d, customer=name))
    insights, policy = tmp_path / "insights.jsonl", tmp_path / "p.toml"
    policy.write_text("[churn]\nhorizon_days = 14\nlandmark_days = 7\n")
    out = replay(tmp_path, lines, insights=str(insights), policy=str(policy))
    told = orjson.loads(out["report"])["common_reasons"]
    assert (told[0]["group"], told[0]["enough"]) == ("all", True)
    assert told[0]["reasons"][0]["signals"] == ["billing.payment_trouble"]
    assert told[0]["reasons"][0]["lift_low"] > 2.0
    rows = {row["insight_id"]: row for row in map(orjson.loads, insights.read_bytes().splitlines())}
    assert rows["common_reasons/all"] == told[0]
    assert {"quality_by_group/all", "quality_by_group/plan:pro", "common_reasons/plan:pro"} <= rows.keys()


@pytest.mark.parametrize("text", ["[alerts]\nenter = 7\n", "nonsense", "[alerts]\nentre = 0.3"])
def test_a_wrong_policy_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(Failure, match=r"p\.toml"):
        replay(tmp_path, EVENTS, policy=str(tmp_path / "p.toml"))


def test_an_empty_file_is_no_error(tmp_path: Path) -> None:
    out = replay(tmp_path, [])
    assert (out["alerts"], out["scores"], out["dlq"]) == (b"", b"", b"")
    assert orjson.loads(out["report"])["quality"] is None


GOLDEN = Path(__file__).parents[1] / "golden" / "lives" / "payment_trouble.jsonl"


def test_the_alerts_of_a_whole_life_are_the_golden_ones_byte_for_byte(tmp_path: Path) -> None:
    """To renew it after a change that is meant: write what `found` holds to the file, and read the difference."""
    found = replay(tmp_path, [*life("c-1"), *healthy("c-3")])["alerts"]
    assert found.decode() == GOLDEN.read_text()
