"""Clients of a Kafka broker for the commands: started, stopped, and their errors said in one line."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, TypeVar

from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.failures import Failure

COMPRESSIONS: Final = ("none", "gzip", "snappy", "lz4", "zstd")


class _Client(Protocol):
    async def start(self) -> Any: ...

    async def stop(self) -> Any: ...


Client = TypeVar("Client", bound=_Client)


@asynccontextmanager
async def started(client: Client, bootstrap: str) -> AsyncIterator[Client]:
    """The client while it is connected; raises Failure, naming the address, if no broker answers there."""
    # The commands say themselves, in one line, what aiokafka would log in several.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        await client.start()
    except KafkaConnectionError as error:
        await client.stop()
        raise Failure(f"no Kafka broker answers at {bootstrap} (set KAFKA_BOOTSTRAP)") from error
    try:
        yield client
    finally:
        await client.stop()


def explained(error: KafkaError) -> str:
    """A Kafka error in one line: its name in words of Kafka, and what the broker said about it.

    >>> from aiokafka.errors import TopicAuthorizationFailedError
    >>> explained(TopicAuthorizationFailedError("billing.events"))
    'TopicAuthorizationFailed (billing.events)'
    """
    name = type(error).__name__.removesuffix("Error")
    said = ", ".join(str(part) for part in error.args)
    return f"{name} ({said})" if said else name


def missing_topics(names: list[str], prefix: str) -> Failure:
    """The failure that names topics which the broker does not have, and how to create them."""
    listed = ", ".join(sorted(names))
    hint = f"CHURNWATCH_TOPIC_PREFIX={prefix} " if prefix else ""
    return Failure(f"no such topic on the broker: {listed}; create it with: {hint}churnwatch topics create")
