"""`churnwatch worker`."""

from __future__ import annotations

import os

import click


class WithSettings(click.Command):
    """A command whose help ends with the settings of the environment."""

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every variable with its default and its meaning."""
        from streams.settings import VARIABLES, Settings

        defaults = Settings()
        rows = []
        for name, row in VARIABLES.items():
            value = getattr(defaults, row.field)
            shown = ",".join(value) if isinstance(value, tuple) else str(value)
            rows.append((name, f"{row.means.replace('`', '')}{f'  [default: {shown}]' if shown else ''}"))
        with formatter.section("Environment"):
            formatter.write_dl(rows)


@click.command(cls=WithSettings)
@click.option("--roles", metavar="ROLE,…", help="Instead of CHURNWATCH_ROLES.")
@click.option("--clock", type=click.Choice(["wall", "events"]), help="Instead of CHURNWATCH_CLOCK.")
@click.pass_context
def worker(ctx: click.Context, roles: str | None, clock: str | None) -> None:
    """Run a worker: events in, alerts out, until it is stopped.

    Reads the input topics, keeps the journal, and writes alerts, scores and dead letters, each exactly once. Any number
    of workers share the partitions. SIGTERM or Ctrl-C stops it cleanly within seconds; a broker that goes away is
    waited for. Set by the environment, below.

    \b
    Examples:
      churnwatch worker
      CHURNWATCH_ROLES=intake churnwatch worker
      churnwatch worker --clock events
    """
    from streams.security import security_options
    from streams.settings import Settings

    given = {"CHURNWATCH_ROLES": roles, "CHURNWATCH_CLOCK": clock}
    settings = Settings.from_env({**os.environ, **{name: text for name, text in given.items() if text is not None}})
    security_options(settings)
    # Faust takes a second to load: a refused setting is said before that.
    from streams.worker import run

    ctx.exit(run(settings))
