"""`churnwatch journal`: the one log that decisions come from."""

from __future__ import annotations

import asyncio

import click

from streams.commands.shared import kafka_options


@click.group()
def journal() -> None:
    """Read the journal, the one log that decisions come from."""


@journal.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    help="Where to write; packed if .gz or .zst.",
)
@kafka_options
def dump(out: str, bootstrap: str, topic_prefix: str) -> None:
    """Write every committed record of the journal as JSON lines, enough to fold it again bit for bit.

    \b
    Example:
      churnwatch journal dump --out journal.jsonl.zst
      churnwatch replay --journal journal.jsonl.zst --alerts alerts.jsonl
    """
    count = asyncio.run(_dump(out, bootstrap, topic_prefix))
    click.echo(f"{count:,} records", err=True)


async def _dump(out: str, bootstrap: str, prefix: str) -> int:
    from schemas.journal_dump import encode_journal_line
    from streams.journal_dump import dump as dump_journal
    from streams.lines import open_output

    count = 0
    with open_output(out) as file:
        async for line in dump_journal(bootstrap, prefix):
            file.write(encode_journal_line(line) + b"\n")
            count += 1
    return count
