"""Before a worker starts: is the broker there, and are the topics as they must be?

Rules: a broker that is away is waited for, with one line; anything that waiting does not cure is a Refusal that names
the topic; the state's changelog is ours, so it is made here if it is missing.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from schemas.topics import TOPICS
from streams.app import Topics
from streams.engine.errors import Refusal, refusal_in
from streams.settings import Settings
from streams.topics import Layout, TopicsError, await_broker, check, create

AGAIN_S: Final = (0.5, 1.0, 2.0, 5.0)
log = structlog.get_logger(__name__)


async def find_topics(settings: Settings) -> Topics:
    """Wait for the broker, check the topics, make the changelog; raises Refusal."""
    said, attempt = False, 0
    while True:
        try:
            await await_broker(settings.bootstrap, say=None if said else log.warning)
            return await _find(settings)
        except TopicsError as error:
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
        if problem.kind == "retention":
            log.warning(problem.text, topic=problem.topic)
    fatal = [problem for problem in problems if problem.kind != "retention"]
    if fatal:
        raise TopicsError(fatal)
    topics = Topics(settings, counts)
    if "detector" in settings.roles and topics.changelog not in counts:
        await create(settings.bootstrap, layout)
        log.info("made the changelog", topic=topics.changelog)
        return Topics(settings, await _counts(settings))
    return topics


async def _counts(settings: Settings) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap, client_id=f"{settings.app_id}-check")
    try:
        await admin.start()
    except KafkaConnectionError:
        await admin.close()
        raise
    try:
        names = [settings.topic_prefix + name for name in TOPICS]
        names.append(Topics(settings, {}).changelog)
        described = await admin.describe_topics(names)
        return {topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]}
    finally:
        await admin.close()
