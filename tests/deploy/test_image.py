"""The image as its Dockerfile says: small, without rights, all of it locked, and with a healthcheck that can fail.

No engine is needed: what a build would do is read from the file, and the healthcheck's own command is run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", "")
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
LAST = STAGES[-1]


def test_the_last_stage_has_what_others_built_and_no_rights() -> None:
    assert len(STAGES) == 3
    assert "pip install" not in LAST
    assert re.findall(r"^USER (\w+)$", LAST, re.MULTILINE) == ["churnwatch"]
    assert "--uid 10001" in LAST
    assert LAST.index("USER ") > LAST.index("COPY ")


def test_everything_that_is_installed_is_locked_by_hashes() -> None:
    installs = re.findall(r"pip install ([^&\n]+)", DOCKERFILE)
    assert len(installs) == 3
    assert [each for each in installs if "--require-hashes" not in each and "--no-deps --editable ." not in each] == []


def test_every_base_image_has_a_version() -> None:
    bases = {stage.split()[0] for stage in STAGES} - {"build"}
    assert bases == {"python:3.11-slim-bookworm"}


def test_what_is_copied_is_sent_to_the_engine() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        each for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for each in line.split()
    }
    assert copied == sent
    assert [each for each in copied if not (ROOT / each).exists()] == []


def test_the_image_says_what_it_holds() -> None:
    assert "cyclonedx-py environment" in STAGES[1]
    assert "\ncyclonedx-bom==" in (ROOT / "requirements-audit.lock").read_text()
    assert "COPY --from=sbom /sbom.cdx.json /app/sbom.cdx.json" in LAST


class Ops(BaseHTTPRequestHandler):
    """An ops server whose /livez says what the test wants."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ops() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Ops) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def test_the_healthcheck_fails_where_livez_does_and_where_nobody_answers(ops: HTTPServer) -> None:
    (found,) = re.findall(r"HEALTHCHECK .*CMD (\[.*\])$", LAST, re.MULTILINE)
    _, *arguments = json.loads(found)

    def checked(host: str) -> bool:
        env = {**os.environ, "CHURNWATCH_OPS": f"{host}:{ops.server_port}"}
        done = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, timeout=20, check=False)
        return done.returncode == 0

    assert checked("0.0.0.0")
    Ops.status = 503
    assert not checked("127.0.0.1")
    Ops.status = 200
    ops.server_port = 1
    assert not checked("127.0.0.1")
