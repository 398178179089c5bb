"""`churnwatch model`."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from typing import TYPE_CHECKING

import click

from streams.commands.shared import DURATION, Command, kafka_options, source_options

if TYPE_CHECKING:
    from schemas.insights_models import Models
    from schemas.model_commands import ModelCommand


def reading_options(command: Command) -> Command:
    """Add the options of those that look."""
    as_json = click.option("--json", "as_json", is_flag=True, help="The whole as one JSON object.")
    return as_json(source_options(command))


def asking_options(command: Command) -> Command:
    """Add the options of those that ask something of the learner."""
    reason = click.option(
        "--reason", default="", metavar="TEXT", help="Why, for whoever looks later; no personal data."
    )
    wait = click.option(
        "--wait", type=DURATION, default="30s", show_default=True, help="How long to wait for the answer."
    )
    named = click.option(
        "--id",
        "command_id",
        metavar="ID",
        help="The same id twice counts once, while it is among the newest 32.  [default: a new one]",
    )
    return reason(wait(named(kafka_options(command))))


@click.group()
def model() -> None:
    """Which model decides, those beside it, and how to change that."""


@model.command("list")
@reading_options
def list_models(file: str | None, as_json: bool, bootstrap: str, topic_prefix: str) -> None:
    """List the kinds of model beside each other, and those that can come back.

    All are asked before they learn, on the same outcomes. What the learner said when it last handed one over.

    \b
    Examples:
      churnwatch model list
      churnwatch model list --from insights.jsonl --json | jq .contenders
    """
    from rich.console import Console

    from streams.model_tables import tables
    from streams.terminal import printable

    row = _models(file, bootstrap, topic_prefix)
    if as_json:
        _print_json(row)
        return
    console = Console(width=None if sys.stdout.isatty() else 110)
    for table in tables(row):
        console.print(table)
    click.echo(printable(row.text + (f" Reason: {row.reason}" if row.reason else "")))


@model.command()
@click.argument("version", required=False)
@reading_options
def show(version: str | None, file: str | None, as_json: bool, bootstrap: str, topic_prefix: str) -> None:
    """Show one model that is kept: what it weighs, in log-odds. Without VERSION, the one in force.

    \b
    Examples:
      churnwatch model show
      churnwatch model show online-4120-1c9a0b2f --json > model.json
    """
    from rich.console import Console

    from streams.failures import Failure
    from streams.model_tables import weights_of

    row = _models(file, bootstrap, topic_prefix)
    wanted = version or row.in_force
    found = next((each for each in row.retained if each.version == wanted), None)
    if found is None:
        raise Failure(f"{wanted or 'no model'} is not kept; `churnwatch model list` says which are")
    if as_json:
        _print_json(found)
        return
    Console(width=None if sys.stdout.isatty() else 110).print(weights_of(found))
    click.echo(
        f"{found.version}, handed over {found.handed_over_at} after {found.examples:,} outcomes: {found.confidence}"
    )


@model.command()
@click.argument("name")
@asking_options
def promote(name: str, reason: str, wait: float, command_id: str | None, bootstrap: str, topic_prefix: str) -> None:
    """Let one kind of model decide, until somebody says otherwise: NAME as in `model list`; `rules`, the catalogue.

    The catalogue's weights are those of the learner's own policy file, whatever `policy apply` has brought since.

    A record of churn.examples; the learner hands the model over to every partition at once. Ends with 1 if it is
    refused, or no answer has come in time.

    \b
    Example:
      churnwatch model promote quick --reason "prices changed in May"
    """
    from schemas.model_commands import Promote, Promotion
    from schemas.times import utc

    said = Promotion(model=name, reason=reason)
    _ask(Promote(id=_named(command_id), time=utc(time.time()), data=said), wait, bootstrap, topic_prefix)


@model.command()
@click.argument("version", required=False)
@asking_options
def rollback(
    version: str | None, reason: str, wait: float, command_id: str | None, bootstrap: str, topic_prefix: str
) -> None:
    """Go back to a model from before: VERSION, or else the last good one before that in force.

    It comes back in every partition at one record, as it was, and stays, whatever is learned meanwhile, until somebody
    promotes or releases. Where no model was before, the catalogue's weights come back, as the learner's own policy file
    has them. Ends with 1 if it is refused, or no answer has come in time.

    \b
    Examples:
      churnwatch model rollback
      churnwatch model rollback online-4120-1c9a0b2f --reason "before the broken import"
    """
    from schemas.model_commands import Return, Rollback
    from schemas.times import utc

    said = Return(version=version, reason=reason)
    _ask(Rollback(id=_named(command_id), time=utc(time.time()), data=said), wait, bootstrap, topic_prefix)


@model.command()
@asking_options
def release(reason: str, wait: float, command_id: str | None, bootstrap: str, topic_prefix: str) -> None:
    """End what a promotion or a rollback said: the learner chooses by itself again.

    It hands over what it has learned up to now, at once.

    \b
    Example:
      churnwatch model release
    """
    from schemas.model_commands import Leave, Release
    from schemas.times import utc

    said = Leave(reason=reason)
    _ask(Release(id=_named(command_id), time=utc(time.time()), data=said), wait, bootstrap, topic_prefix)


@model.command()
@reading_options
def card(file: str | None, as_json: bool, bootstrap: str, topic_prefix: str) -> None:
    """Print the card of the model in force, as Markdown: what it is, how good, for whom worse, and its limits.

    The learner writes it when it hands a model over: from what it learned, figures with intervals, calibration, groups
    it is worse for, what it weighs, what has moved, and what it is not for. A replay writes it, too.

    \b
    Examples:
      churnwatch model card > model-card.md
      churnwatch replay events.jsonl --insights rows.jsonl && churnwatch model card --from rows.jsonl
      churnwatch model card --json | jq '.groups[] | select(.worse != [])'
    """
    from schemas.insights_card import CARD_ID, ModelCard
    from streams.card_page import card_page
    from streams.models import Place, row_of
    from streams.terminal import printable

    row = asyncio.run(row_of(Place(bootstrap, topic_prefix, file), CARD_ID, ModelCard))
    if as_json:
        _print_json(row)
    else:
        click.echo(printable(card_page(row)), nl=False)


def _named(command_id: str | None) -> str:
    return uuid.uuid4().hex if command_id is None else command_id


def _models(file: str | None, bootstrap: str, prefix: str) -> Models:
    from schemas.insights_models import MODELS_ID, Models
    from streams.models import Place, row_of

    return asyncio.run(row_of(Place(bootstrap, prefix, file), MODELS_ID, Models))


def _ask(command: ModelCommand, wait_s: float, bootstrap: str, prefix: str) -> None:
    """Send it, and say what became of it."""
    import msgspec

    from schemas.model_commands import decode_command, encode_command
    from streams.failures import Failure, WrongUsage
    from streams.models import Place, ask

    try:
        decode_command(encode_command(command))
    except msgspec.MsgspecError as error:
        raise WrongUsage(f"this cannot be asked for: {error}") from None
    found = asyncio.run(ask(Place(bootstrap, prefix), command, wait_s))
    if found is None:
        raise Failure(
            f"no answer to {command.id} within {wait_s:g} s: it is in churn.examples, and will be done when a learner "
            "gets to it; `churnwatch model list --json` will have the answer"
        )
    if found.answer.refused:
        raise Failure(f"refused: {found.answer.refused}")
    click.echo(found.answer.in_force)
    click.echo(found.row.text, err=True)


def _print_json(row: object) -> None:
    import msgspec

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(row)) + b"\n")
