"""A real broker for the tests of this folder: KAFKA_BOOTSTRAP if given, else Docker's, else Kafka's jars."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.kafka.choose import GivenBroker, LocalBroker, local_broker
from deploy.kafka.client import Kafka
from tests.broker.secure import SecureBroker

HERE = Path(__file__).parent
GUARDED = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is marked `broker`."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.broker)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GivenBroker | LocalBroker]:
    """One broker for the whole run; tests share it, so each uses a prefix of its own and never stops it."""
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        yield GivenBroker(given)
        return
    with local_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """A broker of this test alone, which may stop, kill and restart it; started, and stopped at the end."""
    with local_broker(tmp_path / "kafka") as running:
        yield running


@pytest.fixture
def guarded_broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """A broker of this test alone, where anybody may do everything but what `Kafka.deny` forbids."""
    with local_broker(tmp_path / "kafka", settings=GUARDED) as running:
        yield running


@pytest.fixture(scope="module")
def denying_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """The same for all tests of a file, each of which denies something of topics that no other has."""
    with local_broker(tmp_path_factory.mktemp("denying"), settings=GUARDED) as running:
        yield running


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """A broker with TLS and users for all tests that want one: each has topics of its own, and grants for these."""
    with SecureBroker(tmp_path_factory.mktemp("secure") / "broker") as running:
        yield running


@pytest.fixture
def bootstrap(broker: GivenBroker | LocalBroker) -> str:
    """The shared broker's address, `host:port`."""
    return broker.bootstrap


@pytest.fixture
def kafka(bootstrap: str) -> Kafka:
    """Blocking calls to the shared broker."""
    return Kafka(bootstrap)


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test has."""
    return f"t{uuid4().hex[:10]}."


@pytest.fixture
def app_id() -> str:
    """An application id that no other test has."""
    return f"app-{uuid4().hex[:10]}"
