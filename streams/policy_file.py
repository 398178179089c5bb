"""The policy that a file holds."""

from __future__ import annotations

from pathlib import Path

from detectors.policy import Policy
from detectors.policy_text import PolicyError, parse_policy
from streams.failures import Failure


def load_policy(path: str | None) -> Policy:
    """The policy of a file, or the built-in one without a path; raises Failure, naming the file and the key."""
    if not path:
        return Policy()
    try:
        return parse_policy(Path(path).read_text())
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, PolicyError) as error:
        raise Failure(f"{path}: {error}") from error
