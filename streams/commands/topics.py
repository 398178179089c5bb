"""`churnwatch topics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from streams.commands.shared import DURATION, kafka_options

if TYPE_CHECKING:
    from streams.manifests import User
    from streams.topics import Layout

Command = TypeVar("Command", bound=Callable[..., Any])


class TopicCount(click.ParamType):
    """A topic and a number of partitions, such as churn.journal=12."""

    name = "topic=n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """The name and the number; a usage error if it is not of that form."""
        name, equals, number = str(value).rpartition("=")
        if not equals or not name or not number.isdigit():
            self.fail(f"{value!r} is not of the form TOPIC=N", param, ctx)
        return name, int(number)


TOPIC_COUNT: Final = TopicCount()
USERS: Final = ("worker", "intake", "detector", "learner", "upstream", "retention", "operator")


def name_options(command: Command) -> Command:
    """Add the options that say what the topics are called and how they are cut."""
    partitions = click.option(
        "--partitions",
        type=TOPIC_COUNT,
        multiple=True,
        metavar="TOPIC=N",
        help="So many partitions instead of the default; may be given for several topics.",
    )
    app_id = click.option(
        "--app-id", envvar="CHURNWATCH_APP_ID", default="churnwatch", show_default=True, show_envvar=True
    )
    return partitions(app_id(command))


def layout_options(command: Command) -> Command:
    """Add the options that say which topics are meant, and on which broker."""
    wait = click.option("--wait", type=DURATION, default="10s", show_default=True, help="Wait for a broker so long.")
    return wait(name_options(kafka_options(command)))


def _layout(
    prefix: str, app_id: str, partitions: tuple[tuple[str, int], ...], replication: int | None = None
) -> Layout:
    from streams.failures import WrongUsage
    from streams.topics import Layout

    try:
        return Layout(prefix=prefix, app_id=app_id, partitions=dict(partitions), replication=replication)
    except ValueError as error:
        raise WrongUsage(f"--partitions: {error}") from error


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.group()
def topics() -> None:
    """Create the topics, or check them."""


@topics.command()
@click.option("--replication", type=click.IntRange(1), metavar="N", help="Copies of each.  [default: the broker's]")
@layout_options
def create(
    bootstrap: str,
    topic_prefix: str,
    app_id: str,
    partitions: tuple[tuple[str, int], ...],
    wait: float,
    replication: int | None,
) -> None:
    """Create every topic that is missing; those that are there stay as they are.

    Prints the names of the topics it made, one per line.

    \b
    Examples:
      churnwatch topics create
      churnwatch topics create --partitions churn.journal=12 --replication 3
    """
    import asyncio

    from streams.topics import create as make

    layout = _layout(topic_prefix, app_id, partitions, replication)
    created = asyncio.run(make(bootstrap, layout, say=_say, patience_s=wait))
    for name in created.made:
        click.echo(name)
    _say(f"{len(created.made)} topics created, {len(created.kept)} were there")


@topics.command()
@layout_options
def check(
    bootstrap: str,
    topic_prefix: str,
    app_id: str,
    partitions: tuple[tuple[str, int], ...],
    wait: float,
) -> None:
    """Say what is wrong with the topics, one line each; ends with 1 if anything is.

    Tells of topics that are missing, may not be read, or have the wrong number of partitions, cleanup or retention.

    \b
    Example:
      churnwatch topics check || churnwatch topics create
    """
    import asyncio

    from streams.topics import check as look

    problems = asyncio.run(look(bootstrap, _layout(topic_prefix, app_id, partitions), say=_say, patience_s=wait))
    for problem in problems:
        click.echo(problem.text)
    if problems:
        raise click.exceptions.Exit(1)
    _say("the topics are as they must be")


@topics.command()
@click.option("--cluster", default="kafka", show_default=True, metavar="NAME", help="The name of the Kafka resource.")
@click.option(
    "--user", "users", type=click.Choice(USERS), multiple=True, help="Only this user; may be given several times."
)
@click.option("--replication", type=click.IntRange(1), metavar="N", help="Copies of each.  [default: 3]")
@name_options
@click.option("--topic-prefix", envvar="CHURNWATCH_TOPIC_PREFIX", default="", show_envvar=True, metavar="TEXT")
def manifests(
    cluster: str,
    users: tuple[str, ...],
    replication: int | None,
    app_id: str,
    partitions: tuple[tuple[str, int], ...],
    topic_prefix: str,
) -> None:
    """Print topics and users as Strimzi's manifests: each user may do what it must, and no more.

    Needs no broker. Without --user: worker (every role in one process), upstream, retention and operator.

    \b
    Examples:
      churnwatch topics manifests --cluster kafka | kubectl apply -n kafka -f -
      churnwatch topics manifests --user intake --user detector --partitions churn.journal=12
    """
    from streams.manifests import manifests as written

    chosen = users or ("worker", "upstream", "retention", "operator")
    layout = _layout(topic_prefix, app_id, partitions, replication)
    click.echo(written(layout, cluster, cast("tuple[User, ...]", chosen)), nl=False)
