"""`churnwatch insights`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from streams.commands.shared import source_options

if TYPE_CHECKING:
    from streams.insights import Row

WIDTH: Final = 130  # where nobody looks


@click.group()
def insights() -> None:
    """Look at what is true of many customers: why they leave, how good the model is, what is silent."""


@insights.command("list")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind; may be given several times.")
@click.option("--group", metavar="GROUP", help="Only of this group of customers, such as all or plan:pro.")
@click.option("--json", "as_json", is_flag=True, help="One row per line, as it is on the topic.")
@source_options
def list_(
    kinds: tuple[str, ...], group: str | None, as_json: bool, file: str | None, bootstrap: str, topic_prefix: str
) -> None:
    """List what stands: the id of each insight, and its sentence.

    Reads only what was committed, joins no group, and commits nothing. The learner's own state, which is not for
    people, is shown by --kind learner_state alone. What the kinds mean: docs/insights.md.

    \b
    Examples:
      churnwatch insights list --kind common_reasons
      churnwatch insights list --group plan:pro
      churnwatch replay events.jsonl --insights rows.jsonl && churnwatch insights list --from rows.jsonl
    """
    from streams.insights import wanted
    from streams.terminal import printable

    rows = wanted(_rows(file, bootstrap, topic_prefix), kinds, group)
    if as_json:
        _write(rows)
    else:
        for row in rows:
            said = f"{row.insight_id}\n    {row.fields.get('as_of', '')}  {row.fields.get('text', '')}"
            click.echo(printable(said))
    click.echo(f"{len(rows):,} insights", err=True)


@insights.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@click.option("--json", "as_json", is_flag=True, help="One row per line, as it is on the topic.")
@source_options
def show(ids: tuple[str, ...], as_json: bool, file: str | None, bootstrap: str, topic_prefix: str) -> None:
    """Show insights whole: the sentence, every figure, and tables of what there are several of.

    Ends with 1 if one of the ids does not stand.

    \b
    Examples:
      churnwatch insights show common_reasons/all
      churnwatch insights show quality_by_group/all quality_by_group/plan:pro --json | jq .reliability
    """
    from streams.failures import Failure

    standing = {row.insight_id: row for row in _rows(file, bootstrap, topic_prefix)}
    missing = [name for name in ids if name not in standing]
    if missing:
        raise Failure(f"no insight has the id {', '.join(missing)}: `churnwatch insights list` shows those that stand")
    rows = [standing[name] for name in ids]
    if as_json:
        _write(rows)
        return
    from rich.console import Console

    from streams.insight_cards import insight_card

    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    for row in rows:
        console.print(insight_card(row))


def _rows(file: str | None, bootstrap: str, prefix: str) -> list[Row]:
    from streams.insights import in_file, standing

    if file is not None:
        return in_file(file)
    import asyncio

    return asyncio.run(standing(bootstrap, prefix))


def _write(rows: list[Row]) -> None:
    for row in rows:
        sys.stdout.buffer.write(row.value + b"\n")
    sys.stdout.buffer.flush()
