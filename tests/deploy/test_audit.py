"""What `make audit` makes of what pip-audit says, and of its silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.audit import EXIT_DONE, EXIT_FOUND, EXIT_UNKNOWN, audit

LOCKED = "click==8.1 \\\n    --hash=sha256:0\nmsgspec==0.20 \\\n    --hash=sha256:0\n"
FAULT = {"id": "CVE-1", "fix_versions": ["8.2"], "aliases": [], "description": "d"}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(LOCKED)
    return path


def saying(folder: Path, **reports: object) -> str:
    """A program in the place of pip-audit, which says a report for each service; where it has none, it fails."""
    program = folder / "pip-audit"
    lines = [f"{service}) echo '{json.dumps(report)}'; exit 0;;" for service, report in reports.items()]
    program.write_text(f'#!/bin/sh\ncase "$2" in {" ".join(lines)} *) echo "cannot connect" >&2; exit 1;; esac\n')
    program.chmod(0o755)
    return str(program)


def report(**packages: object) -> object:
    return {"dependencies": [{"name": name, "version": "8.1", **said} for name, said in packages.items()]}  # type: ignore[dict-item]


KNOWN: dict[str, object] = {"vulns": []}
SKIPPED: dict[str, object] = {"skip_reason": "not found"}


def test_nothing_is_known_against_anything(tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(saying(tmp_path, pypi=report(click=KNOWN, msgspec=KNOWN)), lock) == EXIT_DONE
    assert "every package was looked up" in capsys.readouterr().out


def test_a_fault_is_named_with_what_mends_it(tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(saying(tmp_path, pypi=report(click={"vulns": [FAULT]}, msgspec=KNOWN)), lock) == EXIT_FOUND
    assert capsys.readouterr().out == "click 8.1: CVE-1, mended in 8.2\n"


def test_a_service_that_knows_nothing_is_not_a_clean_answer(
    tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip-audit itself says "No known vulnerabilities found" then, and ends with 0."""
    assert audit(saying(tmp_path, pypi=report(click=SKIPPED, msgspec=SKIPPED)), lock) == EXIT_UNKNOWN
    said = capsys.readouterr()
    assert "nobody could be asked about 2 packages" in said.out
    assert "osv said nothing of 2 packages: cannot connect" in said.err


def test_one_package_that_was_left_out_is_enough(tmp_path: Path, lock: Path) -> None:
    assert audit(saying(tmp_path, pypi=report(click=KNOWN)), lock) == EXIT_UNKNOWN


def test_the_second_service_is_asked_where_the_first_does_not_answer(tmp_path: Path, lock: Path) -> None:
    assert audit(saying(tmp_path, osv=report(click=KNOWN, msgspec=KNOWN)), lock) == EXIT_DONE


def test_a_fault_counts_though_the_service_does_not_know_the_rest(tmp_path: Path, lock: Path) -> None:
    assert audit(saying(tmp_path, pypi=report(click={"vulns": [FAULT]}, msgspec=SKIPPED)), lock) == EXIT_FOUND


def test_without_the_program_nothing_is_known(tmp_path: Path, lock: Path) -> None:
    assert audit(str(tmp_path / "nowhere"), lock) == EXIT_UNKNOWN
