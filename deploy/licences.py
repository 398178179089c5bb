"""Whether everything that is installed for use may be used: `python -m deploy.licences`.

Rules: what counts is what a package says of itself, as an SPDX expression, else in its classifiers, else in words; a
licence that is not known here is refused until somebody has read it and put it into the list.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Final

LOCK: Final = Path(__file__).resolve().parents[1] / "requirements-tracing.lock"  # the most that is installed for use
# Permissive ones, and the MPL, whose duties end with its own files, which are used unchanged.
ALLOWED: Final = re.compile(
    r"(MIT|ISC|0BSD|Zlib|CC0-1\.0|(BSD|Apache|PSF|MPL)-[0-9][\w.-]*"
    r"|MIT License|(3-Clause )?BSD License|Apache Software License|Python Software Foundation License"
    r"|Repoze Public License|Mozilla Public License 2\.0 \(MPL 2\.0\))"
)


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression, or one licence by its name, leaves a way that is allowed.

    >>> is_allowed("MPL-2.0 AND (Apache-2.0 OR MIT)"), is_allowed("GPL-3.0-only OR MIT"), is_allowed("GPL-3.0 AND MIT")
    (True, True, False)
    """
    bare = expression if ALLOWED.fullmatch(expression) else re.sub(r"[()]", "", expression)
    parts = [[each.strip() for each in part.split(" OR ")] for part in bare.split(" AND ")]
    return all(any(ALLOWED.fullmatch(each) for each in part) for part in parts)


def said(package: PackageMetadata) -> list[str]:
    """What a package says of its licence; each of it must be allowed."""
    if expressions := package.get_all("License-Expression"):
        return expressions
    classifiers = [each.split(" :: ")[-1] for each in package.get_all("Classifier") or () if each.startswith("License")]
    return classifiers or [each.splitlines()[0] for each in package.get_all("License") or ["nothing"]]


def locked_names(text: str) -> list[str]:
    """The packages of a lock file.

    >>> locked_names("click==8.1 \\\\\\n    --hash=sha256:0\\naiokafka[lz4]==0.14.0 ; x\\n")
    ['aiokafka', 'click']
    """
    return sorted(set(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==", text, re.MULTILINE)))


def problems(names: list[str]) -> Iterator[str]:
    """A line for each package whose licence is not allowed; one that this platform has no use for is passed over."""
    for name in names:
        try:
            package = metadata(name)
        except PackageNotFoundError:
            continue
        refused = [each for each in said(package) if not is_allowed(each)]
        if refused:
            yield f"{name}: {', '.join(refused)}"


if __name__ == "__main__":
    found = list(problems(locked_names(LOCK.read_text())))
    print("\n".join(found) or "Every package that is installed for use may be used.")
    sys.exit(bool(found))
