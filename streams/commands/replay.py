"""`churnwatch replay`."""

from __future__ import annotations

import click

from streams.commands.shared import DURATION, MOMENT

SCORE_EVERY_S = 604_800.0
OUTPUT = click.Path(dir_okay=False, allow_dash=True)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE…")
@click.option("--journal", is_flag=True, help="The files are journal dumps (see `churnwatch journal dump`).")
@click.option("--alerts", type=OUTPUT, metavar="OUT.jsonl", help="Write every alert revision here.")
@click.option("--scores", type=OUTPUT, metavar="OUT.jsonl", help="Write score rows here.")
@click.option("--score-every", type=DURATION, help="A score row per customer at each multiple of this.  [default: 7d]")
@click.option("--report", type=OUTPUT, metavar="OUT.json", help="Write counts, quality and throughput here.")
@click.option("--policy", type=click.Path(exists=True, dir_okay=False), metavar="P.toml", help="Replaces the defaults.")
@click.option("--dlq", type=OUTPUT, metavar="OUT.jsonl", help="Write what could not be used here, and why.")
@click.option("--insights", type=OUTPUT, metavar="OUT.jsonl", help="Write the insights that stand in the end here.")
@click.option("--until", type=MOMENT, help="Leave out events after this time.")
@click.option("--now", type=MOMENT, help="The clock that events from the future are told by.  [default: the machine's]")
def replay(
    files: tuple[str, ...],
    journal: bool,
    alerts: str | None,
    scores: str | None,
    score_every: float | None,
    report: str | None,
    policy: str | None,
    dlq: str | None,
    insights: str | None,
    until: float | None,
    now: float | None,
) -> None:
    """Do the whole job on files, with no broker.

    Reads CloudEvents as JSON lines (plain, .gz, .zst, or - for standard input), orders them by time, and runs the
    same detector and learner as the worker. The same files give the same bytes. An output named - is standard output.

    \b
    Examples:
      churnwatch replay events.jsonl --alerts alerts.jsonl --report report.json
      churnwatch replay year.jsonl.zst --scores - --score-every 7d --until 2026-01-01 | head
      churnwatch replay --journal dump.jsonl --alerts alerts.jsonl
    """
    if score_every is not None and scores is None:
        raise click.UsageError("--score-every needs --scores.")
    if journal and (scores, until, now) != (None, None, None):
        raise click.UsageError("--scores, --until and --now do not go with --journal, which replays as it was.")
    if [alerts, scores, report, dlq, insights].count("-") > 1:
        raise click.UsageError("Only one output can be standard output.")
    from streams import replay as engine
    from streams.progress import progress_bar
    from streams.replay_options import ReplayOptions

    with progress_bar("Replaying") as progress:
        done = engine.run(
            ReplayOptions(
                files=files,
                journal=journal,
                alerts=alerts,
                scores=scores,
                score_every_s=SCORE_EVERY_S if scores is not None and score_every is None else score_every,
                report=report,
                policy=policy,
                dlq=dlq,
                insights=insights,
                until_s=until,
                now_s=now,
                progress=progress,
            )
        )
    for line in done.lines_for_people():
        click.echo(line, err=True)
