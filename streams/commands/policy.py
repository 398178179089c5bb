"""`churnwatch policy`."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from streams.commands.shared import MOMENT, Command, kafka_options

if TYPE_CHECKING:
    from streams.policy_apply import Applied, Cluster

FILE = click.Path(exists=True, dir_okay=False)
EVENTS = click.Path(dir_okay=False, allow_dash=True)


def app_options(command: Command) -> Command:
    """Add the options that say whose journal is meant."""
    app_id = click.option(
        "--app-id", envvar="CHURNWATCH_APP_ID", default="churnwatch", show_default=True, show_envvar=True
    )
    return app_id(kafka_options(command))


@click.group()
def policy() -> None:
    """Check a policy, see what it would change, put it into force."""


@policy.command()
def default() -> None:
    """Print the built-in policy: every number with its default and its reason, as commented TOML.

    \b
    Example:
      churnwatch policy default > policy.toml
    """
    from detectors.policy import Policy
    from detectors.policy_page import policy_page

    click.echo(policy_page(Policy()), nl=False)


@policy.command()
@click.argument("file", type=FILE, metavar="FILE")
def check(file: str) -> None:
    """Say everything that is wrong with a policy file, with the line; ends with 1 if anything is.

    Prints FILE:LINE: KEY: what is wrong. What is legal but odd is told as a warning, and does not count.

    \b
    Example:
      churnwatch policy check policy.toml && churnwatch policy apply policy.toml
    """
    from detectors.signals.base import times
    from streams.policy_file import check_file

    checked = check_file(file)
    for found, word in [*((f, "") for f in checked.problems), *((f, "warning: ") for f in checked.oddities)]:
        place = file if found.line is None else f"{file}:{found.line}"
        click.echo(f"{place}: {word}{found.problem}")
    odd = f", {times(len(checked.oddities), 'warning')}" if checked.oddities else ""
    if checked.policy is None:
        click.echo(times(len(checked.problems), "problem"), err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"{checked.policy.version}: nothing wrong{odd}", err=True)


@policy.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.argument("files", nargs=-1, required=True, type=EVENTS, metavar="EVENTS…")
@click.option("--json", "as_json", is_flag=True, help="The whole as one JSON object.")
@click.option("--sample", type=click.IntRange(0), default=10, show_default=True, help="Show so many alerts.")
@click.option("--until", type=MOMENT, help="Leave out events after this time.")
@click.option("--now", type=MOMENT, help="The clock that events from the future are told by.  [default: the machine's]")
def diff(
    old: str, new: str, files: tuple[str, ...], as_json: bool, sample: int, until: float | None, now: float | None
) -> None:
    """Show which alerts would appear, vanish or change with another policy.

    Reads the events once, as `churnwatch replay` does, and folds them by both policies. OLD and NEW are policy files;
    `default` is the built-in policy. Two alerts are the same one if they were open at the same time.

    \b
    Examples:
      churnwatch policy diff default policy.toml events.jsonl
      churnwatch policy diff old.toml new.toml year.jsonl.zst --json > diff.json
    """
    from rich.console import Console

    from streams.policy_diff import diff as compare
    from streams.policy_file import load_named
    from streams.policy_table import tables
    from streams.progress import progress_bar
    from streams.replay_options import ReplayOptions

    policies = load_named(old), load_named(new)
    with progress_bar("Replaying") as progress:
        options = ReplayOptions(files=files, until_s=until, now_s=now, progress=progress)
        found = compare(*policies, options, sample)
    if as_json:
        sys.stdout.buffer.write(found.json())
        return
    console = Console(width=None if sys.stdout.isatty() else 110)
    for table in tables(found):
        console.print(table)


@policy.command()
@click.argument("file", type=FILE, metavar="FILE")
@app_options
def apply(file: str, bootstrap: str, topic_prefix: str, app_id: str) -> None:
    """Put a policy into force: a record in every journal partition, in one transaction.

    Detectors take it up at that record, for good: it comes before CHURNWATCH_POLICY from there on, also after a
    restart. By itself it opens no alert. A policy that is in force already is not written again.

    \b
    Example:
      churnwatch policy apply policy.toml
    """
    from streams.policy_apply import apply as put
    from streams.policy_file import load_policy

    wanted = load_policy(file)
    cluster = _cluster(bootstrap, topic_prefix, app_id)
    applied = asyncio.run(put(cluster, wanted))
    _say(applied, cluster)
    click.echo("in force from there on" if applied.is_new else "in force already; nothing was written", err=True)


@policy.command()
@app_options
def show(bootstrap: str, topic_prefix: str, app_id: str) -> None:
    """Show which policy was applied last, and at which record; ends with 1 if the broker does not know.

    A broker forgets it after `offsets.retention.minutes` (7 days); detectors do not: `policy_version` of each score
    and each alert says what decided.

    \b
    Example:
      churnwatch policy show
    """
    from streams.policy_apply import last_applied

    cluster = _cluster(bootstrap, topic_prefix, app_id)
    applied = asyncio.run(last_applied(cluster))
    _say(applied, cluster)
    if not applied.versions:
        click.echo("the broker knows of no policy that was applied in its retention time", err=True)
        raise click.exceptions.Exit(1)


def _cluster(bootstrap: str, prefix: str, app_id: str) -> Cluster:
    from streams.policy_apply import Cluster

    return Cluster(bootstrap, prefix, app_id)


def _say(applied: Applied, cluster: Cluster) -> None:
    """One line per partition: version, partition, offset."""
    for number, version in sorted(applied.versions.items()):
        click.echo(f"{version}  {cluster.journal}[{number}]@{applied.offsets[number]}")
