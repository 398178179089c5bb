"""On a broker with access rules: a worker, and whoever runs it, need what the manifests grant, and nothing more.

The broker knows one user here, the nameless one of its plain port. A rule for nobody on every topic, group and
transactional id makes it refuse all that is not granted in words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import TopicAuthorizationFailedError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest
from click.testing import CliRunner

from deploy.kafka.choose import LocalBroker
from deploy.kafka.client import ALLOW, Kafka, Message
from schemas.deadletters import DeadLetter, Origin, dead_letter_headers
from schemas.topics import ALERTS, DEAD_LETTERS, EXAMPLES, JOURNAL, SCORES
from streams.cli import main
from streams.manifests import Grant, User, grants
from streams.topics import Layout, create
from tests.broker.harness import Feeder, Trial
from tests.broker.test_dlq import EVENT
from tests.streams.test_learner import examples

KINDS: Final = {"topic": 2, "group": 3, "transactionalId": 5}
OPERATIONS: Final = {"Read": 3, "Write": 4, "Describe": 8, "DescribeConfigs": 10}
LITERAL, PREFIXED = 3, 4
Rule = tuple[int, str, int, str, str, int, int]


def rules(found: Iterable[Grant]) -> list[Rule]:
    """Kafka's own form of the grants, for the nameless user, after one for nobody on everything."""
    nobody = [(kind, "*", LITERAL, "User:nobody", "*", OPERATIONS["Read"], ALLOW) for kind in KINDS.values()]
    return nobody + [
        (KINDS[g.kind], g.name, PREFIXED if g.prefix else LITERAL, "User:ANONYMOUS", "*", OPERATIONS[each], ALLOW)
        for g in found
        for each in g.operations
    ]


async def grant(bootstrap: str, wanted: list[Rule]) -> None:
    """Make the rules, and wait until the broker obeys them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for rule in wanted:
            ((error, message),) = (await admin._send_to_controller(CreateAclsRequest(*rule))).creation_responses
            if error:
                raise for_code(error)(message)
        while not (await admin._send_to_controller(DescribeAclsRequest(*wanted[-1]))).resources:
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


def layout_of(trial: Trial) -> Layout:
    return Layout(prefix=trial.settings.topic_prefix, app_id=trial.settings.app_id)


def trial_of(user: User, bootstrap: str, folder: Path) -> Trial:
    roles = "intake,detector,learner" if user == "worker" else user
    return Trial(bootstrap, folder, fold="detectors", CHURNWATCH_ROLES=roles, CHURNWATCH_CLOCK="wall")


def test_a_worker_works_with_what_it_is_granted(guarded_broker: LocalBroker, tmp_path: Path) -> None:
    async def go(trial: Trial) -> None:
        layout = layout_of(trial)
        await create(trial.bootstrap, layout)
        async with Feeder(trial.bootstrap) as feeder:
            items = [(0, (b"k", b"{" if number % 10 == 0 else EVENT % number)) for number in range(200)]
            await feeder.feed(trial.named("usage.events"), items)
        await grant(trial.bootstrap, rules(grants("worker", layout)))
        worker = trial.start()
        try:
            await worker.ready(3)
            await trial.caught_up("intake")
            assert not any(word in worker.text() for word in ("uthoriz", "Not allowed")), worker.text()
            journal = [r.value for part in (await trial.read(trial.named(JOURNAL))).values() for r in part if r.key]
            assert sorted(journal) == sorted(EVENT % number for number in range(200) if number % 10)
            while not any((await trial.read(trial.changelog, may_be_empty=True)).values()):
                await asyncio.sleep(0.2)  # until the detector has committed what it made of them
            kafka = Kafka(trial.bootstrap)
            with pytest.raises(TopicAuthorizationFailedError):
                await asyncio.to_thread(kafka.produce, trial.named("usage.events"), [b"x"])
            with pytest.raises(TopicAuthorizationFailedError):
                await asyncio.to_thread(kafka.consume, trial.named(DEAD_LETTERS))
        finally:
            trial.end()

    asyncio.run(go(trial_of("worker", guarded_broker.bootstrap, tmp_path)))


def test_a_learner_alone_works_with_what_it_is_granted(guarded_broker: LocalBroker, tmp_path: Path) -> None:
    async def go(trial: Trial) -> None:
        layout = layout_of(trial)
        await create(trial.bootstrap, layout)
        async with Feeder(trial.bootstrap) as feeder:
            items = [(0, (b"k", record.value)) for record in examples(400)]
            await feeder.feed(trial.named(EXAMPLES), items)
        await grant(trial.bootstrap, rules(grants("learner", layout)))
        worker = trial.start()
        try:
            await worker.ready()
            await trial.caught_up("learner")
            assert worker.said("a model is handed over") > 0
            assert not any(word in worker.text() for word in ("uthoriz", "Not allowed")), worker.text()
            kafka = Kafka(trial.bootstrap)
            for topic in (ALERTS, SCORES, EXAMPLES):
                with pytest.raises(TopicAuthorizationFailedError):
                    await asyncio.to_thread(kafka.produce, trial.named(topic), [b"x"])
            with pytest.raises(TopicAuthorizationFailedError):
                await asyncio.to_thread(kafka.consume, trial.named(JOURNAL))
        finally:
            trial.end()

    asyncio.run(go(trial_of("learner", guarded_broker.bootstrap, tmp_path)))


def test_without_one_grant_a_worker_says_which(guarded_broker: LocalBroker, tmp_path: Path) -> None:
    async def go(trial: Trial) -> None:
        layout = layout_of(trial)
        await create(trial.bootstrap, layout)
        journal = trial.named(JOURNAL)
        most = [found for found in grants("intake", layout) if found.name != journal]
        await grant(trial.bootstrap, rules(most))
        said = await trial.start().refused()
        assert journal in said
        assert "grant" in said

    asyncio.run(go(trial_of("intake", guarded_broker.bootstrap, tmp_path)))


def test_the_commands_work_with_what_an_operator_is_granted(guarded_broker: LocalBroker, tmp_path: Path) -> None:
    trial = trial_of("worker", guarded_broker.bootstrap, tmp_path)
    layout, kafka = layout_of(trial), Kafka(trial.bootstrap)
    asyncio.run(create(trial.bootstrap, layout))
    origin = Origin(trial.named("usage.events"), 0, 0, 0)
    about = DeadLetter(reason="from_the_future", detail="", stage="intake", origin=origin, attempts=1, app_version="1")
    kafka.produce(trial.named(DEAD_LETTERS), [Message(EVENT % 1, b"k", dead_letter_headers([], about), 0)])
    asyncio.run(grant(trial.bootstrap, rules(grants("operator", layout))))
    policy = tmp_path / "policy.toml"
    policy.write_text("[churn]\nhorizon_days = 30\n")
    where = ["--bootstrap", trial.bootstrap, "--topic-prefix", layout.prefix]
    named = ["--app-id", layout.app_id]
    for args in (
        ["topics", "check", *named],
        ["dlq", "list"],
        ["dlq", "show", "0:0"],
        ["dlq", "replay", *named],
        ["journal", "dump", "--out", str(tmp_path / "journal.jsonl")],
        ["alerts", "tail", "--from-beginning", "--timeout", "1s"],
        ["policy", "apply", str(policy), *named],
        ["policy", "show", *named],
    ):
        done = CliRunner().invoke(main, [*args, *where])
        assert done.exit_code == 0, (args, done.output)
