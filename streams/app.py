"""The Faust apps of a worker: one per role, each a consumer group of its own.

Rules: every name on the wire is given here, never derived from a module; Faust declares no topic, serves no page,
commits no offset. A group per role keeps committed offsets valid however roles are spread over workers, and lets one
role rebalance and recover without stopping the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import faust
from yarl import URL

from schemas.topics import EXAMPLES, INPUT_TOPICS, JOURNAL, STATE_TABLE, state_changelog
from streams.engine.errors import Refusal
from streams.engine.store import Copies, StateTable
from streams.engine.transport import FetchApp, FetchTransport, PassThrough
from streams.security import security_options
from streams.settings import Settings

POLL_RECORDS: Final = 5_000
LEARNER_POLL_RECORDS: Final = 50  # each takes half a millisecond, and alerts of the same process wait for it
BUFFERED_FETCHES: Final = 8


class Topics:
    """Real topic names, and how many partitions each has on this broker."""

    def __init__(self, settings: Settings, partitions: Mapping[str, int]) -> None:
        self.prefix = settings.topic_prefix
        self.partitions = partitions
        self.changelog = state_changelog(settings.app_id).named(self.prefix)
        self.journal = self.named(JOURNAL)
        self.examples = self.named(EXAMPLES)
        self.inputs = [self.named(topic) for topic in INPUT_TOPICS]

    def named(self, topic: str) -> str:
        """A topic's name on the broker."""
        return self.prefix + topic


def client_options(settings: Settings) -> dict[str, Any]:
    """What every Kafka client of the worker is told; raises SettingError for a file that cannot be used."""
    return {"bootstrap_servers": settings.bootstrap, "client_id": settings.app_id, **security_options(settings)}


def make_app(settings: Settings, role: str) -> FetchApp:
    """An app for one role, with no agents yet."""
    folder = Path(settings.data_dir) / f"{settings.app_id}-{role}"
    try:
        folder.mkdir(parents=True, exist_ok=True)  # Faust makes no parents
    except OSError as error:
        reason = error.strerror or error
        raise Refusal(
            f"CHURNWATCH_DATA_DIR: {folder} cannot be made ({reason}): make room, or name another."
        ) from error
    app = FetchApp(
        group_of(settings, role),
        broker=f"kafka://{settings.bootstrap.replace(',', ';')}",
        datadir=folder,
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        stream_buffer_maxsize=BUFFERED_FETCHES,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
        broker_max_poll_records=LEARNER_POLL_RECORDS if role == "learner" else POLL_RECORDS,
        broker_commit_interval=3_600.0,
        broker_session_timeout=settings.session_timeout_ms / 1000,
        broker_heartbeat_interval=settings.session_timeout_ms / 5000,
        broker_request_timeout=60.0,
        consumer_group_instance_id=f"{settings.instance_id}-{role}" if settings.instance_id else None,
    )
    app.client_options = client_options(settings)
    app.transport = FetchTransport([URL(f"kafka://{settings.bootstrap.split(',')[0]}")], app)
    return app


def group_of(settings: Settings, role: str) -> str:
    """The consumer group of a role.

    >>> group_of(Settings(), "detector")
    'churnwatch-detector'
    """
    return f"{settings.app_id}-{role}"


def source(app: FetchApp, names: Sequence[str]) -> Any:
    """A channel over topics whose messages are whole fetches; Faust keeps no account of acknowledgements."""
    return app.topic(*names, schema=PassThrough(), key_type=bytes, value_type=bytes, acks=False)


def state_table(app: FetchApp, changelog: str, copies: Copies) -> faust.Table:  # type: ignore[type-arg]
    """The table whose recovery fills `copies`."""
    topic = app.topic(changelog, schema=PassThrough(), key_type=bytes, value_type=bytes, acks=False)
    table = StateTable(
        app,
        name=STATE_TABLE,
        copies=copies,
        schema=PassThrough(),
        key_type=bytes,
        value_type=bytes,
        changelog_topic=topic,
        recovery_buffer_size=2,  # 1 means something else to Faust
        beacon=app.tables.beacon,
    )
    app.tables.add(table)
    return table
