"""The policy that a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from detectors.policy import Policy
from detectors.policy_text import Checked, check_policy
from streams.failures import Failure

BUILT_IN: Final = "default"
"""Names the built-in policy where a file is asked for."""


def load_policy(path: str | None) -> Policy:
    """The policy of a file, or the built-in one without a path; raises Failure, naming the file, lines and keys."""
    if not path:
        return Policy()
    checked = check_file(path)
    if checked.policy is None:
        raise Failure(f"{path}: {'; '.join(map(str, checked.problems))}")
    return checked.policy


def load_named(name: str) -> Policy:
    """The policy of a file, or the built-in one by its name `default`; raises Failure."""
    return Policy() if name == BUILT_IN else load_policy(name)


def check_file(path: str) -> Checked:
    """A policy file as it was read; raises Failure if it cannot be read at all."""
    try:
        return check_policy(Path(path).read_text())
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
