"""`churnwatch schema`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from streams.commands.shared import MOMENT


@click.group()
def schema() -> None:
    """Export the contracts, or check files against them."""


@schema.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("schemas/exported"))
def export(folder: Path) -> None:
    """Write the contracts to FOLDER: one JSON Schema per event type, and one AsyncAPI 3 document.

    FOLDER is schemas/exported unless given. Prints the names of the files that changed.

    \b
    Example:
      churnwatch schema export /tmp/contracts
    """
    from schemas.export import exported_files
    from streams.failures import Failure

    files = exported_files()
    changed = 0
    for name, content in sorted(files.items()):
        path = folder / name
        try:
            if path.exists() and path.read_bytes() == content:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise Failure(f"cannot write {path}: {error.strerror}") from error
        click.echo(path)
        changed += 1
    click.echo(f"{changed} of {len(files)} files written to {folder}", err=True)


@schema.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE…")
@click.option("--now", type=MOMENT, help="The clock that events from the future are told by.  [default: the machine's]")
def check(files: tuple[str, ...], now: float | None) -> None:
    """Check files of events against the contracts.

    Reads CloudEvents as JSON lines (plain, .gz, .zst, or - for standard input), and prints a line for each that would
    become a dead letter: file, line, reason, and what was expected where. Ends with 1 if there is any.

    \b
    Example:
      churnwatch schema check events.jsonl
    """
    from schemas.intake import read_event
    from schemas.refusals import Rejected
    from streams.lines import read_lines, total_bytes
    from streams.progress import progress_bar

    now_s = time.time() if now is None else now
    lines = problems = 0
    with progress_bar("Checking") as progress:
        size = total_bytes(files)
        if size is not None:
            progress.expect(size)
        for file in files:
            for number, line in read_lines(file, progress):
                lines += 1
                read = read_event(line, (), now_s)
                if isinstance(read, Rejected):
                    problems += 1
                    click.echo(f"{file}:{number}: {read.reason}: {read.detail}")
    click.echo(f"{lines:,} events checked, {problems:,} of them not as the contracts say", err=True)
    if problems:
        raise click.exceptions.Exit(1)
