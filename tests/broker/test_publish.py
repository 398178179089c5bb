"""Publishing, live traffic and tailing alerts, on a real broker."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aiokafka.partitioner import murmur2
from click.testing import CliRunner, Result

from deploy.kafka.client import Kafka, Message
from schemas.events import TOPIC_OF_TYPE
from schemas.intake import Accepted, read_event
from schemas.topics import ALERTS, INPUT_TOPICS
from streams.brokers import COMPRESSIONS
from streams.cli import main
from streams.topics import Layout, create


@pytest.fixture
def topics(bootstrap: str, prefix: str) -> str:
    """The prefix of a fresh set of topics."""
    asyncio.run(create(bootstrap, Layout(prefix=prefix, app_id=prefix + "app")))
    return prefix


def run(bootstrap: str, prefix: str, *args: str) -> Result:
    """A command of ours against this broker and these topics."""
    return CliRunner().invoke(main, [*args, "--bootstrap", bootstrap, "--topic-prefix", prefix])


def event(number: int, name: str = "usage.cancel_page.viewed", **changed: Any) -> bytes:
    """One event of customer number modulo 7."""
    whole = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "/test",
        "type": name,
        "subject": f"c-{number % 7}",
        "time": "2026-01-01T00:00:00Z",
        "data": {},
    }
    return json.dumps(whole | changed).encode()


def write(path: Path, lines: list[bytes]) -> str:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return str(path)


def test_every_event_reaches_the_topic_of_its_type_byte_for_byte(
    bootstrap: str, topics: str, kafka: Kafka, tmp_path: Path
) -> None:
    names = list(TOPIC_OF_TYPE)
    lines = [event(number, name) for number, name in enumerate(names * 3)]
    done = run(bootstrap, topics, "publish", write(tmp_path / "in.jsonl", lines))
    assert done.exit_code == 0, done.output
    assert f"{len(lines)} events delivered" in done.stderr
    for topic in INPUT_TOPICS:
        got = Counter(record.value for record in kafka.consume(topics + topic))
        assert got == Counter(line for line in lines if TOPIC_OF_TYPE[json.loads(line)["type"]] == topic)


def test_records_are_keyed_by_customer_and_placed_as_a_java_producer_would(
    bootstrap: str, topics: str, kafka: Kafka, tmp_path: Path
) -> None:
    lines = [event(number) for number in range(200)]
    run(bootstrap, topics, "publish", write(tmp_path / "in.jsonl", lines))
    got = kafka.consume(topics + "usage.events")
    assert len(got) == 200
    for record in got:
        assert record.key == json.loads(record.value or b"")["subject"].encode()
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % 4
    for customer in {record.key for record in got}:
        ids = [int(json.loads(record.value or b"")["id"][2:]) for record in got if record.key == customer]
        assert ids == sorted(ids)


@pytest.mark.parametrize(("key", "wanted"), [("id", b"e-1"), ("none", None)])
def test_the_key_can_be_the_id_or_none(
    bootstrap: str, topics: str, kafka: Kafka, tmp_path: Path, key: str, wanted: bytes | None
) -> None:
    run(bootstrap, topics, "publish", write(tmp_path / "in.jsonl", [event(1)]), "--key", key)
    assert [record.key for record in kafka.consume(topics + "usage.events")] == [wanted]


def test_lines_without_a_topic_are_named_and_the_rest_is_sent(
    bootstrap: str, topics: str, kafka: Kafka, tmp_path: Path
) -> None:
    lines = [event(1), b"{not json", event(2, "weather.changed"), event(3)]
    path = write(tmp_path / "in.jsonl", lines)
    done = run(bootstrap, topics, "publish", path)
    assert done.exit_code == 1
    assert f"{path}:2: not a CloudEvent in JSON" in done.stderr
    assert f"{path}:3: no topic is known for the type 'weather.changed'" in done.stderr
    assert "2 events delivered" in done.stderr
    assert len(kafka.consume(topics + "usage.events")) == 2


def test_a_forced_topic_takes_every_line_as_it_is(bootstrap: str, topics: str, kafka: Kafka, tmp_path: Path) -> None:
    lines = [b"{not json", b"\xff\xfe", event(3)]
    done = run(bootstrap, topics, "publish", write(tmp_path / "in.jsonl", lines), "--topic", "billing.events")
    assert done.exit_code == 0, done.output
    assert Counter(record.value for record in kafka.consume(topics + "billing.events")) == Counter(lines)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_each_compression_arrives(bootstrap: str, topics: str, kafka: Kafka, tmp_path: Path, compression: str) -> None:
    lines = [event(number) for number in range(500)]
    path = tmp_path / "in.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    done = run(bootstrap, topics, "publish", str(path), "--compression", compression)
    assert done.exit_code == 0, done.output
    assert len(kafka.consume(topics + "usage.events")) == 500


def test_a_line_that_is_too_large_is_named_and_takes_no_other_with_it(
    bootstrap: str, topics: str, kafka: Kafka, tmp_path: Path
) -> None:
    lines = [event(0), event(7, padding="x" * 2_000_000), event(14)]
    path = write(tmp_path / "in.jsonl", lines)
    done = run(bootstrap, topics, "publish", path)
    assert done.exit_code == 1
    assert f"{path}:2: not delivered: 2,000,167 bytes are more than" in done.stderr
    assert [record.value for record in kafka.consume(topics + "usage.events")] == [lines[0], lines[2]]


def test_what_the_broker_refuses_is_counted(bootstrap: str, prefix: str, kafka: Kafka, tmp_path: Path) -> None:
    asyncio.run(create(bootstrap, Layout(prefix=prefix, app_id=prefix + "app")))
    kafka.create(prefix + "small", configs={"max.message.bytes": "1000"})
    path = write(tmp_path / "in.jsonl", [event(7, padding="x" * 5_000)])
    done = run(bootstrap, prefix, "publish", path, "--topic", "small")
    assert done.exit_code == 1
    assert f"{path}:1: not delivered: MessageSizeTooLarge" in done.stderr


def test_a_missing_topic_is_named(bootstrap: str, prefix: str, tmp_path: Path) -> None:
    done = run(bootstrap, prefix, "publish", write(tmp_path / "in.jsonl", [event(1)]))
    assert done.exit_code == 1
    assert f"no such topic on the broker: {prefix}app-errors.events" in done.stderr


def test_a_rate_holds_the_run_back(bootstrap: str, topics: str, tmp_path: Path) -> None:
    lines = [event(number) for number in range(200)]
    done = run(bootstrap, topics, "publish", write(tmp_path / "in.jsonl", lines), "--rate", "200/s")
    assert done.exit_code == 0, done.output
    took_s = float(done.stderr.split(" s (")[0].split()[-1])
    assert 0.8 < took_s < 5.0


def test_live_traffic_reaches_every_topic_and_obeys_the_contracts(bootstrap: str, topics: str, kafka: Kafka) -> None:
    done = run(
        bootstrap, topics, "simulate", "--live", "--seed", "7", "--customers", "60", "--rate", "2000/s", "--for", "2s"
    )
    assert done.exit_code == 0, done.output
    records = [record for topic in INPUT_TOPICS for record in kafka.consume(topics + topic)]
    assert f"{len(records):,} events delivered" in done.stderr
    assert {record.topic for record in records} == {topics + topic for topic in INPUT_TOPICS}
    now_s = max(record.timestamp for record in records) / 1_000.0
    assert all(isinstance(read_event(record.value, (), now_s), Accepted) for record in records)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", [("simulate", "--live", "--customers", "20"), ("alerts", "tail")])
def test_a_signal_stops_it_quietly(
    bootstrap: str, topics: str, command: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", "from streams.cli import main; main()", *command],
        cwd=ROOT,
        env={**os.environ, "KAFKA_BOOTSTRAP": bootstrap, "CHURNWATCH_TOPIC_PREFIX": topics},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(3.0)  # until it listens to signals, which nothing that it may print tells
    running.send_signal(number)
    assert running.communicate(timeout=10.0) == (b"", b"")
    assert running.returncode == code


def test_tail_shows_alerts_from_the_beginning(bootstrap: str, topics: str, kafka: Kafka) -> None:
    values = [alert(f"c-{number}", level) for number, level in enumerate(["low", "high", "critical"])]
    kafka.produce(topics + ALERTS, [*(Message(value, b"k") for value in values), Message(b"no alert", b"k")])
    everything = run(bootstrap, topics, "alerts", "tail", "--from-beginning", "--json", "--timeout", "2s")
    assert everything.exit_code == 0, everything.output
    assert everything.stdout_bytes.splitlines() == values
    severe = run(bootstrap, topics, "alerts", "tail", "--from-beginning", "--json", "--level", "high", "--count", "2")
    assert severe.stdout_bytes.splitlines() == values[1:]
    one = run(bootstrap, topics, "alerts", "tail", "--from-beginning", "--customer", "c-2", "--count", "1")
    assert "CRITICAL  c-2  updated" in one.stdout


def test_tail_from_now_on_shows_nothing_old_and_says_when_too_few_came(
    bootstrap: str, topics: str, kafka: Kafka
) -> None:
    kafka.produce(topics + ALERTS, [Message(alert("c-1", "high"), b"c-1")])
    done = run(bootstrap, topics, "alerts", "tail", "--count", "1", "--timeout", "1s")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "0 of 1 alerts came in time" in done.stderr


def test_tail_names_a_missing_topic(bootstrap: str, prefix: str) -> None:
    done = run(bootstrap, prefix, "alerts", "tail", "--timeout", "1s")
    assert done.exit_code == 1
    assert f"no such topic on the broker: {prefix}churn.alerts" in done.stderr


def alert(customer_id: str, level: str) -> bytes:
    """The golden alert, about another customer and of another level."""
    event = json.loads(GOLDEN.read_bytes())
    event["subject"] = event["data"]["customer_id"] = customer_id
    event["data"]["risk_level"] = level
    return json.dumps(event).encode()


ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "alert.json"
