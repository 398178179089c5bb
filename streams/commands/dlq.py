"""`churnwatch dlq`."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from streams.commands.shared import MOMENT, RATE, kafka_options

if TYPE_CHECKING:
    from streams.dead_letters import Filters, Found

Command = TypeVar("Command", bound=Callable[..., Any])
STAGES: Final = ("intake", "detector")


class Reason(click.ParamType):
    """A reason of a dead letter."""

    name = "reason"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The reason; a usage error, naming all, if there is none of that name."""
        from schemas.deadletters import REASONS

        if value not in REASONS:
            self.fail(f"{value!r} is none of {', '.join(REASONS)}", param, ctx)
        return str(value)


class Place(click.ParamType):
    """Where a dead letter lies: PARTITION:OFFSET."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Partition and offset; a usage error for another form."""
        found = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,18})", str(value))
        if found is None:
            self.fail(f"{value!r} is not of the form PARTITION:OFFSET, such as 2:17", param, ctx)
        return int(found[1]), int(found[2])


def filter_options(command: Command) -> Command:
    """Add the options that say which letters are meant."""
    for add in (
        click.option("--until", type=MOMENT, help="Only those written until then."),
        click.option("--since", type=MOMENT, help="Only those written since then."),
        click.option("--stage", type=click.Choice(STAGES), help="Only those of this stage."),
        click.option("--topic", "topics", multiple=True, metavar="NAME", help="Only those that came from this topic."),
        click.option("--reason", "reasons", type=Reason(), multiple=True, metavar="REASON", help="Only this reason."),
    ):
        command = add(command)
    return command


def _filters(given: dict[str, Any], prefix: str) -> Filters:
    from streams.dead_letters import Filters

    return Filters(given["reasons"], given["topics"], given["stage"], given["since"], given["until"], prefix=prefix)


@click.group()
def dlq() -> None:
    """Look at dead letters, and send them again."""


@dlq.command("list")
@filter_options
@click.option("--count", type=click.IntRange(1), help="Stop after so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@kafka_options
def list_(count: int | None, as_json: bool, bootstrap: str, topic_prefix: str, **given: Any) -> None:
    """List dead letters: where each lies, when it was written, why, and where it came from.

    Shows no payload. The last line, on stderr, counts them by reason. --reason and --topic may be given several times.

    \b
    Examples:
      churnwatch dlq list --reason unknown_type --since 2026-03-01
      churnwatch dlq list --topic billing.events --json | jq -r .detail | sort | uniq -c
    """
    reasons = asyncio.run(_list(bootstrap, _filters(given, topic_prefix), count, as_json))
    click.echo(f"{reasons.total():,} dead letters{_by_reason(reasons)}", err=True)


async def _list(bootstrap: str, filters: Filters, count: int | None, as_json: bool) -> Counter[str]:
    from contextlib import aclosing

    from streams.dead_letters import find

    reasons: Counter[str] = Counter()
    async with aclosing(find(bootstrap, filters)) as letters:
        async for found in letters:
            click.echo(_json(found) if as_json else _line(found))
            reasons[found.letter.reason] += 1
            if count is not None and reasons.total() >= count:
                break
    return reasons


def _by_reason(reasons: Counter[str]) -> str:
    return ": " + ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common()) if reasons else ""


def _written(found: Found) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(found.record.timestamp / 1000, UTC).isoformat(timespec="seconds")[:19] + "Z"


def _line(found: Found) -> str:
    letter, origin = found.letter, found.letter.origin
    came = f"{origin.topic}[{origin.partition}]@{origin.offset}"
    return f"{found.place:<10} {_written(found)}  {letter.reason:<15} {letter.stage:<8} {came:<28} {letter.detail}"


def _json(found: Found) -> str:
    import msgspec

    about = msgspec.to_builtins(found.letter)
    return msgspec.json.encode({"place": found.place, "written_at": _written(found), **about}).decode()


@dlq.command()
@click.argument("place", type=Place(), metavar="PARTITION:OFFSET")
@click.option("--raw", is_flag=True, help="Only the value, byte for byte.")
@kafka_options
def show(place: tuple[int, int], raw: bool, bootstrap: str, topic_prefix: str) -> None:
    """Show one dead letter whole: why it is one, its headers, its key, and its value as it came.

    What is not text is shown in base64. The value may hold personal data.

    \b
    Examples:
      churnwatch dlq show 2:17
      churnwatch dlq show 2:17 --raw > letter.json
    """
    from schemas.deadletters import original_headers
    from streams.dead_letters import at

    found = asyncio.run(at(bootstrap, topic_prefix, *place))
    click.echo("This is the payload as it came: it may hold personal data.", err=True)
    if raw:
        sys.stdout.buffer.write(found.record.value or b"")
        return
    letter, origin = found.letter, found.letter.origin
    rows = [
        ("place", found.place),
        ("written", _written(found)),
        ("reason", letter.reason),
        ("detail", letter.detail),
        ("stage", letter.stage),
        ("came from", f"{origin.topic}[{origin.partition}]@{origin.offset}"),
        ("attempts", str(letter.attempts)),
        ("version", letter.app_version),
        *((f"header {name}", _shown(value)) for name, value in original_headers(found.record.headers)),
        ("key", _shown(found.record.key)),
        ("value", _shown(found.record.value)),
    ]
    for name, text in rows:
        click.echo(f"{name + ':':<12} {text}")


def _shown(data: bytes | None) -> str:
    """Text as text, the rest in base64; what could move a terminal's cursor is escaped."""
    import base64

    from streams.terminal import printable

    if data is None:
        return "(none)"
    try:
        return printable(data.decode())
    except UnicodeDecodeError:
        return f"(base64) {base64.b64encode(data).decode()}"


@dlq.command()
@filter_options
@click.option("--count", type=click.IntRange(1), help="Stop after so many.")
@click.option("--rate", type=RATE, help="At most so many per second, such as 50/s.  [default: no limit]")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--again", is_flag=True, help="Send also what was sent before.")
@click.option("--app-id", envvar="CHURNWATCH_APP_ID", default="churnwatch", show_default=True, show_envvar=True)
@kafka_options
def replay(
    count: int | None,
    rate: float | None,
    dry_run: bool,
    again: bool,
    app_id: str,
    bootstrap: str,
    topic_prefix: str,
    **given: Any,
) -> None:
    """Send dead letters again: key, value and headers as they first came, to the topic they were read from.

    Those of the detector go to the input topic of their type. What was sent is remembered, so that a second run skips
    it; --again sends it once more, and events that have counted are still known by their source and id.

    \b
    Examples:
      churnwatch dlq replay --reason detector_failed --dry-run
      churnwatch dlq replay --topic billing.events --since 2026-03-01 --rate 50/s
    """
    from streams.dlq_replay import ReplayLetters
    from streams.dlq_replay import replay as send

    options = ReplayLetters(
        bootstrap=bootstrap,
        app_id=app_id,
        filters=_filters(given, topic_prefix),
        count=count,
        rate_per_s=rate,
        dry_run=dry_run,
        again=again,
    )
    done = asyncio.run(send(options))
    for (topic, reason), letters in sorted(done.sent.items()):
        click.echo(f"{topic}  {reason}  {letters}")
    verb = "would be sent" if dry_run else "sent"
    click.echo(f"{done.sent.total():,} dead letters {verb}, {done.before:,} were sent before", err=True)
    if done.homeless:
        click.echo(f"{done.homeless:,} have no input topic to go to", err=True)
