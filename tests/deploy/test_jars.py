"""Kafka's jars are fetched once, however many want them at the same time (a recorder stands in for Maven)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.kafka.kafka import resolve_jars

MAVEN = """#!/bin/sh
echo "$@" >> {calls}
for argument; do case "$argument" in -DoutputDirectory=*) out="${{argument#*=}}"; esac; done
sleep 0.2
echo jar > "$out/kafka.jar"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a Maven that comes first on PATH writes one line per call."""
    recorded, script = tmp_path / "calls", tmp_path / "bin" / "mvn"
    script.parent.mkdir()
    script.write_text(MAVEN.format(calls=recorded))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    return recorded


def test_two_who_want_the_jars_at_once_fetch_them_once(calls: Path, tmp_path: Path) -> None:
    pom, folder = tmp_path / "pom.xml", tmp_path / "kafka" / ".jars"
    folder.parent.mkdir()
    pom.write_text("<project/>")
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: resolve_jars(pom, folder), range(2)))
    assert found == [folder, folder]
    assert (folder / "kafka.jar").read_text() == "jar\n"
    assert len(calls.read_text().splitlines()) == 1
    pom.write_text("<project><!-- newer --></project>")
    resolve_jars(pom, folder)
    assert len(calls.read_text().splitlines()) == 2
    assert [path.name for path in folder.parent.iterdir()] == [".jars"]
