"""What a check found: one line for a person, one object for a program.

Rules: whoever finds a fault says what to do about it; nothing here holds a secret, a customer id or a payload.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

Status = Literal["ok", "warning", "failed"]
NAME_WIDTH: Final = 12


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at: how it stands, what was seen, and what to do about it (empty: nothing)."""

    check: str
    status: Status
    detail: str
    do: str = ""

    def line(self) -> str:
        """The finding in one line.

        >>> Found("disk", "warning", "90 MB are free.", "Make room.").line()
        'warning  disk          90 MB are free. → Make room.'
        """
        return f"{self.status:<8} {self.check:<{NAME_WIDTH}}  {self.detail}{f' → {self.do}' if self.do else ''}"


def fine(check: str, detail: str) -> Found:
    """A finding that asks for nothing."""
    return Found(check, "ok", detail)


def odd(check: str, detail: str, do: str) -> Found:
    """A finding with which a worker runs, though not as well as it should."""
    return Found(check, "warning", detail, do)


def wrong(check: str, detail: str, do: str) -> Found:
    """A finding with which a worker cannot run, or must not."""
    return Found(check, "failed", detail, do)


def is_well(found: Iterable[Found]) -> bool:
    """Whether nothing failed; a warning is no failure."""
    return all(each.status != "failed" for each in found)


def as_json(found: Sequence[Found], settings: Mapping[str, Any]) -> bytes:
    """Everything as one JSON object: `ok`, `checks`, and the `settings` as they may be shown."""
    checks = [{"check": f.check, "status": f.status, "detail": f.detail, "do": f.do} for f in found]
    body = {"ok": is_well(found), "checks": checks, "settings": settings}
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"
