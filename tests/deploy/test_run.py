"""The supervisor behind `make run`: what it starts it also ends, whatever happens."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.run import Child, Interrupts, Run, RunError, StopRequestedError, main

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    taken = Interrupts()
    taken.install()
    yield taken
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    made: list[Child] = []

    def start(code: str) -> Child:
        one = Child(f"child {len(made)}", [sys.executable, "-c", code], dict(os.environ), tmp_path / f"{len(made)}.log")
        one.start()
        made.append(one)
        return one

    yield start
    for one in made:
        if one.process is not None and one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def await_words(child: Child, words: str) -> None:
    until = time.monotonic() + 20
    while words not in child.last_words():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run(interrupts: Interrupts, number: signal.Signals) -> None:
    with pytest.raises(StopRequestedError):
        os.kill(os.getpid(), number)
    assert interrupts.seen == 1


def start_under_signals(interrupts: Interrupts, signals: int, known: list[str]) -> None:
    with interrupts.held():
        for _ in range(signals):
            os.kill(os.getpid(), signal.SIGINT)
        known.append("child")


def test_a_signal_waits_until_what_is_being_started_is_known(interrupts: Interrupts) -> None:
    known: list[str] = []
    with pytest.raises(StopRequestedError):
        start_under_signals(interrupts, 1, known)
    assert known == ["child"]


def test_a_second_signal_does_not_wait(interrupts: Interrupts) -> None:
    known: list[str] = []
    with pytest.raises(StopRequestedError):
        start_under_signals(interrupts, 2, known)
    assert known == []


def test_children_are_stopped_the_last_first(child: Callable[[str], Child], tmp_path: Path) -> None:
    leave = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('up', flush=True)"
    leave += "\ntry: time.sleep(60)\nfinally: print(time.monotonic(), flush=True)"
    run = Run(None, "1/s", tmp_path, children=[child(leave), child(leave)])
    first, last = run.children
    for one in run.children:
        await_words(one, "up")
    run._stop_children()
    assert [one.ended() for one in (first, last)] == [0, 0]
    assert float(last.last_words(1)) < float(first.last_words(1))


def test_a_child_that_will_not_stop_is_killed_after_the_deadline(child: Callable[[str], Child]) -> None:
    stubborn = child(STUBBORN)
    await_words(stubborn, "up")
    stubborn.stop(Interrupts(), deadline_s=0.2)
    assert stubborn.ended() == -signal.SIGKILL


def test_ctrl_c_while_stopping_kills_at_once(child: Callable[[str], Child], interrupts: Interrupts) -> None:
    stubborn = child(f"import os; {STUBBORN}")
    await_words(stubborn, "up")
    interrupts.stopping = True
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    began = time.monotonic()
    stubborn.stop(interrupts, deadline_s=30)
    assert stubborn.ended() == -signal.SIGKILL
    assert time.monotonic() - began < 10


def test_a_child_that_ends_by_itself_ends_the_run_with_its_last_words(
    child: Callable[[str], Child], tmp_path: Path
) -> None:
    run = Run(None, "1/s", tmp_path, children=[child("print('cannot go on'); raise SystemExit(3)")])
    with pytest.raises(RunError, match=r"The child 0 ended \(exit 3\)\.\ncannot go on"):
        run._watch()


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--data", str(tmp_path / "no.jsonl")])
    assert left.value.code == 2


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match="holds other files"):
        Run(None, "1/s", tmp_path).go()
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
