"""Known faults and licences of all that is locked for use: `make audit`, which is `python -m deploy.audit PIP-AUDIT`.

Rules: a package that nobody could be asked about is not a package without faults. pip-audit itself ends with 0 when its
service knew none of the packages, as behind a mirror, so what counts here is what it says of each. Exit codes: 0 every
package was looked up and nothing is known against it, 1 a fault or a licence, 3 the services could not be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final, NamedTuple

from deploy.licences import LOCK, locked_names, problems

EXIT_DONE, EXIT_FOUND, EXIT_USAGE, EXIT_UNKNOWN = 0, 1, 2, 3
SERVICES: Final = ("pypi", "osv")  # asked in this order, until one knows every package
DEADLINE_S: Final = 300.0
ACCEPTED: Final[Mapping[str, str]] = {}
"""Identifiers of faults that do not touch us, each with the reason; take a row out when the fault is mended."""


class Answer(NamedTuple):
    """What a service said: faults, a line each, and the packages that it said nothing of."""

    faults: list[str]
    unknown: list[str]
    why: str = ""


def ask(pip_audit: str, service: str, lock: Path = LOCK) -> Answer:
    """What one service knows of everything that is locked; nothing is installed, resolved or sent but names."""
    command = [pip_audit, "--vulnerability-service", service, "--require-hashes", "--disable-pip", "--format", "json"]
    command += ["--progress-spinner", "off", "--requirement", str(lock)]
    names = [name for name in locked_names(lock.read_text()) if is_here(name)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer([], names, str(error))
    try:
        return read(json.loads(done.stdout), names)
    except (ValueError, KeyError, TypeError):
        said = done.stderr.strip().splitlines()
        return Answer([], names, said[-1] if said else f"pip-audit ended with {done.returncode} and said nothing")


def is_here(name: str) -> bool:
    """Whether a package is installed; one that this platform has no use for is passed over by pip-audit too."""
    try:
        metadata(name)
    except PackageNotFoundError:
        return False
    return True


def read(report: Mapping[str, Sequence[Mapping[str, object]]], names: Sequence[str]) -> Answer:
    """The answer in a report of pip-audit, about these packages.

    >>> well, skipped = {"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "?"}
    >>> read({"dependencies": [well, skipped]}, ["a", "c"])
    Answer(faults=[], unknown=['b', 'c'], why='?')
    """
    faults, asked, unknown, why = [], set(), [], ""
    for package in report["dependencies"]:
        name = str(package["name"])
        asked.add(name)
        if "skip_reason" in package:
            unknown.append(name)
            why = str(package["skip_reason"])
            continue
        for fault in package["vulns"]:  # type: ignore[attr-defined]
            ids = {fault["id"], *fault.get("aliases", ())}
            if not ids & ACCEPTED.keys():
                mended = ", ".join(fault["fix_versions"]) or "no release"
                faults.append(f"{name} {package['version']}: {fault['id']}, mended in {mended}")
    return Answer(faults, sorted({*unknown, *names} - (asked - set(unknown))), why)


def audit(pip_audit: str, lock: Path = LOCK) -> int:
    """Say what is known, and return the exit code."""
    licences = list(problems(locked_names(lock.read_text())))
    answer = Answer([], [], "")
    for service in SERVICES:
        answer = ask(pip_audit, service, lock)
        if answer.faults or not answer.unknown:
            break
        print(f"{service} said nothing of {len(answer.unknown)} packages: {answer.why}", file=sys.stderr)
    for line in (*answer.faults, *licences):
        print(line)
    if answer.faults or licences:
        return EXIT_FOUND
    print("Licences: every package that is installed for use may be used.")
    if answer.unknown:
        print(f"Faults: not known; nobody could be asked about {len(answer.unknown)} packages. Run it where one can.")
        return EXIT_UNKNOWN
    print("Faults: every package was looked up, and nothing is known against any of them.")
    return EXIT_DONE


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("usage: python -m deploy.audit PIP-AUDIT", file=sys.stderr)
        sys.exit(EXIT_USAGE)
    sys.exit(audit(sys.argv[1]))
