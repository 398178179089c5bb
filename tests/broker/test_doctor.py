"""`churnwatch doctor` on a real broker: all is well, or each fault is named; of grants test_grants tells."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from click.testing import CliRunner
from msgspec import json

from deploy.kafka.client import Kafka, Message
from streams.cli import main
from streams.topics import Layout, create

EARLY_MS = 1_800_000  # Kafka itself takes no record that is an hour early


def examined(layout: Layout, bootstrap: str, folder: Path, *args: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and what was found."""
    env = {
        "KAFKA_BOOTSTRAP": bootstrap,
        "CHURNWATCH_TOPIC_PREFIX": layout.prefix,
        "CHURNWATCH_APP_ID": layout.app_id,
        "CHURNWATCH_DATA_DIR": str(folder),
    }
    done = CliRunner().invoke(main, ["doctor", "--json", *args], env=env)
    return done.exit_code, json.decode(done.stdout)["checks"]


def failures(checks: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["check"], each["detail"]) for each in checks if each["status"] == "failed"]


def test_all_is_well_after_topics_create_and_nothing_was_written(
    bootstrap: str, kafka: Kafka, prefix: str, app_id: str, tmp_path: Path
) -> None:
    layout = Layout(prefix=prefix, app_id=app_id)
    asyncio.run(create(bootstrap, layout))
    code, checks = examined(layout, bootstrap, tmp_path)
    assert (code, failures(checks)) == (0, [])
    assert {"settings", "disk", "files", "broker", "clock", "topics", "access", "groups"} <= {
        c["check"] for c in checks
    }
    (clock,) = [each for each in checks if each["check"] == "clock"]
    assert clock["status"] == "ok"  # one machine, one clock: told in ms
    ends = [kafka.end_offsets(row.named(prefix)) for row in layout.rows()]
    assert {end for parts in ends for end in parts.values()} == {0}
    assert kafka.committed(f"{app_id}-detector", f"{prefix}churn.journal") == {}


def test_each_fault_of_a_topic_is_named(bootstrap: str, kafka: Kafka, prefix: str, app_id: str, tmp_path: Path) -> None:
    layout = Layout(prefix=prefix, app_id=app_id)
    changelog = layout.rows()[-1].named(prefix)
    wrong = {
        f"{prefix}churn.dlq": {"max.message.bytes": "2000000"},
        f"{prefix}churn.journal": {"retention.bytes": "1000000", "retention.ms": "1000"},
        changelog: {"delete.retention.ms": "60000"},
    }
    for row in layout.rows():
        if row.name != "churn.scores":
            name = row.named(prefix)
            kafka.create(name, layout.wanted_partitions(row), {**row.config(), **wrong.get(name, {})})
    kafka.produce(f"{prefix}usage.events", [Message(b"{}", timestamp_ms=int(time.time() * 1000) + EARLY_MS)])
    code, checks = examined(layout, bootstrap, tmp_path)
    assert code == 1
    assert failures(checks) == [
        ("topics", f"Topic {prefix}churn.scores is missing: run `churnwatch topics create`."),
        ("topics", f"Topic {prefix}churn.dlq takes batches of 2000000 bytes and must take 16777216: set its "
         "max.message.bytes."),
        ("topics", f"Topic {changelog} drops tombstones after 60 s."),
    ]  # fmt: skip
    odd = [each["detail"] for each in checks if each["status"] == "warning" and each["check"] != "versions"]
    assert odd == [
        f"Topic {prefix}usage.events has records stamped more than five minutes ahead of this machine.",
        f"Topic {prefix}churn.journal keeps its records 1 s and must keep them 3024000 s.",
        f"Topic {prefix}churn.journal is cut at retention.bytes=1000000 for each partition.",
    ]


def test_what_was_read_of_a_topic_that_was_made_anew(bootstrap: str, prefix: str, app_id: str, tmp_path: Path) -> None:
    layout = Layout(prefix=prefix, app_id=app_id)
    asyncio.run(create(bootstrap, layout))
    journal = f"{prefix}churn.journal"

    async def commit() -> None:
        consumer = AIOKafkaConsumer(journal, bootstrap_servers=bootstrap, group_id=f"{app_id}-detector")
        await consumer.start()
        await consumer.commit({tp: 7 for tp in consumer.assignment() if tp.partition == 0})
        await consumer.stop()

    asyncio.run(commit())
    code, checks = examined(layout, bootstrap, tmp_path, "--roles", "detector")
    assert code == 1
    assert failures(checks) == [("groups", f"{app_id}-detector had read {journal}[0] up to 7; it ends at 0 now.")]
