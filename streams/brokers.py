"""Clients of a Kafka broker: what all of them are told; for commands, started, stopped, their errors in one line."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.engine.errors import DENIED, refusal_in
from streams.failures import Failure
from streams.security import security_of, security_options
from streams.unreachable import why_kept_out

COMPRESSIONS: Final = ("none", "gzip", "snappy", "lz4", "zstd")


class _Client(Protocol):
    async def start(self) -> Any: ...

    async def stop(self) -> Any: ...


Client = TypeVar("Client", bound=_Client)


def client_options(bootstrap: str, client_id: str, env: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What every client of Kafka is told: where it is, who asks, and what the environment says of its security.

    Raises SettingError, naming the variable.

    >>> client_options("127.0.0.1:9092", "me", {})
    {'bootstrap_servers': '127.0.0.1:9092', 'client_id': 'me', 'security_protocol': 'PLAINTEXT'}
    """
    return {"bootstrap_servers": bootstrap, "client_id": client_id, **security_options(security_of(env))}


@asynccontextmanager
async def started(client: Client, bootstrap: str) -> AsyncIterator[Client]:
    """The client while it is connected; raises Failure if no broker answers or lets it in, or denies it something."""
    # The commands say themselves, in one line, what aiokafka would log in several.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        try:
            await client.start()
        except KafkaError as error:
            await client.stop()
            if not isinstance(error, KafkaConnectionError):
                raise
            raise Failure(await no_broker(bootstrap)) from error
        try:
            yield client
        finally:
            await client.stop()
    except DENIED as error:
        raise refusal_in(error) or Failure(explained(error)) from error


@asynccontextmanager
async def administering(bootstrap: str, client_id: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client while it is connected; raises Failure like `started`."""
    async with started(_Admin(**client_options(bootstrap, client_id)), bootstrap) as admin:
        yield admin


class _Admin(AIOKafkaAdminClient):  # type: ignore[misc]
    """aiokafka's, which is closed where the others are stopped."""

    async def stop(self) -> None:
        await self.close()


async def no_broker(bootstrap: str) -> str:
    """Why there is no connection: what a broker said when it was asked, or that none answers."""
    said = await why_kept_out(client_options(bootstrap, "churnwatch"))
    return said or f"no Kafka broker answers at {bootstrap} (set KAFKA_BOOTSTRAP)"


def explained(error: KafkaError) -> str:
    """A Kafka error in one line: its name in words of Kafka, and what the broker said about it.

    >>> from aiokafka.errors import TopicAuthorizationFailedError
    >>> explained(TopicAuthorizationFailedError("billing.events"))
    'TopicAuthorizationFailed (billing.events)'
    """
    name = type(error).__name__.removesuffix("Error")
    said = ", ".join(str(part) for part in error.args)
    return f"{name} ({said})" if said else name


async def hidden_topics(client: Any, names: Iterable[str]) -> set[str]:
    """Those of the topics that this user may not even see, there or not; `client` is a started client's own."""
    asked = sorted(names)
    await client.set_topics(asked)  # a question without names leaves them out in silence
    return set(asked) & set(client.cluster.unauthorized_topics)


async def no_topics(client: Any, names: Iterable[str], prefix: str) -> Failure:
    """Why there are no such topics for this user: they may not be seen, or are not there; named, and what to do."""
    wanted = sorted(names)
    if hidden := await hidden_topics(client, wanted):
        return Failure(f"Kafka shows no topic {', '.join(sorted(hidden))} to this user: grant Describe on it")
    return missing_topics(wanted, prefix)


def missing_topics(names: Iterable[str], prefix: str) -> Failure:
    """The failure that names topics which the broker does not have, and how to create them."""
    listed = ", ".join(sorted(names))
    hint = f"CHURNWATCH_TOPIC_PREFIX={prefix} " if prefix else ""
    return Failure(f"no such topic on the broker: {listed}; create it with: {hint}churnwatch topics create")
