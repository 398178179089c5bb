"""The launcher gives a broker that keeps what it was told, through stops and kills."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.kafka.client import Kafka, Message
from deploy.kafka.kafka import HOST, Broker, BrokerError, answers, free_port, main, resolve_jars

LAUNCHER = Path(__file__).parents[2] / "deploy" / "kafka" / "kafka.py"


@pytest.fixture(scope="module")
def jars() -> Path:
    try:
        return resolve_jars()
    except BrokerError as missing:
        pytest.skip(f"the launcher needs Maven and Java: {missing}")


@pytest.mark.usefixtures("jars")
def test_records_survive_a_stop_and_a_kill(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        kafka = Kafka(broker.bootstrap)
        kafka.create("kept", 2)
        for number, kill in enumerate([False, True]):
            kafka.produce("kept", [Message(b"%d" % number, key=b"k", headers=[("h", b"v")], partition=number)])
            broker.restart(kill=kill)
        got = kafka.consume("kept")
    assert [(r.partition, r.key, r.value, list(r.headers)) for r in sorted(got, key=lambda r: r.partition)] == [
        (0, b"k", b"0", [("h", b"v")]),
        (1, b"k", b"1", [("h", b"v")]),
    ]
    assert not answers(HOST, broker.port)


@pytest.mark.usefixtures("jars")
def test_a_broken_setting_is_told_with_what_kafka_said(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"num\.io\.threads"):
        Broker(tmp_path, settings={"num.io.threads": "many"}).start()


def test_a_port_that_kafka_already_serves_is_refused(bootstrap: str, tmp_path: Path) -> None:
    host, port = bootstrap.split(":")
    if host != HOST:
        pytest.skip("the given broker is not on this machine")
    with pytest.raises(BrokerError, match=f"already listens on {bootstrap}"):
        Broker(tmp_path, port=int(port)).start()


def test_a_port_that_does_not_speak_kafka_is_not_a_broker() -> None:
    assert not answers(HOST, free_port(), timeout_s=0.5)
    with socket.create_server((HOST, 0)) as silent:
        assert not answers(HOST, silent.getsockname()[1], timeout_s=0.2)


@pytest.mark.usefixtures("jars")
def test_start_status_and_stop_find_each_other_by_the_data_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data", str(tmp_path)]
    assert main(["status", *where]) == 1
    started = subprocess.run(
        [sys.executable, str(LAUNCHER), "start", *where, "--port", "0", "--set", "num.partitions=3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    try:
        assert main(["status", *where]) == 0
        assert main(["start", *where]) == 0  # started already: says so and leaves it alone
        assert "num.partitions=3\n" in (tmp_path / "server.properties").read_text()
    finally:
        assert main(["stop", *where]) == 0
    assert main(["status", *where]) == 1
    assert main(["stop", *where]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "No Kafka of this folder is running."


def test_stop_leaves_alone_a_process_that_only_has_the_same_number(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as stranger:
        (tmp_path / "broker.json").write_text(json.dumps({"pid": stranger.pid, "port": 1}))
        assert main(["stop", "--data", str(tmp_path)]) == 0
        assert stranger.poll() is None
        assert stranger.stdin is not None
        stranger.stdin.close()


@pytest.mark.usefixtures("jars")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_the_broker_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    command = [sys.executable, str(LAUNCHER), "run", "--data", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline().split(":")[1].split(".")[0])
        assert answers(HOST, port)
        parent.kill()
    until = time.monotonic() + 10
    while answers(HOST, port) and time.monotonic() < until:
        time.sleep(0.1)
    assert not answers(HOST, port)


def test_a_setting_without_a_value_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as left:
        main(["start", "--set", "num.partitions"])
    assert left.value.code == 2
