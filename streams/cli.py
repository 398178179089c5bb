"""The command line: which commands there are, and how they end.

Exit codes: 0 done, 1 failed, 2 wrong usage (a refused setting is that too), 130 stopped by Ctrl-C, 143 by SIGTERM; a
worker that is stopped by either ends with 0. An error is one line on stderr; CHURNWATCH_DEBUG=1 shows the traceback
instead. A command is imported when it is called, never for the list of commands, so that `churnwatch --help` is quick
and a replay never loads Faust.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from importlib import import_module
from typing import Any, Final, NamedTuple, NoReturn

import click

from streams.failures import Failure

EXIT_FAILED: Final = 1
EXIT_INTERRUPTED: Final = 130
EXIT_TERMINATED: Final = 143
DEBUG_VARIABLE: Final = "CHURNWATCH_DEBUG"


class Entry(NamedTuple):
    """Where a command is, and what the list of commands says about it."""

    place: str
    summary: str


COMMANDS: Final[dict[str, Entry]] = {
    "worker": Entry("streams.commands.worker:worker", "Run a worker: events in, alerts out, until it is stopped."),
    "replay": Entry("streams.commands.replay:replay", "Do the whole job on files, with no broker."),
    "publish": Entry("streams.commands.publish:publish", "Send files of events to their topics."),
    "simulate": Entry("streams.commands.simulate:simulate", "Make up customers whose reasons for leaving are known."),
    "alerts": Entry("streams.commands.alerts:alerts", "Look at alerts as they come."),
    "insights": Entry(
        "streams.commands.insights:insights",
        "Look at what is true of many customers: why they leave, how good the model is, what is silent.",
    ),
    "explain": Entry("streams.commands.explain:explain", "Tell the story of one alert, and prove it from the journal."),
    "policy": Entry("streams.commands.policy:policy", "Check a policy, see what it would change, put it into force."),
    "model": Entry("streams.commands.model:model", "Which model decides, those beside it, and how to change that."),
    "dlq": Entry("streams.commands.dlq:dlq", "Look at dead letters, and send them again."),
    "erase": Entry("streams.commands.erase:erase", "Erase customers, and get a receipt that names nobody."),
    "doctor": Entry(
        "streams.commands.doctor:doctor",
        "Look at all that a worker needs here, and say what to do about what is wrong.",
    ),
    "topics": Entry("streams.commands.topics:topics", "Create the topics, or check them."),
    "schema": Entry("streams.commands.schema:schema", "Export the contracts, or check files against them."),
    "journal": Entry("streams.commands.journal:journal", "Read the journal, the one log that decisions come from."),
}
"""Every command, in the order in which the help lists them."""


class Commands(click.Group):
    """A group that imports a command when it is called, and turns its errors into one line and an exit code."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None if there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, name = entry.place.split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from COMMANDS, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever ends it early becomes one line on stderr and an exit code."""
        stop = _Stop()
        try:
            with stop:
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            raise click.exceptions.Exit(EXIT_TERMINATED if stop.asked else EXIT_INTERRUPTED) from None
        except BrokenPipeError:
            # The reader has gone, as in `| head`. What is still buffered has nowhere to go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(EXIT_FAILED) from None
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE):
                raise
            _end_with(error)


class _Stop:
    """Makes SIGTERM end a command as Ctrl-C does: connections are closed, and process 1 of a container hears it."""

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._stop)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)

    def _stop(self, *_: object) -> None:
        self.asked = True
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a script's `&` leaves it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)


def _end_with(error: Exception) -> NoReturn:
    """Say what went wrong in one line, and end with the exit code for it."""
    if isinstance(error, Failure):
        click.echo(f"churnwatch: {error}", err=True)
        raise click.exceptions.Exit(error.exit_code)
    click.echo(f"churnwatch: {type(error).__name__}: {error}", err=True)
    click.echo(f"churnwatch: this was not foreseen; {DEBUG_VARIABLE}=1 shows where it happened", err=True)
    raise click.exceptions.Exit(EXIT_FAILED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="churnwatch", prog_name="churnwatch")
def main() -> None:
    """Which customers are about to leave, why, and what to do: from Kafka topics, as the events come.

    \b
    To see it work, with no broker:
      churnwatch simulate --customers 200 --days 180 --out events.jsonl
      churnwatch replay events.jsonl --alerts alerts.jsonl

    \b
    On Kafka:
      export KAFKA_BOOTSTRAP=127.0.0.1:9092
      churnwatch topics create
      churnwatch worker &
      churnwatch simulate --live &
      churnwatch alerts tail

    Exit codes: 0 done, 1 failed, 2 wrong usage. What machines read goes to stdout or the named file, words go to
    stderr. Errors are one line; CHURNWATCH_DEBUG=1 shows the traceback.
    """
