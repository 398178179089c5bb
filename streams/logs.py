"""Logging: JSON lines for machines, colour for a terminal; never a payload, never a customer id.

Rules: a line says what happened in a few words, and the rest in fields; other libraries' lines take the same shape;
what libraries repeat every second while the broker is away is said once by us and dropped here.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError

from streams.settings import Settings

NOISE: Final = (
    "Unable connect to",
    "Unable to update metadata",
    "Unable connect to node",
    "Topic creation disabled",
    "Connect attempt to",
    "Heartbeat failed",
    "Failed fetch messages from",
    "Got error produce response",
    "Group Coordinator Request failed",
    "Timer ",
    "Could not send",
    "Cannot send",
    "Error sending",
    "Marking the coordinator dead",
    "Heartbeat send request failed",
    "Heartbeat session expired",
    "LeaveGroup request failed",
    "[^",  # Faust's services; why an app failed is said by the worker, once
)
FAUST: Final = ("faust", "mode", "streams.engine.transport", "streams.engine.store")  # ours log under their module
SECRETIVE: Final = "aiokafka.conn"  # says each log-in, and at debug each request, a password too
LEVELS: Final = dict.fromkeys(("aiokafka", *FAUST), logging.WARNING)


class Quiet(logging.Filter):
    """Drops what libraries repeat while a broker is away, unless the level is debug."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not str(record.msg).startswith(NOISE) and not (
            record.name == "asyncio" and isinstance(error, KafkaError)
        )


def set_up_logs(settings: Settings) -> None:
    """Make every logger of the process write to stderr in the chosen format."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]  # others print payloads
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    level = logging.getLevelName(settings.log_level.upper())
    root.setLevel(level)
    logging.getLogger(SECRETIVE).setLevel(max(level, logging.WARNING))
    if level > logging.DEBUG:
        handler.addFilter(Quiet())
        for name, least in LEVELS.items():
            logging.getLogger(name).setLevel(max(level, least))
