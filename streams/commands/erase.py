"""`churnwatch erase`."""

from __future__ import annotations

import sys

import click

from streams.commands.shared import DURATION, kafka_options


@click.command()
@click.argument("customers", nargs=-1, required=True, metavar="ID…")
@click.option("--request", "request_id", default="", metavar="NAME", help="What the request is called elsewhere.")
@click.option("--wait", type=DURATION, metavar="TIME", help="Wait so long for the receipts.  [default: do not wait]")
@click.option("--yes", is_flag=True, help="Do not ask on a terminal.")
@kafka_options
def erase(
    customers: tuple[str, ...], request_id: str, wait: float | None, yes: bool, bootstrap: str, topic_prefix: str
) -> None:
    """Erase customers, and get a receipt that names nobody.

    State, current alert, score and waiting examples go, an open alert ends; for good. Publishes a request for each, and
    prints the number of its receipt; with --wait the receipts themselves as JSON lines, in the order of the customers,
    and ends with 1 if one has not come. A receipt says until when logs may hold the rest. What stands on a command line
    is seen by `ps`: with - the ids are read from standard input, one to a line.

    \b
    Examples:
      churnwatch erase c-1017 --wait 30s
      churnwatch erase - --request DSR-2026-118 --wait 5m < ids.txt > receipts.jsonl
    """
    import asyncio

    import msgspec

    from streams.erase import EraseOptions
    from streams.erase import erase as ask
    from streams.failures import WrongUsage

    asks = sys.stdin.isatty() and not yes
    if customers == ("-",):
        customers = tuple(line for line in click.get_text_stream("stdin").read().splitlines() if line)
        if not customers:
            raise WrongUsage("standard input names no customer")
    if asks:
        click.confirm(f"Erase {len(customers)} customers for good?", abort=True, err=True)
    customers = tuple(dict.fromkeys(customers))
    done = asyncio.run(ask(EraseOptions(bootstrap, customers, topic_prefix, request_id, wait)))
    for receipt in done.receipts:
        if wait is None:
            click.echo(receipt)
        elif receipt in done.arrived:
            click.echo(msgspec.json.encode(done.arrived[receipt]))
    if wait is not None and done.missing:
        click.echo(
            f"{len(done.receipts)} erasures asked for, {done.missing} receipts have not come within {wait:g} s: "
            "they are worked off when a worker runs, and churn.insights will have them",
            err=True,
        )
        raise click.exceptions.Exit(1)
    said = f"{len(done.receipts)} erasures asked for" if wait is None else f"{len(done.receipts)} customers erased"
    click.echo(said, err=True)
