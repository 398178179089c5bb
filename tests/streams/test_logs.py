"""Log lines: one shape for all, and nothing said that must not be said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).parents[2]
SPEAK = """
import asyncio, logging, sys
import structlog
from aiokafka.errors import KafkaConnectionError
from streams.logs import set_up_logs
from streams.settings import Settings

set_up_logs(Settings(log_format=sys.argv[1], log_level=sys.argv[2]))
structlog.get_logger("streams.x").info("took over", partitions=3)
logging.getLogger("elsewhere").warning("%s of theirs", "a line")
logging.getLogger("aiokafka").error("Unable connect to %s", "node")
logging.getLogger("faust.app").info("what only Faust's makers want")
logging.getLogger("asyncio").error("Future exception was never retrieved", exc_info=KafkaConnectionError())
logging.getLogger("asyncio").error("something else", exc_info=ValueError("bad"))
def fails():
    payload = "-".join(("c", "4711"))
    raise RuntimeError("unforeseen")
try:
    fails()
except RuntimeError as error:
    structlog.get_logger("streams.x").error("failed", exc_info=error)
"""


def speak(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SPEAK, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b""
    return done.stderr.decode()


def test_every_line_is_json_with_its_level_logger_and_time() -> None:
    lines = [msgspec.json.decode(line) for line in speak("auto", "info").splitlines()]  # no terminal: JSON
    assert [line["event"] for line in lines] == ["took over", "a line of theirs", "something else", "failed"]
    assert all({"level", "logger", "timestamp"} <= line.keys() for line in lines)
    assert lines[0]["partitions"] == 3


def test_debug_drops_nothing() -> None:
    said = speak("json", "debug")
    assert "Unable connect to node" in said
    assert "what only Faust's makers want" in said


@pytest.mark.parametrize("shape", ["json", "console"])
def test_a_traceback_shows_no_value_of_a_variable(shape: str) -> None:
    said = speak(shape, "info")
    assert "unforeseen" in said
    assert "c-4711" not in said


def test_the_console_has_words_and_no_json() -> None:
    assert "took over" in speak("console", "info")
    assert '"event"' not in speak("console", "info")
