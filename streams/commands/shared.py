"""Option types and options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from streams.durations import parse_duration_s, parse_time_s

Command = TypeVar("Command", bound=Callable[..., Any])
DEFAULT_BOOTSTRAP: Final = "127.0.0.1:9092"


class Duration(click.ParamType):
    """A duration such as 7d or 1h30m, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; a usage error if the text is no duration."""
        if isinstance(value, float):
            return value
        try:
            return parse_duration_s(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType):
    """A time such as 2026-03-01 or 2026-03-01T12:00:00Z, as seconds since the Unix epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds since the epoch; a usage error if the text is no time."""
        if isinstance(value, float):
            return value
        try:
            return parse_time_s(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Rate(click.ParamType):
    """A rate such as 500 or 500/s, per second."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Events per second; a usage error if the text is no rate above zero."""
        try:
            rate_per_s = float(str(value).removesuffix("/s"))
        except ValueError:
            rate_per_s = 0.0
        if not 0.0 < rate_per_s < float("inf"):
            self.fail(f"{value!r} is not a rate above zero, such as 500 or 500/s", param, ctx)
        return rate_per_s


class Addresses(click.ParamType):
    """Where Kafka answers: host:port, several with commas."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The addresses; a usage error if one is not host:port."""
        from streams.settings import VARIABLES

        try:
            return str(VARIABLES["KAFKA_BOOTSTRAP"].read(str(value)))
        except ValueError as error:
            self.fail(str(error), param, ctx)


ADDRESSES: Final = Addresses()
DURATION: Final = Duration()
MOMENT: Final = Moment()
RATE: Final = Rate()


def kafka_options(command: Command) -> Command:
    """Add `--bootstrap` and `--topic-prefix`, which the environment sets too."""
    bootstrap = click.option(
        "--bootstrap",
        envvar="KAFKA_BOOTSTRAP",
        type=ADDRESSES,
        default=DEFAULT_BOOTSTRAP,
        show_default=True,
        show_envvar=True,
        metavar="HOST:PORT,…",
        help="Where Kafka answers.",
    )
    prefix = click.option(
        "--topic-prefix",
        envvar="CHURNWATCH_TOPIC_PREFIX",
        default="",
        show_envvar=True,
        metavar="TEXT",
        help="What stands before every topic name.",
    )
    return bootstrap(prefix(command))


def source_options(command: Command) -> Command:
    """Add the options that say where insights are: on Kafka, or in a file."""
    file = click.option(
        "--from",
        "file",
        type=click.Path(exists=True, dir_okay=False),
        metavar="ROWS.jsonl",
        help="What `replay --insights` has written, instead of Kafka.",
    )
    return file(kafka_options(command))
