"""The broker under Docker: which commands the client gets (a recorder stands in for it; an engine is not needed)."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.choose import IMAGE, DockerBroker, docker_answers
from deploy.kafka.kafka import HOST, BrokerError


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Where the recorder writes one line per call."""
    return tmp_path / "calls"


@pytest.fixture
def docker(tmp_path: Path, recorded: Path) -> str:
    """A client that writes down what it is asked; its engine refuses only containers to be killed."""
    script = tmp_path / "docker"
    refusal = '[ "$1" = kill ] && { echo no such container >&2; exit 1; }'
    script.write_text(f'#!/bin/sh\necho "$@" >> {recorded}\n{refusal}\nexit 0\n')
    script.chmod(0o755)
    return str(script)


@pytest.fixture
def port() -> Iterator[int]:
    """A port where every metadata request is answered with one broker."""
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    conn, _ = server.accept()
                except OSError:
                    return
                with conn:
                    conn.recv(1024)
                    conn.sendall(struct.pack(">iii", 8, 5, 1))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_container_is_run_once_and_then_started_again_with_its_data(docker: str, recorded: Path, port: int) -> None:
    with DockerBroker(port=port, settings={"num.partitions": "3"}, docker=docker) as broker:
        broker.restart()
        name = broker.name
        assert broker.bootstrap == f"127.0.0.1:{port}"
    run, *rest = recorded.read_text().splitlines()
    assert run.startswith(f"run --detach --name {name} --publish 127.0.0.1:{port}:{port} ")
    assert run.endswith(f" {IMAGE}")
    assert f"--env KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:{port}" in run
    assert "--env KAFKA_AUTO_CREATE_TOPICS_ENABLE=false" in run
    assert "--env KAFKA_NUM_PARTITIONS=3" in run
    assert rest == [f"stop --time 20 {name}", f"start {name}", f"rm --force --volumes {name}"]


def test_what_docker_refuses_is_told(docker: str, port: int) -> None:
    with DockerBroker(port=port, docker=docker) as broker, pytest.raises(BrokerError, match="no such container"):
        broker.kill()


def test_a_client_without_an_engine_is_no_docker(docker: str, tmp_path: Path) -> None:
    assert docker_answers(docker)
    deaf = tmp_path / "deaf"
    deaf.write_text("#!/bin/sh\nexit 1\n")
    deaf.chmod(0o755)
    assert not docker_answers(str(deaf))
    assert not docker_answers(str(tmp_path / "nothing"))
