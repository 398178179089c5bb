"""On a broker with TLS, users and access rules: who runs a worker, and who uses it, needs what the manifests grant.

Everybody comes by TLS and SCRAM-SHA-512 with a user of the manifests' name; what was not granted in words is refused.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError
from click.testing import CliRunner, Result

from deploy.kafka.client import Kafka, Message
from schemas.deadletters import DeadLetter, Origin, dead_letter_headers
from schemas.topics import ALERTS, DEAD_LETTERS, EXAMPLES, JOURNAL, SCORES
from streams.brokers import client_options
from streams.cli import main
from streams.manifests import Grant, User, grants
from streams.topics import Layout, create
from tests.broker.harness import Feeder, Trial, together
from tests.broker.secure import PASSWORD, SecureBroker
from tests.broker.test_dlq import EVENT
from tests.streams.test_learner import examples

FEEDBACK: Final = {
    "specversion": "1.0",
    "id": "f-1",
    "source": "/desk",
    "type": "retention.customer.contacted",
    "subject": "c-1",
    "time": "2026-01-01T00:00:00Z",
    "data": {"playbook": "call_back", "by": "me"},
}


def layout_of(trial: Trial) -> Layout:
    return Layout(prefix=trial.settings.topic_prefix, app_id=trial.settings.app_id)


def trial_of(user: User, secure: SecureBroker, folder: Path) -> Trial:
    """A trial that itself comes by the back door, and whose workers are a user."""
    roles = "intake,detector,learner" if user == "worker" else user
    trial = Trial(secure.bootstrap, folder, fold="detectors", CHURNWATCH_ROLES=roles, CHURNWATCH_CLOCK="wall")
    trial.env.update(secure.as_user(user))
    asyncio.run(create(trial.bootstrap, layout_of(trial)))
    return trial


def run(secure: SecureBroker, user: User, trial: Trial, *args: str) -> Result:
    """A command as a user; whatever it says, it does not say the password."""
    env = {**secure.as_user(user), "CHURNWATCH_TOPIC_PREFIX": trial.settings.topic_prefix}
    done = CliRunner().invoke(main, args, env=env)
    assert PASSWORD not in done.output
    return done


def assert_refused(done: Result, *words: str) -> None:
    """One line that names what is denied."""
    assert done.exit_code == 1, done.output
    assert "not foreseen" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if any(word in line for word in words)]
    assert all(word in line for word in words), done.output


async def assert_may_not_write(secure: SecureBroker, user: User, topic: str) -> None:
    """What a user's own client is told when it writes there."""
    env = secure.as_user(user)
    producer = AIOKafkaProducer(**client_options(env["KAFKA_BOOTSTRAP"], "test", env))
    await producer.start()
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(topic, b"x", partition=0)
    finally:
        await producer.stop()


def test_a_worker_works_with_what_it_is_granted(secure: SecureBroker, tmp_path: Path) -> None:
    async def go(trial: Trial) -> None:
        async with Feeder(trial.bootstrap) as feeder:
            items = [(0, (b"k", b"{" if number % 10 == 0 else EVENT % number)) for number in range(200)]
            await feeder.feed(trial.named("usage.events"), items)
        await secure.granted("worker", grants("worker", layout_of(trial)))
        worker = trial.start(CHURNWATCH_LOG_LEVEL="debug")
        try:
            await worker.ready(3)
            await trial.caught_up("intake")
            assert not any(word in worker.text() for word in ("uthoriz", "Not allowed")), worker.text()
            journal = [r.value for part in (await trial.read(trial.named(JOURNAL))).values() for r in part if r.key]
            assert sorted(journal) == sorted(EVENT % number for number in range(200) if number % 10)
            while not any((await trial.read(trial.changelog, may_be_empty=True)).values()):
                await asyncio.sleep(0.2)  # until the detector has committed what it made of them
            assert PASSWORD not in worker.text()
            assert PASSWORD not in Path(f"/proc/{worker.process.pid}/cmdline").read_text()
            assert PASSWORD not in Path(f"/proc/{worker.process.pid}/environ").read_text()
            await assert_may_not_write(secure, "worker", trial.named("usage.events"))
        finally:
            trial.end()

    trial = trial_of("worker", secure, tmp_path)
    asyncio.run(go(trial))
    assert_refused(run(secure, "worker", trial, "dlq", "list"), trial.named(DEAD_LETTERS), "grant")


def examined(secure: SecureBroker, trial: Trial, user: User) -> tuple[int, set[str]]:
    """The exit code of the doctor as a user, and what failed."""
    env = {**secure.as_user(user), "CHURNWATCH_APP_ID": trial.settings.app_id, "CHURNWATCH_ROLES": user}
    env |= {"CHURNWATCH_TOPIC_PREFIX": trial.settings.topic_prefix, "CHURNWATCH_DATA_DIR": str(trial.folder)}
    done = CliRunner().invoke(main, ["doctor", "--json"], env=env)
    assert PASSWORD not in done.output
    return done.exit_code, {c["detail"] for c in json.loads(done.stdout)["checks"] if c["status"] == "failed"}


def test_the_doctor_names_what_is_not_granted_and_needs_no_more_than_the_worker(
    secure: SecureBroker, tmp_path: Path
) -> None:
    trial = trial_of("intake", secure, tmp_path)
    journal, group = trial.named(JOURNAL), f"{trial.settings.app_id}-intake"
    whole = grants("intake", layout_of(trial))
    secure.grant("intake", [found for found in whole if found.name not in (journal, group, f"{group}-")])
    code, failed = examined(secure, trial, "intake")
    assert code == 1
    assert {
        f"Topic {journal}: Describe, DescribeConfigs, Write is not granted.",
        f"Group {group}: Read is not granted.",
        f"A transaction under an id that begins with {group}- is refused (TransactionalIdAuthorizationFailed).",
    } <= failed
    secure.grant("intake", whole)
    assert examined(secure, trial, "intake") == (0, set())


def test_a_learner_alone_works_with_what_it_is_granted(secure: SecureBroker, tmp_path: Path) -> None:
    async def go(trial: Trial) -> None:
        async with Feeder(trial.bootstrap) as feeder:
            items = [(0, (b"k", record.value)) for record in examples(400)]
            await feeder.feed(trial.named(EXAMPLES), items)
        await secure.granted("learner", grants("learner", layout_of(trial)))
        worker = trial.start()
        try:
            await worker.ready()
            await trial.caught_up("learner")
            assert worker.said("a model is handed over") > 0
            assert not any(word in worker.text() for word in ("uthoriz", "Not allowed")), worker.text()
            for topic in (ALERTS, SCORES, EXAMPLES):
                await assert_may_not_write(secure, "learner", trial.named(topic))
        finally:
            trial.end()

    trial = trial_of("learner", secure, tmp_path)
    asyncio.run(go(trial))
    assert_refused(run(secure, "learner", trial, "journal", "dump"), trial.named(JOURNAL), "grant")


LOST: Final[list[tuple[User, str, str, str]]] = [
    ("intake", "topic", "Describe", JOURNAL),
    ("intake", "topic", "Write", JOURNAL),
    ("intake", "topic", "Read", "usage.events"),
    ("intake", "group", "Read", "-intake"),
    ("intake", "transactionalId", "Write", "-intake-"),
    ("detector", "topic", "Read", "-state-changelog"),
    ("detector", "topic", "Write", "churn.scores"),
]
"""Of whom a grant is taken away: the kind of thing, the operation, and how its name ends."""


@pytest.mark.timeout(300)  # seven workers at a time
def test_without_one_grant_a_worker_says_which(secure: SecureBroker, tmp_path: Path) -> None:
    trials = [(trial_of(case[0], secure, tmp_path), *case) for case in LOST]

    async def go() -> None:
        try:
            await together(*(_assert_named(secure, *case) for case in trials))
        finally:
            for trial, *_ in trials:
                trial.end()

    asyncio.run(go())


async def _assert_named(secure: SecureBroker, trial: Trial, user: User, kind: str, operation: str, ending: str) -> None:
    def less(grant: Grant) -> Grant:
        if grant.kind != kind or not grant.name.endswith(ending):
            return grant
        # Every other operation on a topic brings Describe with it.
        kept = set() if operation == "Describe" else set(grant.operations) - {operation}
        return grant._replace(operations=tuple(sorted(kept)))

    whole = grants(user, layout_of(trial))
    most = [less(grant) for grant in whole]
    (lost,) = [before.name for before, after in zip(whole, most, strict=True) if before != after]
    await secure.granted(user, most)
    async with Feeder(trial.bootstrap) as feeder:
        for topic in [trial.named("usage.events"), trial.named(JOURNAL)] + [lost] * (lost == trial.changelog):
            await feeder.feed(topic, [(0, (b"c-1", EVENT % number)) for number in range(20)])
    said = await trial.start().refused(100.0)
    assert lost in said, (kind, operation, ending, said)
    assert "grant" in said.lower()


def test_the_commands_work_with_what_an_operator_is_granted(secure: SecureBroker, tmp_path: Path) -> None:
    trial = trial_of("worker", secure, tmp_path)
    kafka = Kafka(trial.bootstrap)
    origin = Origin(trial.named("usage.events"), 0, 0, 0)
    about = DeadLetter(reason="from_the_future", detail="", stage="intake", origin=origin, attempts=1, app_version="1")
    kafka.produce(trial.named(DEAD_LETTERS), [Message(EVENT % 1, b"k", dead_letter_headers([], about), 0)])
    policy = tmp_path / "policy.toml"
    policy.write_text("[churn]\nhorizon_days = 30\n")
    named = ["--app-id", trial.settings.app_id]
    commands = (
        ["topics", "check", *named],
        ["dlq", "list"],
        ["dlq", "show", "0:0"],
        ["dlq", "replay", *named],
        ["journal", "dump", "--out", str(tmp_path / "journal.jsonl")],
        ["alerts", "tail", "--from-beginning", "--timeout", "1s"],
        ["policy", "apply", str(policy), *named],
        ["policy", "show", *named],
        ["erase", "c-9"],
    )
    for args in commands:
        assert run(secure, "operator", trial, *args).exit_code == 1, args
    release = ["model", "release", "--wait", "1s"]
    assert_refused(run(secure, "operator", trial, *release), "grant")
    secure.grant("operator", grants("operator", layout_of(trial)))
    assert "no answer" in run(secure, "operator", trial, *release).stderr  # it is there, and no learner is
    assert [message.key for message in kafka.consume(trial.named(EXAMPLES))] == [None]
    for args in commands:
        done = run(secure, "operator", trial, *args)
        assert done.exit_code == 0, (args, done.output)


def test_those_who_publish_can_publish_and_see_what_was_refused(secure: SecureBroker, tmp_path: Path) -> None:
    trial = trial_of("worker", secure, tmp_path)
    secure.grant("upstream", grants("upstream", layout_of(trial)))
    events, feedback = tmp_path / "events.jsonl", tmp_path / "feedback.jsonl"
    events.write_bytes(b"".join(EVENT % number + b"\n" for number in range(5)))
    feedback.write_text(json.dumps(FEEDBACK) + "\n")
    assert run(secure, "upstream", trial, "publish", str(events)).exit_code == 0
    assert len(Kafka(trial.bootstrap).consume(trial.named("usage.events"))) == 5
    assert run(secure, "upstream", trial, "dlq", "list").exit_code == 0
    assert_refused(run(secure, "upstream", trial, "publish", str(feedback)), trial.named("retention.feedback"), "grant")
    tail = ["alerts", "tail", "--from-beginning", "--timeout", "5s"]
    assert_refused(run(secure, "upstream", trial, *tail), trial.named(ALERTS), "grant")


def test_those_who_retain_can_read_alerts_and_answer(secure: SecureBroker, tmp_path: Path) -> None:
    trial = trial_of("worker", secure, tmp_path)
    secure.grant("retention", grants("retention", layout_of(trial)))
    events, feedback = tmp_path / "events.jsonl", tmp_path / "feedback.jsonl"
    events.write_bytes(EVENT % 1 + b"\n")
    feedback.write_text(json.dumps(FEEDBACK) + "\n")
    assert run(secure, "retention", trial, "publish", str(feedback)).exit_code == 0
    assert run(secure, "retention", trial, "alerts", "tail", "--from-beginning", "--timeout", "1s").exit_code == 0
    assert_refused(run(secure, "retention", trial, "publish", str(events)), trial.named("usage.events"), "grant")
    assert_refused(run(secure, "retention", trial, "dlq", "list"), trial.named(DEAD_LETTERS), "grant")
    assert_refused(run(secure, "retention", trial, "journal", "dump"), trial.named(JOURNAL), "grant")


def test_who_may_see_a_topic_and_not_read_it_is_told_so(secure: SecureBroker, tmp_path: Path) -> None:
    trial = trial_of("worker", secure, tmp_path)
    seen = [Grant("topic", trial.named(name), ("Describe",)) for name in (ALERTS, "usage.events")]
    secure.grant("upstream", seen)
    Kafka(trial.bootstrap).produce(trial.named(ALERTS), [b"{}"])
    tail = ["alerts", "tail", "--from-beginning", "--timeout", "5s"]
    assert_refused(run(secure, "upstream", trial, *tail), trial.named(ALERTS), "grant")
    events = tmp_path / "events.jsonl"
    events.write_bytes(EVENT % 1 + b"\n")
    done = run(secure, "upstream", trial, "publish", str(events))
    assert done.exit_code == 1
    assert f"TopicAuthorizationFailed ({trial.named('usage.events')})" in done.stderr
