"""`churnwatch alerts`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import click

from streams.commands.shared import DURATION, kafka_options

if TYPE_CHECKING:
    from schemas.alerts import RiskLevel
    from streams.tail import TailOptions

LEVELS = ("low", "medium", "high", "critical")


@click.group()
def alerts() -> None:
    """Look at alerts as they come."""


@alerts.command()
@click.option("--from-beginning", is_flag=True, help="Start with the oldest alert.  [default: from now on]")
@click.option("--level", type=click.Choice(LEVELS), help="Only this level and above.")
@click.option("--customer", metavar="ID", help="Only this customer.")
@click.option("--json", "as_json", is_flag=True, help="One CloudEvent per line, as it is on the topic.")
@click.option("--count", type=click.IntRange(1), help="Stop after so many.")
@click.option("--timeout", type=DURATION, help="Stop after this time; ends with 1 if --count was not reached.")
@kafka_options
def tail(
    from_beginning: bool,
    level: str | None,
    customer: str | None,
    as_json: bool,
    count: int | None,
    timeout: float | None,
    bootstrap: str,
    topic_prefix: str,
) -> None:
    """Show alerts as they come.

    Prints a card per revision: the risk and where it is heading, the reasons with their weight, what to do, and the
    revenue at stake. Reads only what was committed, joins no group, and commits nothing. Ctrl-C stops it.

    \b
    Examples:
      churnwatch alerts tail --level high
      churnwatch alerts tail --from-beginning --json --timeout 5s > alerts.jsonl
      churnwatch alerts tail --customer c-1042 --count 1
    """
    import uvloop

    from streams.tail import TailOptions

    options = TailOptions(
        bootstrap=bootstrap,
        prefix=topic_prefix,
        from_beginning=from_beginning,
        level=cast("RiskLevel | None", level),
        customer=customer,
        count=count,
        timeout_s=timeout,
    )
    shown = uvloop.run(_show(options, as_json))
    if count is not None and shown < count:
        click.echo(f"{shown} of {count} alerts came in time", err=True)
        raise click.exceptions.Exit(1)


async def _show(options: TailOptions, as_json: bool) -> int:
    """Print each alert as it comes; returns how many there were."""
    from rich.console import Console

    from streams.cards import card
    from streams.tail import tail as read

    console = Console(width=None if sys.stdout.isatty() else 110)
    shown = 0
    async for seen in read(options):
        shown += 1
        if as_json:
            sys.stdout.buffer.write(seen.value + b"\n")
            sys.stdout.buffer.flush()
        else:
            console.print(card(seen.event))
    return shown
