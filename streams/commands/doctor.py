"""`churnwatch doctor`."""

from __future__ import annotations

import os
import sys

import click

from streams.commands.shared import DURATION


@click.command()
@click.option("--roles", metavar="ROLE,…", help="Instead of CHURNWATCH_ROLES: what the worker is to do.")
@click.option("--wait", type=DURATION, default="5s", show_default=True, help="Wait for a broker so long.")
@click.option("--json", "as_json", is_flag=True, help="The whole as one JSON object, with the settings.")
@click.pass_context
def doctor(ctx: click.Context, roles: str | None, wait: float, as_json: bool) -> None:
    """Look at all that a worker needs here, and say what to do about what is wrong.

    One line for each thing, ok, warning or failed: settings, policy, versions, disk, memory, open files, the broker,
    its clock, topics, grants, groups. Reads the settings from the environment, and takes them as a worker would.
    Ends with 1 if anything failed. Writes no record and no offset; it opens a transaction with nothing in it and
    aborts it, to see whether that is granted and what time it is at the broker. Secrets are not shown.

    \b
    Examples:
      churnwatch doctor
      churnwatch doctor --roles intake --json | jq '.checks[] | select(.status != "ok")'
    """
    import asyncio
    import logging

    from streams.doctor.examine import examine
    from streams.doctor.found import as_json as encoded
    from streams.doctor.found import is_well
    from streams.doctor.machine import read_settings, shown

    # What aiokafka would log in several lines is one line of a finding.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    given = {"CHURNWATCH_ROLES": roles} if roles is not None else {}
    settings, found = read_settings({**os.environ, **given})
    if settings is not None:
        found = asyncio.run(examine(settings, wait))
    if as_json:
        sys.stdout.buffer.write(encoded(found, {} if settings is None else shown(settings)))
    else:
        for each in found:
            click.echo(each.line())
    if not is_well(found):
        ctx.exit(1)
