"""The command line: help that teaches, exit codes, one clear line for an error, and nothing loaded before its time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from streams.cli import COMMANDS, main
from streams.commands.reference import reference
from streams.failures import Failure, WrongUsage

ROOT = Path(__file__).parents[2]
CHURNWATCH = (sys.executable, "-c", "from streams.cli import main; main(prog_name='churnwatch')")
NOBODY = "127.0.0.1:1"


def run(*args: str, env: dict[str, str | None] | None = None, given: bytes | None = None) -> Result:
    return CliRunner().invoke(main, args, env=env, input=given)


def shell(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    return subprocess.run(
        [*CHURNWATCH, *args],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_command_says(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert (command.help or "").split("\n")[0] == COMMANDS[name].summary


def test_every_command_teaches_with_an_example() -> None:
    lacking = [part.splitlines()[0] for part in reference(main).split("\n##")[2:] if "Example" not in part]
    # Groups list their commands instead.
    assert sorted(lacking) == [
        "# churnwatch alerts",
        "# churnwatch dlq",
        "# churnwatch insights",
        "# churnwatch journal",
        "# churnwatch model",
        "# churnwatch policy",
        "# churnwatch schema",
        "# churnwatch topics",
    ]


def test_the_reference_is_fresh() -> None:
    """python -m streams.commands.reference > docs/cli.md"""
    assert (ROOT / "docs" / "cli.md").read_text() == reference(main)


def test_help_loads_no_client_no_faust_and_no_command() -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom streams.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "print([m for m in ('faust', 'aiokafka', 'rich', 'msgspec', 'asyncio') if m in sys.modules])\n"
        "print([m for m in sys.modules if m.startswith('streams.commands')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]


def test_a_replay_never_loads_faust(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    run("simulate", "--customers", "3", "--days", "20", "--out", str(events))
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom streams.cli import main\n"
        f"done = CliRunner().invoke(main, ['replay', {str(events)!r}, '--report', '-'])\n"
        "assert done.exit_code == 0, done.output\n"
        "print([m for m in ('faust', 'mode') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "args",
    [
        ("nonsense",),
        ("replay",),
        ("replay", "dump.jsonl", "--journal", "--scores", "s.jsonl"),
        ("replay", "dump.jsonl", "--journal", "--until", "2026-01-01"),
        ("replay", "events.jsonl", "--score-every", "7d"),
        ("replay", "events.jsonl", "--scores", "-", "--score-every", "7 days"),
        ("replay", "events.jsonl", "--alerts", "-", "--dlq", "-"),
        ("replay", "events.jsonl", "--until", "yesterday"),
        ("replay", "events.jsonl", "--now", "2026-01-01T00:00:00"),
        ("publish",),
        ("publish", "events.jsonl", "--rate", "0/s"),
        ("publish", "events.jsonl", "--key", "customer"),
        ("publish", "events.jsonl", "--bootstrap", "nowhere"),
        ("simulate",),
        ("simulate", "--live", "--out", "x"),
        ("simulate", "--live", "--days", "3"),
        ("simulate", "--out", "x", "--rate", "5/s"),
        ("simulate", "--out", "x", "--customers", "0"),
        ("simulate", "--out", "x", "--leaving", "0.9"),
        ("simulate", "--out", "x", "--silence", "churn.journal=2025-01-01..2025-01-02"),
        ("simulate", "--out", "x", "--silence", "usage.events=2025-01-02..2025-01-01"),
        ("simulate", "--out", "x", "--silence", "usage.events"),
        ("simulate", "--live", "--storm", "2025-01-02"),
        ("topics", "create", "--partitions", "churn.journal"),
        ("topics", "create", "--partitions", "churn.jurnal=4"),
        ("alerts", "tail", "--level", "huge"),
        ("schema", "check"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_so_on_stderr(args: tuple[str, ...]) -> None:
    done = run(*args)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("publish", "missing.jsonl"), "cannot read missing.jsonl: No such file or directory"),
        (("replay", "missing.jsonl"), "cannot read missing.jsonl: No such file or directory"),
        (("schema", "check", "missing.jsonl"), "cannot read missing.jsonl: No such file or directory"),
        (("simulate", "--customers", "1", "--out", "no/such/folder"), "cannot write no/such/folder: No such file or"),
        (("publish", "-", "--bootstrap", NOBODY), f"no Kafka broker answers at {NOBODY} (set KAFKA_BOOTSTRAP)"),
        (("alerts", "tail", "--bootstrap", NOBODY), f"no Kafka broker answers at {NOBODY}"),
        (("simulate", "--live", "--bootstrap", NOBODY), f"no Kafka broker answers at {NOBODY}"),
        (("topics", "check", "--bootstrap", NOBODY, "--wait", "100ms"), f"Kafka at {NOBODY} did not answer within"),
    ],
)
def test_what_cannot_be_done_ends_with_1_and_one_line(args: tuple[str, ...], said: str, tmp_path: Path) -> None:
    with CliRunner().isolated_filesystem(tmp_path):
        done = run(*args)
    assert done.exit_code == 1, done.output
    assert done.stdout == ""
    assert f"churnwatch: {said}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refused_setting_is_wrong_usage_and_named() -> None:
    done = run("worker", env={"CHURNWATCH_TICK_MS": "soon"})
    assert done.exit_code == 2
    assert done.stderr.startswith("churnwatch: CHURNWATCH_TICK_MS: 'soon' is not a whole number")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """A command `fail` that raises what is put into the list."""
    errors: list[BaseException] = []

    @click.command()
    def fail() -> None:
        raise errors[0]

    monkeypatch.setitem(sys.modules, "tests_fail", type(sys)("tests_fail"))
    sys.modules["tests_fail"].fail = fail  # type: ignore[attr-defined]
    monkeypatch.setitem(COMMANDS, "fail", COMMANDS["worker"]._replace(place="tests_fail:fail"))
    return errors


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Failure("the disk is full"), 1, "churnwatch: the disk is full\n"),
        (WrongUsage("X: not a number"), 2, "churnwatch: X: not a number\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_each_end_has_its_exit_code(failing: list[BaseException], error: BaseException, code: int, said: str) -> None:
    failing.append(error)
    done = run("fail")
    assert (done.exit_code, done.stderr, done.stdout) == (code, said, "")


def test_a_defect_is_told_as_one_and_with_debug_shows_where(failing: list[BaseException]) -> None:
    failing.append(ValueError("odd"))
    done = run("fail", env={"CHURNWATCH_DEBUG": None})
    assert done.exit_code == 1
    assert done.stderr.splitlines()[0] == "churnwatch: ValueError: odd"
    assert "CHURNWATCH_DEBUG=1" in done.stderr
    assert isinstance(run("fail", env={"CHURNWATCH_DEBUG": "1"}).exception, ValueError)


def stopped(program: Sequence[str], folder: Path, number: signal.Signals) -> tuple[int, bytes]:
    """How a long simulation ends, and what it says, when this signal comes once it is at work."""
    out = folder / "out.jsonl"
    running = subprocess.Popen(
        [*program, "simulate", "--customers", "5000", "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 20.0
    while not out.exists() and time.monotonic() < until:
        time.sleep(0.05)
    running.send_signal(number)
    _, said = running.communicate(timeout=20.0)
    return running.returncode, said


def test_ctrl_c_ends_quietly_with_130(tmp_path: Path) -> None:
    assert stopped(CHURNWATCH, tmp_path, signal.SIGINT) == (130, b"")


def test_sigterm_ends_quietly_with_143_where_a_script_has_ctrl_c_ignored(tmp_path: Path) -> None:
    """A shell that starts a command with `&` in a script ignores SIGINT for it."""
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); from streams.cli import main; main()"
    assert stopped([sys.executable, "-c", ignoring], tmp_path, signal.SIGTERM) == (143, b"")


def test_a_reader_that_leaves_is_no_error_to_talk_about() -> None:
    done = subprocess.run(
        f"{sys.executable} -c 'from streams.cli import main; main()' simulate --customers 50 --out - | head -n 1",
        shell=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


def test_simulate_publish_nothing_else_than_events_on_stdout() -> None:
    done = run("simulate", "--customers", "2", "--days", "10", "--out", "-")
    assert done.exit_code == 0
    assert all(line.startswith(b'{"specversion":"1.0"') for line in done.stdout_bytes.splitlines())
    assert "events of 2 customers over 10 days" in done.stderr


def test_the_same_seed_writes_the_same_file_and_truth(tmp_path: Path) -> None:
    for name in ("a", "b"):
        out, truth = str(tmp_path / f"{name}.zst"), str(tmp_path / f"{name}.truth")
        run("simulate", "--customers", "12", "--days", "60", "--seed", "3", "--faults", "--out", out, "--truth", truth)
    assert (tmp_path / "a.zst").read_bytes() == (tmp_path / "b.zst").read_bytes()
    assert (tmp_path / "a.truth").read_bytes() == (tmp_path / "b.truth").read_bytes()
    assert (tmp_path / "a.truth").read_bytes().count(b"\n") == 12


def test_schema_check_names_file_line_and_reason(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    run("simulate", "--customers", "5", "--days", "60", "--out", str(events))
    good = run("schema", "check", str(events))
    assert (good.exit_code, good.stdout) == (0, "")
    events.write_bytes(events.read_bytes() + b"{}\n")
    bad = run("schema", "check", str(events))
    assert bad.exit_code == 1
    lines = len(events.read_bytes().splitlines())
    assert bad.stdout.startswith(f"{events}:{lines}: not_an_event: $: object missing required field")


def test_schema_export_writes_what_the_checkout_holds(tmp_path: Path) -> None:
    done = run("schema", "export", str(tmp_path))
    assert done.exit_code == 0
    held = {
        str(path.relative_to(ROOT / "schemas" / "exported")) for path in (ROOT / "schemas" / "exported").rglob("*.json")
    }
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")} == held
    assert run("schema", "export", str(tmp_path)).stdout == ""


def test_the_process_says_what_the_function_says() -> None:
    done = shell("publish", "missing.jsonl")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "churnwatch: cannot read missing.jsonl: No such file or directory\n"
