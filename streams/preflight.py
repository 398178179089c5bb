"""Before a worker starts: is the broker there, and are the topics as they must be?

Rules: a broker that is away is waited for, with one line; anything that waiting does not cure is a Refusal that names
the topic; the state's changelog is ours, so it is made here if it is missing.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaConnectionError,
    KafkaError,
)

from schemas.topics import TOPICS
from streams.app import Topics, client_options, group_of
from streams.engine.errors import Refusal, refusal_in
from streams.settings import SettingError, Settings
from streams.topics import KeptOutError, Layout, TopicsError, await_broker, check, create
from streams.unreachable import why_kept_out

AGAIN_S: Final = (0.5, 1.0, 2.0, 5.0)
TOLD: Final = ("retention", "compaction")  # what is wrong with a topic, and is no reason not to run
log = structlog.get_logger(__name__)


async def find_topics(settings: Settings) -> Topics:
    """Wait for the broker, check the topics, make the changelog; raises Refusal."""
    said, attempt = False, 0
    while True:
        try:
            await await_broker(settings.bootstrap, say=None if said else log.warning)
            return await _find(settings)
        except (TopicsError, KeptOutError, SettingError) as error:
            raise Refusal(str(error)) from error
        except (KafkaError, OSError, TimeoutError) as error:
            refusal = refusal_in(error)
            if refusal is not None:
                raise refusal from error
            if not said:
                log.warning("Kafka does not answer yet; trying again", error=type(error).__name__)
            said = True
            await asyncio.sleep(AGAIN_S[min(attempt, len(AGAIN_S) - 1)])
            attempt += 1


async def _find(settings: Settings) -> Topics:
    counts = await _counts(settings)
    prefix = settings.topic_prefix
    layout = Layout(
        prefix=prefix,
        app_id=settings.app_id,
        # How many partitions there are is decided where topics are made; only the changelog must follow.
        partitions={name: counts[prefix + name] for name in TOPICS if prefix + name in counts},
    )
    problems = await check(settings.bootstrap, layout)
    for problem in problems:
        if problem.kind in TOLD:
            log.warning(problem.text, topic=problem.topic)
    fatal = [problem for problem in problems if problem.kind not in TOLD]
    if fatal:
        raise TopicsError(fatal)
    topics = Topics(settings, counts)
    if "detector" in settings.roles and topics.changelog not in counts:
        await create(settings.bootstrap, layout)
        log.info("made the changelog", topic=topics.changelog)
        return Topics(settings, await _counts(settings))
    return topics


async def _may_join(admin: AIOKafkaAdminClient, settings: Settings) -> None:
    """Raise Refusal where a role's group is not granted: a consumer that may not join only waits, in silence."""
    for role in settings.roles:
        group = group_of(settings, role)
        try:
            await admin.find_coordinator(group)
        except GroupAuthorizationFailedError as error:
            raise Refusal(f"Not allowed to join group {group}: grant Read on it.") from error
        except GroupCoordinatorNotAvailableError:
            continue  # a broker that is new has no coordinator yet; nothing is denied


async def _counts(settings: Settings) -> dict[str, int]:
    options = client_options(settings)
    if reason := await why_kept_out(options):
        raise KeptOutError(reason)
    admin = AIOKafkaAdminClient(**options)
    try:
        await admin.start()
    except KafkaConnectionError:
        await admin.close()
        raise
    try:
        await _may_join(admin, settings)
        names = [settings.topic_prefix + name for name in TOPICS]
        names.append(Topics(settings, {}).changelog)
        described = await admin.describe_topics(names)
        return {topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]}
    finally:
        await admin.close()
