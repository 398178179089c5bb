"""Which broker this machine can offer: a Docker engine that answers runs Kafka's image, else Java runs Kafka's jars."""

from __future__ import annotations

import shutil
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from deploy.kafka.kafka import HOST, SETTINGS, START_DEADLINE_S, Broker, BrokerError, answers, free_port

IMAGE = "apache/kafka:4.1.1"


class LocalBroker(Protocol):
    """A broker of ours: it can be stopped, killed and started again on the same data and port."""

    @property
    def bootstrap(self) -> str:
        """What a client connects to, `host:port`."""

    def start(self) -> Self:
        """Start it, and return when it answers."""

    def stop(self) -> None:
        """Stop it cleanly."""

    def kill(self) -> None:
        """Kill it as a power cut would."""

    def restart(self, *, kill: bool = False, down_s: float = 0.0) -> None:
        """Stop or kill it, stay away for `down_s` seconds, start it again."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True)
class GivenBroker:
    """A broker that somebody else runs."""

    bootstrap: str


class DockerBroker:
    """Kafka's own image under Docker, with the settings of the jar broker."""

    def __init__(self, *, port: int = 0, settings: Mapping[str, str] | None = None, docker: str = "docker") -> None:
        self.port = port or free_port()
        self.name = f"churnwatch-kafka-{uuid.uuid4().hex[:8]}"
        self.settings = dict(settings or {})
        self.docker = docker
        self._made = False

    @property
    def bootstrap(self) -> str:
        """What a client connects to, `host:port`."""
        return f"{HOST}:{self.port}"

    def start(self) -> Self:
        """Create the container, or start it again, and return when the broker answers; BrokerError with its log."""
        if self._made:
            self._docker("start", self.name)
        else:
            self._docker("run", "--detach", "--name", self.name, *self._options(), IMAGE)
            self._made = True
        until = time.monotonic() + START_DEADLINE_S
        while not answers(HOST, self.port):
            if time.monotonic() > until:
                log = self._docker("logs", "--tail", "20", self.name)
                self.__exit__(None, None, None)
                raise BrokerError(f"Kafka did not answer on {self.bootstrap}. It logged last:\n{log}")
            time.sleep(0.2)
        return self

    def stop(self) -> None:
        """Stop the container, which keeps its data."""
        if self._made:
            self._docker("stop", "--time", "20", self.name)

    def kill(self) -> None:
        """Kill the container, which keeps its data."""
        if self._made:
            self._docker("kill", self.name)

    def restart(self, *, kill: bool = False, down_s: float = 0.0) -> None:
        """Stop or kill the container, stay away for `down_s` seconds, start it again."""
        if kill:
            self.kill()
        else:
            self.stop()
        time.sleep(down_s)
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._made:
            self._docker("rm", "--force", "--volumes", self.name)
            self._made = False

    def _options(self) -> list[str]:
        placed = {
            "controller.quorum.voters": "1@localhost:19093",
            "listeners": f"PLAINTEXT://:{self.port},CONTROLLER://:19093",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self.port}",
        }
        options = ["--publish", f"{HOST}:{self.port}:{self.port}"]
        for key, value in {**SETTINGS, **placed, **self.settings}.items():
            # The image's rule: KAFKA_, upper case, "." is "_".
            options += ["--env", f"KAFKA_{key.replace('.', '_').upper()}={value}"]
        return options

    def _docker(self, *arguments: str) -> str:
        done = subprocess.run([self.docker, *arguments], capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise BrokerError(f"docker {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout + done.stderr


def docker_answers(docker: str = "docker") -> bool:
    """Whether there is a Docker client here and an engine behind it that answers within 10 s."""
    found = shutil.which(docker)
    if found is None:
        return False
    try:
        return subprocess.run([found, "info"], capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def local_broker(data: Path, *, port: int = 0, settings: Mapping[str, str] | None = None) -> LocalBroker:
    """A broker of this machine, not started: Docker's when an engine answers, else one from jars with `data`."""
    if docker_answers():
        return DockerBroker(port=port, settings=settings)
    return Broker(data, port=port, settings=settings)
