"""`make run`: a broker if none is given, the topics, a worker, traffic, and the alerts on the terminal, until Ctrl-C.

Rules of this file:
* every child has a process group of its own, so Ctrl-C reaches this process alone, which stops them in reverse order;
* a child that ends by itself when it should not ends the run, and its last words are shown;
* nothing is stopped that was not started here: a broker given by KAFKA_BOOTSTRAP stays as it is.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from deploy.kafka.choose import docker_answers, local_broker
from deploy.kafka.kafka import HOST, JARS, BrokerError, answers, free_port

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / ".run"
MARK = ".churnwatch-run"
STOP_DEADLINE_S = 15.0
POLL_S = 0.2
USUAL_PORT = 9092
OPS_PORT = 9107  # as CHURNWATCH_OPS by default
CHURNWATCH = [sys.executable, "-c", "from streams.cli import main; main(prog_name='churnwatch')"]


class StopRequestedError(Exception):
    """Ctrl-C, or SIGTERM, or the terminal has gone."""


class RunError(RuntimeError):
    """The run cannot go on; the message says why."""


@dataclass
class Interrupts:
    """Signals as an exception, which waits while something is being started, and is only counted while stopping."""

    holding: bool = False
    stopping: bool = False
    seen: int = 0

    def install(self) -> None:
        """Take over SIGINT, SIGTERM and SIGHUP."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.seen += 1
        if not self.stopping and (self.seen > 1 or not self.holding):
            raise StopRequestedError

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What is started inside is known to be started before a first signal can end the run."""
        self.holding = True
        try:
            yield
        finally:
            self.holding = False
        if self.seen:
            raise StopRequestedError


@dataclass
class Child:
    """One process of the run, with its own process group and, unless it owns the terminal, its own log."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path | None
    may_end: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it."""
        # On Linux it also ends when this process is killed, so that nothing is left behind whatever happens.
        setpriv = shutil.which("setpriv")
        ahead = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        with contextlib.ExitStack() as files:
            out = files.enter_context(self.log.open("wb")) if self.log else None
            self.process = subprocess.Popen(
                ahead + self.command,
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def ended(self) -> int | None:
        """The exit code if it has ended."""
        return None if self.process is None else self.process.poll()

    def stop(self, interrupts: Interrupts, deadline_s: float = STOP_DEADLINE_S) -> None:
        """SIGTERM to its group, and SIGKILL when the deadline has passed or somebody presses Ctrl-C again."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        until, seen = time.monotonic() + deadline_s, interrupts.seen
        while self.process.poll() is None:
            if time.monotonic() > until or interrupts.seen > seen:
                tell(f"The {self.name} is killed: it had not stopped yet.")
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            time.sleep(POLL_S / 4)

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        if self.log is None:
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def shown(path: Path) -> str:
    """The path as a person at the checkout would type it."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def tell(text: str) -> None:
    """One line for the person at the terminal; alerts alone go to stdout."""
    print(f"» {text}", file=sys.stderr, flush=True)


@dataclass
class Run:
    """One `make run`: what to show, the folder of its files (emptied at the start), and what it has started."""

    data: str | None
    rate: str
    folder: Path
    interrupts: Interrupts = field(default_factory=Interrupts)
    children: list[Child] = field(default_factory=list)

    @property
    def name(self) -> str | None:
        """What the data are called, which their topics on a given broker are called too; None for live traffic."""
        return None if self.data is None else Path(self.data).name.split(".")[0]

    def go(self) -> None:
        """Start everything, then watch it; returns never, but raises StopRequestedError or RunError."""
        self._empty_folder()
        with contextlib.ExitStack() as stack:
            bootstrap, fresh = self._broker(stack)
            stack.callback(self._stop_children)
            env = self._env(bootstrap)
            self._finish("topics", ["topics", "create", "--wait", "60s"], env)
            events = self._events(env)
            tell(f"Starting a worker… Its health and metrics: http://{env['CHURNWATCH_OPS']}/readyz?verbose, /metrics.")
            self._start("worker", ["worker"], env)
            tail = ["alerts", "tail", *(["--from-beginning"] if fresh else [])]
            self._start("alerts", tail, env, terminal=True)
            if events is None:
                tell(f"Publishing live traffic on every input topic, {self.rate}.")
                self._start("traffic", ["simulate", "--live", "--rate", self.rate], env)
            else:
                tell(f"Publishing {events.name}.")
                self._start("traffic", ["publish", str(events)], env, may_end=True)
            tell(f"Alerts appear below as they happen. Logs: {shown(self.folder)}/. Ctrl-C stops all of it.")
            self._watch()

    def _empty_folder(self) -> None:
        """Make the folder anew; RunError if it holds what no run of ours has made."""
        mark = self.folder / MARK
        if self.folder.exists() and any(self.folder.iterdir()):
            if not mark.exists():
                raise RunError(f"{shown(self.folder)} holds other files than those of a run: choose another --folder.")
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        mark.touch()

    def _broker(self, stack: contextlib.ExitStack) -> tuple[str, bool]:
        """(where Kafka answers, whether it is a fresh one of ours)."""
        given = os.environ.get("KAFKA_BOOTSTRAP")
        if given:
            tell(f"Using the Kafka at {given} (KAFKA_BOOTSTRAP).")
            return given, False
        docker = docker_answers()
        first = not docker and not JARS.exists()
        tell(f"Starting Kafka {'in Docker' if docker else 'from jars'}{', which takes longer once' if first else ''}…")
        port = free_port() if answers(HOST, USUAL_PORT) or _taken(USUAL_PORT) else USUAL_PORT
        with self.interrupts.held():
            broker = stack.enter_context(local_broker(self.folder / "kafka", port=port))
        tell(f"Kafka answers on {broker.bootstrap}.")
        return broker.bootstrap, True

    def _env(self, bootstrap: str) -> dict[str, str]:
        env = {**os.environ, "KAFKA_BOOTSTRAP": bootstrap, "PYTHONPATH": str(ROOT)}
        env.setdefault("CHURNWATCH_DATA_DIR", str(self.folder / "data"))
        env.setdefault("CHURNWATCH_OPS", f"{HOST}:{free_port() if _taken(OPS_PORT) else OPS_PORT}")
        if self.name is not None:
            # History has its own time, and must not mix with live traffic on a given broker.
            env["CHURNWATCH_CLOCK"] = "events"
            env.setdefault("CHURNWATCH_TOPIC_PREFIX", f"{self.name}.")
            env.setdefault("CHURNWATCH_APP_ID", f"churnwatch-{self.name}")
        return env

    def _events(self, env: dict[str, str]) -> Path | None:
        if self.data is None:
            return None
        if self.data != "cdnow":
            return Path(self.data).resolve()
        tell("Turning the CDNOW purchase log into events…")
        events = self.folder / "cdnow.jsonl"
        command = [sys.executable, "-m", "benchmarks.cdnow", "--out", str(events)]
        made = subprocess.run(command, cwd=ROOT, env=env, check=False)
        if made.returncode != 0:
            raise RunError("The CDNOW events could not be made.")
        return events

    def _finish(self, name: str, arguments: list[str], env: dict[str, str]) -> None:
        """Run one command to its end; its words go to the terminal, RunError if it failed."""
        with (self.folder / f"{name}.log").open("wb") as log:
            done = subprocess.run([*CHURNWATCH, *arguments], cwd=ROOT, env=env, stdout=log, check=False)
        if done.returncode != 0:
            raise RunError(f"`churnwatch {' '.join(arguments)}` failed (exit {done.returncode}).")

    def _start(
        self, name: str, arguments: list[str], env: dict[str, str], *, terminal: bool = False, may_end: bool = False
    ) -> None:
        log = None if terminal else self.folder / f"{name}.log"
        child = Child(name, [*CHURNWATCH, *arguments], env, log, may_end)
        with self.interrupts.held():
            child.start()
            self.children.append(child)

    def _watch(self) -> None:
        while True:
            for child in list(self.children):
                code = child.ended()
                if code is None:
                    continue
                if code != 0 or not child.may_end:
                    raise RunError(f"The {child.name} ended (exit {code}).\n{child.last_words()}".rstrip())
                tell(f"{child.name.capitalize()}: {child.last_words(1)}")
                self.children.remove(child)
            time.sleep(POLL_S)

    def _stop_children(self) -> None:
        """Stop what was started, the last first."""
        self.interrupts.stopping = True
        if self.children:
            tell("Stopping…")
        while self.children:
            self.children[-1].stop(self.interrupts)
            self.children.pop()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def main(argv: list[str] | None = None) -> int:
    """Command line: 0 after Ctrl-C, 1 when something failed."""
    parser = argparse.ArgumentParser(prog="deploy.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", help="`cdnow`, or a file of events as JSON lines, instead of live traffic")
    parser.add_argument("--rate", default="50/s", help="live traffic, events per second (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="logs and Kafka's data, emptied first (default: one in .run/)")
    args = parser.parse_args(argv)
    if args.data not in (None, "cdnow") and not Path(args.data).is_file():
        parser.error(f"--data {args.data}: there is no such file")
    run = Run(args.data, args.rate, Path())
    run.folder = (args.folder or RUNS / (run.name or "live")).resolve()
    run.interrupts.install()
    try:
        run.go()
    except StopRequestedError:
        tell("Everything that was started here has stopped.")
        if (run.folder / "kafka").exists():
            tell(f"To look at it again: python deploy/kafka/kafka.py start --data {shown(run.folder)}/kafka")
        return 0
    except (RunError, BrokerError) as error:
        tell(str(error))
        return 1
    return 1


if __name__ == "__main__":
    sys.exit(main())
