"""All checks in the order in which one builds on another, whatever of them fails."""

from __future__ import annotations

import time
from typing import Any, Final

from aiokafka.errors import KafkaError

from schemas.topics import TOPICS
from streams.brokers import explained
from streams.doctor.facts import Facts, gather
from streams.doctor.found import Found, wrong
from streams.doctor.judge import access_found, broker_found, clock_found, groups_found, needed_grants, topics_found
from streams.doctor.machine import files_found, machine_found
from streams.failures import Failure
from streams.security import security_options
from streams.settings import Settings
from streams.topics import Layout, await_broker, check
from streams.unreachable import why_kept_out

AWAY: Final = "Is Kafka up, is KAFKA_BOOTSTRAP right, and may this machine reach it?"


async def examine(settings: Settings, patience_s: float) -> list[Found]:
    """Everything that was found."""
    found = list(machine_found(settings))
    began_s = time.monotonic()
    try:
        await await_broker(settings.bootstrap, patience_s=patience_s)
        options = _options(settings)
        if reason := await why_kept_out(options):
            return [*found, files_found(0, 1), wrong("broker", reason, "Mend what it names; nothing else was asked.")]
        facts = await gather(options, *_wanted(settings))
        layout = _layout(settings, facts)
        left_s = max(patience_s - (time.monotonic() - began_s), 1.0)
        problems = await check(settings.bootstrap, layout, patience_s=left_s)
    except Failure as error:
        return [*found, files_found(0, 1), wrong("broker", str(error), AWAY)]
    except (KafkaError, OSError, TimeoutError) as error:
        told = explained(error) if isinstance(error, KafkaError) else f"{type(error).__name__}: {error}"
        return [*found, files_found(0, 1), wrong("broker", f"{settings.bootstrap} answers, and then: {told}.", AWAY)]
    return [
        *found,
        files_found(_lanes(settings, layout, facts), facts.brokers),
        *broker_found(facts, settings.bootstrap),
        *clock_found(facts),
        *topics_found(problems, facts, layout),
        *access_found(needed_grants(settings.roles, layout), facts, ", ".join(settings.roles)),
        *groups_found(facts, layout),
    ]


def _options(settings: Settings) -> dict[str, Any]:
    """What a Kafka client of the worker is told; raises SettingError for a file that cannot be used."""
    client_id = f"{settings.app_id}-doctor"
    return {"bootstrap_servers": settings.bootstrap, "client_id": client_id, **security_options(settings)}


def _wanted(settings: Settings) -> tuple[list[str], dict[str, str]]:
    """The topics to ask for, and the groups, each with a transactional id that it may use and no worker does."""
    layout = Layout(prefix=settings.topic_prefix, app_id=settings.app_id)
    groups = [grant.name for grant in needed_grants(settings.roles, layout) if grant.kind == "group"]
    return [row.named(layout.prefix) for row in layout.rows()], {group: f"{group}-doctor" for group in groups}


def _layout(settings: Settings, facts: Facts) -> Layout:
    """The topics as this application needs them; how many partitions they have is decided where they are made."""
    named = {name: facts.topics.get(settings.topic_prefix + name) for name in TOPICS}
    counts = {name: len(topic.parts) for name, topic in named.items() if topic is not None and topic.parts}
    return Layout(prefix=settings.topic_prefix, app_id=settings.app_id, partitions=counts)


def _lanes(settings: Settings, layout: Layout, facts: Facts) -> int:
    """How many producers one worker has that owns every partition which its roles read."""
    read = {row.named(layout.prefix) for row in layout.rows() if set(row.consumers) & set(settings.roles)}
    return sum(len(facts.topics[name].parts) for name in read if name in facts.topics)
