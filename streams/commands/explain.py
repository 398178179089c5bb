"""`churnwatch explain`."""

from __future__ import annotations

import sys

import click

from streams.commands.shared import kafka_options

INPUT = click.Path(dir_okay=False, allow_dash=True)


@click.command()
@click.argument("alert_id")
@click.argument("files", nargs=-1, type=INPUT, metavar="[FILE…]")
@click.option("--journal", is_flag=True, help="The files are journal dumps (see `churnwatch journal dump`).")
@click.option("--alerts", type=INPUT, metavar="A.jsonl", help="With files: what was said, to be compared with.")
@click.option("--policy", type=click.Path(exists=True, dir_okay=False), metavar="P.toml", help="That was in force.")
@click.option("--json", "as_json", is_flag=True, help="The explanation as one JSON object.")
@kafka_options
def explain(
    alert_id: str,
    files: tuple[str, ...],
    journal: bool,
    alerts: str | None,
    policy: str | None,
    as_json: bool,
    bootstrap: str,
    topic_prefix: str,
) -> None:
    """Tell the story of one alert, and prove it from the journal.

    Derives every revision again from the records that it names: which events made it, how strong each signal was,
    what it weighs, and how that adds up to the probability; and says whether the bytes are the same. Without files it
    reads Kafka; with files, the events of a replay (or journal dumps) and the alerts that came of them.

    Ends with 1 if a revision could not be derived again.

    \b
    Examples:
      churnwatch explain 4ae00d7a7ae131762d25
      churnwatch explain 4ae00d7a7ae131762d25 events.jsonl --alerts alerts.jsonl
      churnwatch explain 4ae00d7a7ae131762d25 --journal dump.jsonl.zst --alerts alerts.jsonl --json
    """
    if files and alerts is None:
        raise click.UsageError("With files, --alerts says what is to be explained.")
    if not files and (journal or alerts is not None):
        raise click.UsageError("--journal and --alerts go with files.")
    import asyncio

    import msgspec
    from rich.console import Console

    from streams.explain import ExplainOptions, explain_files, explain_kafka
    from streams.progress import progress_bar
    from streams.story import tell

    with progress_bar("Reading") as progress:
        options = ExplainOptions(
            alert_id=alert_id,
            files=files,
            journal=journal,
            alerts=alerts,
            policy=policy,
            bootstrap=bootstrap,
            prefix=topic_prefix,
            progress=progress,
        )
        story = explain_files(options) if files else asyncio.run(explain_kafka(options))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(story)) + b"\n")
    else:
        tell(story, Console(width=None if sys.stdout.isatty() else 110))
    if not story.proven:
        raise click.exceptions.Exit(1)
