"""`churnwatch simulate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from streams.commands.shared import DURATION, MOMENT, RATE, kafka_options

if TYPE_CHECKING:
    from streams.simulation.faults import Silence

OUTPUT = click.Path(dir_okay=False, allow_dash=True)


class SilenceOption(click.ParamType):
    """TOPIC=FROM..TO: a feed, and the times between which nothing comes from it."""

    name = "silence"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Silence:
        """The silence; a usage error for a topic that is no input, or times that are none."""
        from schemas.topics import INPUT_TOPICS
        from streams.simulation.faults import Silence

        topic, _, times = str(value).partition("=")
        start, _, end = times.partition("..")
        if topic not in INPUT_TOPICS:
            self.fail(f"{topic!r} is none of {', '.join(INPUT_TOPICS)}", param, ctx)
        silence = Silence(topic, MOMENT.convert(start, param, ctx), MOMENT.convert(end, param, ctx))
        if silence.end_s <= silence.start_s:
            self.fail(f"{times!r} ends before it begins", param, ctx)
        return silence


FOR_FILES = ("truth", "days", "start", "storms", "silences")
FOR_LIVE = ("rate", "history", "lasts")


@click.command()
@click.option("--out", type=OUTPUT, metavar="FILE", help="Write JSON lines here, in time order.")
@click.option("--live", is_flag=True, help="Publish to Kafka instead: a past at once, then traffic without end.")
@click.option("--customers", type=click.IntRange(1), default=200, show_default=True)
@click.option("--seed", type=click.IntRange(0), help="Who they are.  [default: 1; with --live: from the clock]")
@click.option("--days", type=click.IntRange(1, 36_500), default=365, show_default=True, help="With --out: how long.")
@click.option("--start", type=MOMENT, default="2025-01-01", show_default=True, help="With --out: from when.")
@click.option("--truth", type=OUTPUT, metavar="FILE", help="With --out: who left, when and why, as JSON lines.")
@click.option("--leaving", type=click.FloatRange(0.0, 0.5), default=0.18, show_default=True, help="Share that leaves.")
@click.option("--faults", is_flag=True, help="Add duplicates, late, reordered and broken events.")
@click.option("--storm", "storms", type=MOMENT, multiple=True, help="With --out: an outage that most customers meet.")
@click.option(
    "--silence",
    "silences",
    type=SilenceOption(),
    multiple=True,
    metavar="TOPIC=FROM..TO",
    help="With --out: a feed that goes silent.",
)
@click.option("--rate", type=RATE, default="50/s", show_default=True, help="With --live: events per second.")
@click.option("--history", type=DURATION, default="75d", show_default=True, help="With --live: how long a past.")
@click.option("--for", "lasts", type=DURATION, help="With --live: stop after this.  [default: at Ctrl-C]")
@kafka_options
@click.pass_context
def simulate(
    ctx: click.Context,
    out: str | None,
    live: bool,
    customers: int,
    seed: int | None,
    days: int,
    start: float,
    truth: str | None,
    leaving: float,
    faults: bool,
    storms: tuple[float, ...],
    silences: tuple[Silence, ...],
    rate: float,
    history: float,
    lasts: float | None,
    bootstrap: str,
    topic_prefix: str,
) -> None:
    """Make up customers whose reasons for leaving are known.

    Each leads a life: most stay, some drift away, cannot pay, are badly served, meet crashes, a price rise or a
    competitor, and leave or stay all the same. Every event type of the contract occurs. The same options give the same
    bytes. With --live the lives go on now and in fast motion, so that alerts come in seconds.

    \b
    Examples:
      churnwatch simulate --customers 500 --days 365 --out events.jsonl.zst --truth truth.jsonl
      churnwatch simulate --customers 50 --days 90 --out - --faults | churnwatch replay - --dlq broken.jsonl
      churnwatch simulate --out events.jsonl --storm 2025-06-02T10:00Z --silence usage.events=2025-09-01..2025-09-08
      churnwatch simulate --live --rate 200/s
    """
    if live == (out is not None):
        raise click.UsageError("Give either --out FILE or --live.")
    _refuse_others(ctx, FOR_FILES if live else FOR_LIVE, live)
    if live:
        _live(customers, seed, leaving, faults, rate, history, lasts, bootstrap, topic_prefix)
        return
    from streams.progress import progress_bar
    from streams.simulate import SimulateOptions, simulate_to_file

    with progress_bar("Simulating", "days") as progress:
        written = simulate_to_file(
            SimulateOptions(
                customers=customers,
                days=days,
                seed=1 if seed is None else seed,
                start_s=start,
                out=str(out),
                truth=truth,
                faults=faults,
                leaving_share=leaving,
                storms_s=storms,
                silences=silences,
                progress=progress,
            )
        )
    click.echo(f"{written:,} events of {customers:,} customers over {days:,} days", err=True)


def _refuse_others(ctx: click.Context, names: tuple[str, ...], live: bool) -> None:
    """An option of the other mode would be ignored in silence; say so instead."""
    for parameter in ctx.command.params:
        given = ctx.get_parameter_source(parameter.name or "") == click.core.ParameterSource.COMMANDLINE
        if parameter.name in names and given:
            raise click.UsageError(f"{parameter.opts[0]} does not go with {'--live' if live else '--out'}.")


def _live(
    customers: int,
    seed: int | None,
    leaving: float,
    faults: bool,
    rate: float,
    history: float,
    lasts: float | None,
    bootstrap: str,
    topic_prefix: str,
) -> None:
    import uvloop

    from streams.progress import progress_bar
    from streams.simulate import LiveOptions, simulate_live

    options = LiveOptions(
        customers=customers,
        history_days=history / 86_400.0,
        rate_per_s=rate,
        bootstrap=bootstrap,
        prefix=topic_prefix,
        seed=seed,
        leaving_share=leaving,
        faults=faults,
        lasts_s=lasts,
    )
    with progress_bar("Publishing", "events") as progress:
        delivered = uvloop.run(simulate_live(options, progress))
    click.echo(f"{delivered:,} events delivered", err=True)
