"""Whether a worker is well: what /livez and /readyz say.

Rules: a worker is dead only if a stall is proven, which is records that Kafka says are there, Kafka answering, and no
progress for the stall time; Kafka being away is nobody's death. Ready means: every role has its partitions, recovered
them, and commits. Nothing here waits for anything: `Stall.look` is fed by the worker's own task.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

CHECKPOINT_AGE_MAX_S = 60.0


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


class Reading(Protocol):
    """What a role tells of itself (streams.engine.reader.Reader)."""

    @property
    def ready(self) -> bool: ...
    @property
    def crashed(self) -> bool: ...
    @property
    def idle(self) -> bool:
        """Whether the group gave this member no partition, so that there is nothing to recover."""
        ...

    @property
    def checkpoint_age_s(self) -> float:
        """Seconds since all that was applied was last committed."""
        ...


class Stall:
    """Watches one role for a proven stall.

    >>> stall = Stall(stall_s=60)
    >>> stall.look({"t": 5}, {"t": 9}, 0.0)
    >>> stall.look({"t": 5}, {"t": 9}, 59.0); stall.check("detector", 59.0).ok
    True
    >>> stall.look({"t": 5}, {"t": 9}, 61.0); stall.check("detector", 61.0).ok
    False
    >>> stall.look({"t": 6}, {"t": 9}, 62.0); stall.check("detector", 62.0).ok
    True
    """

    def __init__(self, stall_s: float) -> None:
        self.stall_s = stall_s
        self._at: dict[Any, int] = {}
        self._behind_since_s: float | None = None
        self._behind = 0
        self._known = True

    def look(self, at: Mapping[Any, int], ends: Mapping[Any, int] | None, now_s: float) -> None:
        """Note where the role is and where its partitions end; None where Kafka did not say."""
        moved, self._at = dict(at) != self._at, dict(at)
        self._known = ends is not None
        if ends is None:
            self._behind_since_s = None  # nothing is proven while Kafka is away
            return
        self._behind = sum(max(0, end - self._at[tp]) for tp, end in ends.items() if tp in self._at)
        if moved or not self._behind:
            self._behind_since_s = None
        if self._behind and self._behind_since_s is None:
            self._behind_since_s = now_s

    def check(self, role: str, now_s: float) -> Check:
        """Whether the role moves, or has no reason to."""
        name = f"{role}-progress"
        if not self._known:
            return Check(name, True, "Kafka does not answer, so nothing can be said")
        if self._behind_since_s is None or now_s - self._behind_since_s < self.stall_s:
            return Check(name, True, f"{self._behind} records behind")
        stood_s = now_s - self._behind_since_s
        return Check(name, False, f"{self._behind} records behind and no progress for {stood_s:.0f} s")


class Health:
    """The checks of a worker; roles join as they are made."""

    def __init__(self, stall_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self.stall_s, self.now_s = stall_s, now_s
        self.starting = "waiting for Kafka and its topics"
        self._roles: dict[str, tuple[Reading, Stall]] = {}

    def join(self, role: str, reading: Reading) -> Stall:
        """Take a role in; its own task feeds the stall that comes back."""
        stall = Stall(self.stall_s)
        self._roles[role] = reading, stall
        return stall

    def live(self) -> list[Check]:
        """Whether a restart would help."""
        now_s = self.now_s()
        return [Check("event-loop", True, "answers")] + [
            stall.check(role, now_s) for role, (_, stall) in self._roles.items()
        ]

    def ready(self) -> list[Check]:
        """Whether the worker does its work."""
        if not self._roles:
            return [Check("started", False, self.starting)]
        return [check for role, (reading, _) in self._roles.items() for check in _ready(role, reading)]


def _ready(role: str, reading: Reading) -> Iterable[Check]:
    if reading.crashed:
        yield Check(f"{role}-running", False, "failed, and about to start again")
        return
    if reading.idle:
        yield Check(f"{role}-recovered", True, "no partition is left for this worker")
        return
    yield Check(f"{role}-recovered", reading.ready, "works" if reading.ready else "joining the group, or recovering")
    if reading.ready:
        age_s = reading.checkpoint_age_s
        yield Check(f"{role}-checkpoint", age_s < CHECKPOINT_AGE_MAX_S, f"{age_s:.1f} s old")


def page(checks: Iterable[Check], *, verbose: bool) -> tuple[bool, str]:
    """Whether all is well, and the page that says so, in the manner of Kubernetes' own.

    >>> page([Check("ping", True, "fine"), Check("lag", False, "stands")], verbose=True)
    (False, '[+]ping ok: fine\\n[-]lag failed: stands\\nfailed\\n')
    >>> page([Check("ping", True, "fine")], verbose=False)
    (True, 'ok\\n')
    """
    checks = list(checks)
    well = all(check.ok for check in checks)
    lines = [f"[{'+' if c.ok else '-'}]{c.name} {'ok' if c.ok else 'failed'}: {c.detail}" for c in checks]
    shown = lines if verbose else [line for line, check in zip(lines, checks, strict=True) if not check.ok]
    return well, "\n".join([*shown, "ok" if well else "failed", ""])
