"""`churnwatch publish`."""

from __future__ import annotations

from typing import cast

import click

from streams.commands.shared import RATE, kafka_options

KEYS = ("subject", "id", "none")
COMPRESSIONS = ("none", "gzip", "snappy", "lz4", "zstd")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE…")
@click.option("--topic", metavar="NAME", help="Send every line to this topic (without prefix), readable or not.")
@click.option("--key", "key_by", default="subject", type=click.Choice(KEYS), show_default=True, help="The key.")
@click.option("--rate", type=RATE, help="At most so many events per second, such as 500/s.  [default: no limit]")
@click.option("--compression", type=click.Choice(COMPRESSIONS), default="none", show_default=True)
@kafka_options
def publish(
    files: tuple[str, ...],
    topic: str | None,
    key_by: str,
    rate: float | None,
    compression: str,
    bootstrap: str,
    topic_prefix: str,
) -> None:
    """Send files of events to their topics.

    Reads CloudEvents as JSON lines (plain, .gz, .zst, or - for standard input) and sends each line, byte for byte, to
    the topic of its type: billing.… to billing.events, app.… to app-errors.events, and so on. Lines that have no topic
    are named and counted. Waits until the broker has confirmed all of it; ends with 1 if anything is not in Kafka.

    \b
    Examples:
      churnwatch publish events.jsonl
      zcat old.jsonl.gz | churnwatch publish - --rate 2000/s
      churnwatch publish broken.jsonl --topic billing.events --key none
    """
    import uvloop

    from streams.progress import progress_bar
    from streams.publish import PublishOptions
    from streams.publish import publish as send
    from streams.routing import KeyBy

    with progress_bar("Publishing") as progress:
        done = uvloop.run(
            send(
                PublishOptions(
                    files=files,
                    bootstrap=bootstrap,
                    prefix=topic_prefix,
                    topic=topic,
                    key_by=cast("KeyBy", key_by),
                    rate_per_s=rate,
                    compression=compression,
                    progress=progress,
                )
            )
        )
    for line in done.unrouted_lines:
        click.echo(f"{line.file}:{line.line}: {line.reason}", err=True)
    for batch in done.undelivered:
        lines = str(batch.first_line)
        if batch.records > 1:
            lines = f"{batch.records} of lines {batch.first_line} to {batch.last_line}"
        click.echo(f"{batch.source}:{lines}: not delivered: {batch.reason}", err=True)
    parts = [f"{done.delivered:,} events delivered in {done.took_s:.1f} s ({done.rate_per_s:,.0f}/s)"]
    if done.undelivered:
        parts.append(f"{done.undelivered_records:,} not delivered")
    if done.unrouted:
        parts.append(f"{done.unrouted:,} lines without a topic")
    click.echo("; ".join(parts), err=True)
    if not done.complete:
        raise click.exceptions.Exit(1)
