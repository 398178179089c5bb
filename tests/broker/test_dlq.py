"""Dead letters on a real broker: listed, shown, sent again once, and counted once by the worker."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.kafka.client import Kafka, Message
from deploy.kafka.kafka import free_port
from schemas.deadletters import DeadLetter, Origin, Reason, Stage, dead_letter_headers
from schemas.topics import DEAD_LETTERS, INPUT_TOPICS, JOURNAL
from streams.cli import main
from streams.engine.partitions import partition_of
from streams.topics import Layout, create
from tests.broker.harness import Trial
from tests.broker.test_ops import ask

EVENT = (
    b'{"specversion":"1.0","id":"%d","source":"/s","type":"usage.feature.used","subject":"c-1",'
    b'"time":"2026-01-01T00:00:00Z","data":{"feature":"x"}}'
)


def ran(bootstrap: str, prefix: str, *args: str) -> Result:
    done = CliRunner().invoke(main, ["dlq", *args, "--bootstrap", bootstrap, "--topic-prefix", prefix])
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def letters(bootstrap: str, prefix: str, app_id: str, kafka: Kafka) -> str:
    """The prefix of topics with six letters, five of them in partition 0."""
    asyncio.run(create(bootstrap, Layout(prefix=prefix, app_id=app_id)))

    def message(number: int, topic: str, stage: Stage, reason: Reason, value: bytes, partition: int = 0) -> Message:
        about = DeadLetter(
            reason=reason,
            detail="$: expected something else",
            stage=stage,
            origin=Origin(prefix + topic, 0, number, 0),
            attempts=1,
            app_version="1",
        )
        return Message(value, b"key-%d" % number, dead_letter_headers([("ce_id", b"x")], about), partition)

    kafka.produce(
        prefix + DEAD_LETTERS,
        [
            message(0, "billing.events", "intake", "not_json", b"{"),
            message(1, "usage.events", "intake", "wrong_shape", b"[1]"),
            message(2, JOURNAL, "detector", "detector_failed", EVENT % 2),
            message(3, JOURNAL, "intake", "not_json", b"no input topic"),
            message(4, "billing.events", "intake", "not_json", b"\xff"),
            message(5, "billing.events", "intake", "not_json", b"]", partition=3),
        ],
    )
    return prefix


def test_list_and_show(bootstrap: str, letters: str) -> None:
    done = ran(bootstrap, letters, "list")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["0:0", "0:1", "0:2", "0:3", "0:4", "3:0"]
    assert "6 dead letters: not_json 4, wrong_shape 1, detector_failed 1" in done.stderr
    found = ran(bootstrap, letters, "list", "--json", "--topic", "billing.events", "--count", "2").stdout.splitlines()
    assert [json.loads(line)["place"] for line in found] == ["0:0", "0:4"]
    assert json.loads(found[0])["origin"]["topic"] == f"{letters}billing.events"
    assert ran(bootstrap, letters, "list", "--since", "2030-01-01").stdout == ""
    shown = ran(bootstrap, letters, "show", "0:1")
    assert "value:       [1]\n" in shown.stdout
    assert "header ce_id: x\n" in shown.stdout
    assert "personal data" in shown.stderr
    assert ran(bootstrap, letters, "show", "0:4", "--raw").stdout_bytes == b"\xff"
    missing = CliRunner().invoke(main, ["dlq", "show", "2:9", "--bootstrap", bootstrap, "--topic-prefix", letters])
    assert (missing.exit_code, missing.stderr) == (1, f"churnwatch: {letters}churn.dlq has no dead letter at 2:9\n")


def test_what_was_sent_is_not_sent_twice_unless_asked(bootstrap: str, letters: str, app_id: str, kafka: Kafka) -> None:
    def sent(*args: str) -> tuple[str, list[bytes | None]]:
        before = sum(len(kafka.consume(letters + topic)) for topic in INPUT_TOPICS)
        said = ran(bootstrap, letters, "replay", "--app-id", app_id, *args).stderr
        got = [r for topic in INPUT_TOPICS for r in kafka.consume(letters + topic)]
        return said.splitlines()[0], sorted((r.value for r in got), key=str)[: 0 if len(got) == before else None]

    assert sent("--dry-run") == ("5 dead letters would be sent, 0 were sent before", [])
    assert sent("--reason", "wrong_shape") == ("1 dead letters sent, 0 were sent before", [b"[1]"])
    assert sent("--topic", "billing.events", "--count", "1")[0] == "1 dead letters sent, 0 were sent before"
    said, values = sent("--rate", "20/s")
    assert said == "3 dead letters sent, 2 were sent before"
    assert values == sorted([b"{", b"[1]", EVENT % 2, b"\xff", b"]"], key=str)
    assert sent() == ("0 dead letters sent, 5 were sent before", [])
    assert sent("--dry-run", "--again") == ("5 dead letters would be sent, 0 were sent before", [])
    assert sent("--again", "--stage", "detector")[0] == "1 dead letters sent, 0 were sent before"
    (one,) = (record for record in kafka.consume(f"{letters}usage.events") if record.value == b"[1]")
    assert (one.key, list(one.headers)) == (b"key-1", [("ce_id", b"x")])


def test_an_event_sent_again_twice_counts_once_and_what_is_refused_again_is_for_the_next_run(
    bootstrap: str, tmp_path: Path, kafka: Kafka
) -> None:
    async def go(trial: Trial, port: int) -> None:
        await trial.create()
        prefix, app_id = trial.settings.topic_prefix, trial.settings.app_id
        about = DeadLetter(
            reason="from_the_future",
            detail="time: too late",
            stage="intake",
            origin=Origin(prefix + "usage.events", 0, 0, 0),
            attempts=1,
            app_version="1",
        )
        headers = dead_letter_headers([], about)
        keys = [key for key in map(b"k%d".__mod__, range(20)) if partition_of(key, 3)][
            :3
        ]  # they come back behind these
        letters = [Message(EVENT % 1, b"k", headers, 0), *(Message(b"{", key, headers, 0) for key in keys)]
        await asyncio.to_thread(kafka.produce, prefix + DEAD_LETTERS, letters)
        worker = trial.start(CHURNWATCH_OPS=f"127.0.0.1:{port}")
        try:
            await worker.ready(2)
            own = ["--reason", "from_the_future"]
            for more, sent in ((["--rate", "4/s"], 4), ([*own], 0), ([*own, "--again", "--count", "1"], 1)):
                done = await asyncio.to_thread(ran, bootstrap, prefix, "replay", "--app-id", app_id, *more)
                assert done.stderr.startswith(f"{sent} dead letters sent")
            until_s = time.monotonic() + 30
            while (
                f'churn_events_deduplicated_total{{source="{prefix}usage.events"}} 1.0'
                not in (await ask(port, "/metrics"))[1]
            ):
                assert time.monotonic() < until_s
                await asyncio.sleep(0.2)
            events = [r for part in (await trial.read(trial.named(JOURNAL))).values() for r in part if r.key]
            assert [r.value for r in events] == [EVENT % 1] * 2
        finally:
            trial.end()

    env = {"CHURNWATCH_ROLES": "intake,detector", "CHURNWATCH_CLOCK": "wall"}
    asyncio.run(go(Trial(bootstrap, tmp_path, fold="detector", **env), free_port()))
