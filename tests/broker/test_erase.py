"""Erasure on a real broker: asked for by the command, worked off by a worker, and gone from every compacted view."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import msgspec
from click.testing import CliRunner, Result

from deploy.kafka.client import Kafka, Message
from schemas.erasure import Erased
from schemas.times import rfc3339
from schemas.topics import ALERTS_CURRENT, INPUT_TOPICS, INSIGHTS, JOURNAL, SCORES
from streams.cli import main
from tests.broker.harness import Trial

WHO, OTHER = "c-who-is-erased", "c-who-stays"


def failed_payment(customer: str, number: int) -> Message:
    event = {
        "specversion": "1.0",
        "id": f"{customer}-{number}",
        "source": "/billing",
        "type": "billing.payment.failed",
        "subject": customer,
        "time": rfc3339(int(time.time()) - 60 * number),
        "data": {"invoice_id": "i-1", "attempt": 1 + number},
    }
    return Message(json.dumps(event).encode(), customer.encode())


def erase(trial: Trial, *args: str, stdin: str | None = None) -> Result:
    where = ["--bootstrap", trial.bootstrap, "--topic-prefix", trial.settings.topic_prefix]
    return CliRunner().invoke(main, ["erase", *args, *where], input=stdin)


async def standing(trial: Trial) -> dict[tuple[str, bytes | None], bytes]:
    """What stands on the compacted topics, the state's changelog among them: the newest value of each key."""
    rows: dict[tuple[str, bytes | None], bytes] = {}
    for topic in (trial.changelog, *(trial.named(name) for name in (ALERTS_CURRENT, SCORES, INSIGHTS))):
        for part in (await trial.read(topic, may_be_empty=True)).values():
            for record in part:
                rows.pop((topic, record.key), None)
                if record.value is not None:
                    rows[topic, record.key] = record.value
    return rows


def naming(rows: dict[tuple[str, bytes | None], bytes], customer: str) -> set[str]:
    """The topics on which a row names a customer."""
    return {topic for (topic, key), value in rows.items() if customer.encode() in (key or b"") + value}


def test_who_is_erased_stands_on_no_compacted_topic_and_the_receipt_says_how_long_logs_hold_it(
    bootstrap: str, tmp_path: Path
) -> None:
    trial = Trial(bootstrap, tmp_path, fold="detectors", CHURNWATCH_ROLES="intake,detector", CHURNWATCH_CLOCK="wall")
    kafka = Kafka(bootstrap)

    async def until(topics: set[str], customer: str) -> None:
        until_s = time.monotonic() + 60.0
        while (found := naming(await standing(trial), customer)) != topics:
            assert time.monotonic() < until_s, (found, trial.workers[-1].text()[-2000:])
            await asyncio.sleep(0.3)

    async def go() -> None:
        await trial.create(**{name.replace(".", "_").replace("-", "_"): 2 for name in (*INPUT_TOPICS, JOURNAL)})
        events = [failed_payment(customer, number) for number in range(3) for customer in (WHO, OTHER)]
        await asyncio.to_thread(kafka.produce, trial.named("billing.events"), events)
        worker = trial.start()
        try:
            everywhere = {trial.changelog, trial.named(ALERTS_CURRENT), trial.named(SCORES)}
            await until(everywhere, WHO)
            done = await asyncio.to_thread(erase, trial, WHO, "--request", "DSR-7", "--wait", "60s")
            assert done.exit_code == 0, done.output
            receipt = msgspec.json.decode(done.stdout, type=Erased)
            assert (receipt.found, receipt.alert_ended) == (True, True)
            assert not any(word in done.stdout for word in (WHO, "DSR-7"))
            await until(set(), WHO)
            # What comes later, or once more, does not bring it back.
            late = [*events, failed_payment(WHO, 9), failed_payment(OTHER, 9)]
            await asyncio.to_thread(kafka.produce, trial.named("billing.events"), late)
            await trial.caught_up("intake")
            await trial.caught_up("detector")
            await worker.stop()
        finally:
            trial.end()
        rows = await standing(trial)
        assert naming(rows, WHO) == set()
        assert naming(rows, OTHER) >= {trial.changelog, trial.named(SCORES)}
        assert receipt == msgspec.json.decode(rows[trial.named(INSIGHTS), receipt.insight_id.encode()], type=Erased)
        logs = {held.topic for held in receipt.held}
        assert {"billing.events", JOURNAL, "churn.alerts"} <= logs  # which do hold it, as the receipt says
        await trial.assert_exact()

    asyncio.run(go())


def test_without_a_worker_the_command_says_that_the_receipt_has_not_come(bootstrap: str, tmp_path: Path) -> None:
    trial = Trial(bootstrap, tmp_path)
    asyncio.run(trial.create())
    done = erase(trial, "-", "--wait", "1s", stdin=f"{WHO}\n\n{OTHER}\n{WHO}\n")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "2 erasures asked for, 2 receipts have not come" in done.stderr
    asked = Kafka(bootstrap).consume(trial.named("retention.feedback"))
    assert sorted(record.key or b"" for record in asked) == sorted([WHO.encode(), OTHER.encode()])
    assert len({json.loads(record.value or b"")["id"] for record in asked}) == 2
    done = erase(trial, WHO)
    assert (done.exit_code, len(done.stdout.strip())) == (0, 32)


def test_what_cannot_be_a_customer_is_refused_before_anything_is_sent(bootstrap: str, tmp_path: Path) -> None:
    trial = Trial(bootstrap, tmp_path)
    for args, stdin in ((["x" * 300], None), (["-"], "\n")):
        assert erase(trial, *args, stdin=stdin).exit_code == 2
