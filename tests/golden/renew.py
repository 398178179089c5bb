"""The golden lives: each story through a whole replay, its alerts in full, and the page that an agent reads.

`python -m tests.golden.renew` writes all of them anew; do so after a change that is meant, and read the difference.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from schemas.alerts import AlertEvent, decode_alert
from streams.replay import run
from streams.replay_options import ReplayOptions
from tests.detectors.lives import START_S
from tests.golden.stories import STORIES, everybody_else

LIVES = Path(__file__).parent / "lives"
NOW_S = START_S + 10_000 * 86_400.0


def alerts_of(name: str) -> bytes:
    """Every alert revision of a story, as JSON lines."""
    with tempfile.TemporaryDirectory(prefix="churnwatch-golden-") as folder:
        events, alerts = Path(folder, "events.jsonl"), Path(folder, "alerts.jsonl")
        events.write_bytes(b"\n".join([*STORIES[name](), *everybody_else()]) + b"\n")
        run(ReplayOptions((str(events),), alerts=str(alerts), now_s=NOW_S))
        return alerts.read_bytes()


def page(name: str, lines: bytes) -> str:
    """What a retention agent reads of a story, one block per revision."""
    blocks = [block(decode_alert(line)) for line in lines.splitlines()]
    told = (STORIES[name].__doc__ or "").strip()
    return f"{name}: {told}\n\n" + "\n".join(blocks)


def block(event: AlertEvent) -> str:
    """One revision: when and what, how likely, why and why now, what to do, what is at stake."""
    a = event.data
    was = "" if a.previous_probability is None else f", was {a.previous_probability:.1%}"
    lines = [
        f"{a.as_of}  {event.type.split('.')[2]}, {a.status}, revision {a.revision}",
        f"    {a.risk_level}: {a.churn_probability:.1%}{was}, {a.trend}; {a.churn_type}, {a.lifecycle_stage}, "
        f"win-back {a.win_back_potential:.2f}",
    ]
    for reason in a.reasons:
        evidence = f"  ({len(reason.evidence)} events)" if reason.evidence else ""
        lines.append(
            f"    {reason.contribution:+.2f} ({reason.since_last:+.2f})  {reason.code}: {reason.text}{evidence}"
        )
    lines += [f"    > {action.text}" for action in a.recommended_actions]
    if a.revenue_at_risk is not None:
        risk = a.revenue_at_risk
        lines.append(f"    {risk.mrr:.2f} {risk.currency} a month, {risk.expected_loss:.2f} at stake")
    if a.common_cause is not None:
        lines.append(f"    shared with others: {a.common_cause}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write all golden lives; 0 when done."""
    for name in STORIES:
        lines = alerts_of(name)
        (LIVES / f"{name}.alerts.jsonl").write_bytes(lines)
        (LIVES / f"{name}.txt").write_text(page(name, lines))
        print(f"{name}: {len(lines.splitlines())} revisions", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
