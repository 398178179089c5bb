"""Start, stop and kill one real Kafka broker (KRaft, broker and controller in one JVM) on loopback.

Rules of this file:
* standard library only, so that any Python >= 3.11 runs it before anything is installed;
* a broker is up when it answers a metadata request and lists itself, not when its port is open;
* it ends only the process it started itself, or one that its own state file and command line both name.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

HERE = Path(__file__).resolve().parent
POM = HERE / "pom.xml"
JARS = HERE / ".jars"
STAMP = "pom.sha256"
HOST = "127.0.0.1"
START_DEADLINE_S = 90.0
STOP_DEADLINE_S = 20.0
TOOL_DEADLINE_S = 600.0

# One node, few partitions of the internal topics, no waiting for members: what a laptop and a test want.
SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "transaction.max.timeout.ms": "900000",
    # A killed broker may come back only when its old session is over.
    "broker.session.timeout.ms": "5000",
    "broker.heartbeat.interval.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    # The default buffer of 128 MiB would fill the small heap; a short back-off lets a compacted topic be seen soon.
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.cleaner.backoff.ms": "500",
    "log.segment.delete.delay.ms": "1000",
}


class BrokerError(RuntimeError):
    """The broker cannot be had: the message says what is missing or what it logged last."""


def java() -> str:
    """The `java` of JAVA_HOME, else of PATH; BrokerError when there is none."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else None
    found = found or shutil.which("java")
    if found is None:
        raise BrokerError("No Java found: Kafka needs Java 17 or newer on PATH or in JAVA_HOME.")
    return found


def resolve_jars(pom: Path = POM, folder: Path = JARS) -> Path:
    """The folder of Kafka's jars; copied there by Maven the first time, and again when the pom changes."""
    wanted = hashlib.sha256(pom.read_bytes()).hexdigest()
    if not _resolved(folder, wanted):
        with _alone(folder.parent):  # who comes second finds what the first has fetched, and does not pull it away
            if not _resolved(folder, wanted):
                _fetch_jars(pom, folder, wanted)
    return folder


def _resolved(folder: Path, wanted: str) -> bool:
    stamp = folder / STAMP
    return stamp.exists() and stamp.read_text().strip() == wanted


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process is in here for the same folder; a lock that ends with the process."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _fetch_jars(pom: Path, folder: Path, wanted: str) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerError("No Maven found: `mvn` fetches Kafka's jars. Install it, or set KAFKA_BOOTSTRAP.")
    print("Fetching Kafka's jars with Maven (once, about 45 MB)…", file=sys.stderr, flush=True)
    # Copied beside and renamed, so that nobody sees half a folder.
    fresh = Path(tempfile.mkdtemp(prefix=".jars-", dir=folder.parent))
    try:
        copy = ["dependency:copy-dependencies", f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"]
        _tool([maven, "-B", "-ntp", "-f", str(pom), *copy], "Maven could not fetch Kafka's jars")
        (fresh / STAMP).write_text(wanted + "\n")
        fresh.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _tool(command: list[str], complaint: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TOOL_DEADLINE_S, check=False
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise BrokerError(f"{complaint} (exit {done.returncode}):\n{tail}")


def free_port() -> int:
    """A TCP port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(host: str, port: int, timeout_s: float = 2.0) -> bool:
    """Whether a Kafka broker there lists at least one live broker, itself included (metadata request, version 0)."""
    body = struct.pack(">hhih", 3, 0, 1, 5) + b"probe" + struct.pack(">i", 0)
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as conn:
            conn.sendall(struct.pack(">i", len(body)) + body)
            head = _read(conn, 12)
    except OSError:
        return False
    return len(head) == 12 and struct.unpack(">iii", head)[2] > 0


def _read(conn: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size and (more := conn.recv(size - len(got))):
        got += more
    return got


class Broker:
    """One broker with its data folder; a context manager that starts on entry and stops on exit.

    `port` 0 takes a free one and keeps it over restarts. `settings` are broker properties that win over the defaults.
    `formatting` is what else the storage tool is told, such as the users that are there from the start.
    With `die_with_parent` the JVM cannot outlive this process, where the system offers that (Linux).
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        heap: str = "768m",
        die_with_parent: bool = True,
        formatting: Sequence[str] = (),
    ) -> None:
        self.data = Path(data).resolve()
        self.port = port or free_port()
        self.controller_port = free_port()
        self.settings = dict(settings or {})
        self.heap = heap
        self.formatting = tuple(formatting)
        self.die_with_parent = die_with_parent
        self.log = self.data / "kafka.log"
        self.properties = self.data / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """What a client connects to, `host:port`."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The JVM's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self, deadline_s: float = START_DEADLINE_S) -> Self:
        """Format a new data folder, start the JVM, return when it answers; BrokerError with its last lines."""
        if self.pid is not None:
            return self
        if answers(HOST, self.port):
            raise BrokerError(f"Something that speaks Kafka already listens on {self.bootstrap}.")
        classpath = f"{resolve_jars()}/*"
        self.data.mkdir(parents=True, exist_ok=True)
        self._write_properties()
        if not (self.data / "logs" / "meta.properties").exists():
            cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
            storage = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(self.properties)]
            storage += self.formatting
            _tool([java(), "-XX:TieredStopAtLevel=1", "-cp", classpath, *storage], "The storage could not be formatted")
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C at the terminal is for those who use the broker, which stops last.
            process = subprocess.Popen(
                self._command(classpath), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._process = process
        try:
            self._await_answer(process, deadline_s)
        except BaseException:  # an interrupt too: what was started here is not left behind
            self.kill()
            raise
        state = {"pid": process.pid, "port": self.port}
        (self.data / "broker.json").write_text(json.dumps(state))
        return self

    def stop(self, deadline_s: float = STOP_DEADLINE_S) -> None:
        """Ask the JVM to stop (SIGTERM); kill it when the deadline has passed. Does nothing when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Kill the JVM as a power cut would (SIGKILL); the data stay as they were."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def restart(self, *, kill: bool = False, down_s: float = 0.0) -> None:
        """Stop (or kill) the broker, stay away for `down_s` seconds, and start it on the same data and port."""
        if kill:
            self.kill()
        else:
            self.stop()
        time.sleep(down_s)
        self.start()

    def log_tail(self, lines: int = 20) -> str:
        """The last lines that the broker logged."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 64 * 1024))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _write_properties(self) -> None:
        placed = {
            "controller.quorum.voters": f"1@{HOST}:{self.controller_port}",
            "listeners": f"PLAINTEXT://{HOST}:{self.port},CONTROLLER://{HOST}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self.port}",
            "log.dirs": str(self.data / "logs"),
        }
        merged = {**SETTINGS, **placed, **self.settings}
        self.properties.write_text("".join(f"{key}={value}\n" for key, value in merged.items()))

    def _command(self, classpath: str) -> list[str]:
        options = [f"-Xmx{self.heap}", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Djava.awt.headless=true"]
        logging = ["-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"]
        command = [java(), *options, *logging, "-cp", classpath, "kafka.Kafka", str(self.properties)]
        setpriv = shutil.which("setpriv")
        if self.die_with_parent and setpriv is not None:
            return [setpriv, "--pdeathsig", "KILL", "--", *command]
        return command

    def _await_answer(self, process: subprocess.Popen[bytes], deadline_s: float) -> None:
        until = time.monotonic() + deadline_s
        while time.monotonic() < until:
            code = process.poll()
            if code is not None:
                raise BrokerError(f"Kafka stopped while starting (exit {code}). It logged last:\n{self.log_tail()}")
            if answers(HOST, self.port):
                return
            time.sleep(0.1)
        raise BrokerError(f"Kafka did not answer within {deadline_s:.0f} s. It logged last:\n{self.log_tail()}")


def _recorded(data: Path) -> tuple[int, int] | None:
    """(pid, port) of the broker that was started on this folder and still runs; None when there is none."""
    try:
        state = json.loads((data / "broker.json").read_text())
        pid, port = int(state["pid"]), int(state["port"])
    except (OSError, ValueError, KeyError):
        return None
    # A process id is reused: only one whose command line names our properties file is ours.
    return (pid, port) if str(data / "server.properties") in _command_line(pid) else None


def _command_line(pid: int) -> str:
    proc = Path("/proc")
    if (proc / "self").exists():
        with contextlib.suppress(OSError):
            return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    ps = ["ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout


def _stop_recorded(data: Path, deadline_s: float = STOP_DEADLINE_S) -> bool:
    found = _recorded(data)
    if found is None:
        return False
    os.kill(found[0], signal.SIGTERM)
    until = time.monotonic() + deadline_s
    while _recorded(data) is not None:
        if time.monotonic() > until:
            os.kill(found[0], signal.SIGKILL)
            until = float("inf")
        time.sleep(0.1)
    return True


def _run(broker: Broker) -> None:
    """Hold the broker in the foreground until SIGINT or SIGTERM, or until it ends by itself (BrokerError)."""
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _frame: stopped.append(got))
    with broker:
        print(f"Kafka answers on {broker.bootstrap}. Ctrl-C stops it.", flush=True)
        while not stopped:
            if broker.pid is None:
                raise BrokerError(f"Kafka ended by itself. It logged last:\n{broker.log_tail()}")
            time.sleep(0.2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kafka.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=["start", "stop", "status", "run", "jars"])
    parser.add_argument("--data", type=Path, default=HERE / ".data", help="data folder (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9092, help="port on loopback, 0 for a free one (default: 9092)")
    parser.add_argument("--heap", default="768m", help="largest heap of the JVM (default: 768m)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="one more broker property")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Command line: 0 done (or running), 1 failed (or not running), 2 wrong usage."""
    parser = _parser()
    args = parser.parse_args(argv)
    data: Path = args.data.resolve()
    if any("=" not in pair for pair in args.set):
        parser.error("--set takes KEY=VALUE")
    settings = dict(pair.split("=", 1) for pair in args.set)
    try:
        if args.command == "jars":
            print(resolve_jars())
        elif args.command == "stop":
            print("Kafka stopped." if _stop_recorded(data) else "No Kafka of this folder is running.")
        elif args.command == "status" or (args.command == "start" and _recorded(data)):
            found = _recorded(data)
            up = found is not None and answers(HOST, found[1])
            print(f"Kafka answers on {HOST}:{found[1]}, pid {found[0]}." if up and found else "Kafka is not running.")
            return 0 if up else 1
        elif args.command == "start":
            broker = Broker(data, port=args.port, settings=settings, heap=args.heap, die_with_parent=False).start()
            print(f"Kafka answers on {broker.bootstrap}, pid {broker.pid}. Log: {broker.log}")
        else:
            _run(Broker(data, port=args.port, settings=settings, heap=args.heap))
    except BrokerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
