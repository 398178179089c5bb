"""docs/scale.md: what a load needs, reckoned from what was measured. `python -m benchmarks.sizing` writes it anew.

Rules: a measured number comes from benchmarks/results.md by the name of its row; what is chosen is a constant here with
its reason; everything else is arithmetic, and the page says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.report import RESULTS
from schemas.topics import DAY_MS, JOURNAL, TOPICS

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "scale.md"
TEXT: Final = ROOT / "benchmarks" / "scale.md.in"
HEADROOM: Final = 2  # half of a core in use at the peak: room to catch up, and for a worker that is gone
EVENT_BYTES: Final = 170  # mean of an event in the benchmarks
CORE_HOUR: Final = 0.04  # what clouds ask for one, order of magnitude, in dollars or euros
COPIES: Final = 3
JOURNAL_D: Final = (TOPICS[JOURNAL].retention_ms or 0) / DAY_MS
INPUTS_D: Final = (TOPICS["usage.events"].retention_ms or 0) / DAY_MS
MONTH_D: Final = 30
CHECKPOINTS_S: Final = 10  # a partition's transactions a second at CHURNWATCH_CHECKPOINT_MS 100
TICKS_S: Final = 4  # at CHURNWATCH_TICK_MS 250


class Load(NamedTuple):
    """A business: its customers, its events a second at the peak, and the partitions that it would choose."""

    customers: int
    events_s: int
    partitions: int


LOADS: Final = (Load(100_000, 100, 12), Load(10_000_000, 20_000, 24), Load(500_000_000, 1_000_000, 512))


class Measured(NamedTuple):
    """What one machine did; speeds are per second and core that the broker shares."""

    busy: float
    quiet: float
    intake: float
    peer: float
    cold_bytes: float
    state_bytes: float
    recovery_s: float
    long_recovery_s: float


ROWS: Final = (
    r"worker from the journal, transactions on, Zipf, 20,000 customers",
    r"worker from the journal, transactions on, uniform, 200,000 customers",
    r"intake: checked, and appended to the journal in transactions",
    r"stock Faust, agent and Table, Zipf, 20,000 customers",
    r"memory per cold customer, 200,000 customers",
    r"changelog bytes per state, mean, uniform, 200,000 customers",
    r"recovery of 200,000 customers, from assignment to ready",
    r"the same after the run, [\d,]+ changelog records",
)
"""The rows of the fields of Measured, in their order."""


def measured(results: str) -> Measured:
    """The numbers of a results page; raises ValueError for a row that is not there.

    >>> measured("")
    Traceback (most recent call last):
    ValueError: no row: worker from the journal, transactions on, Zipf, 20,000 customers
    """
    values = []
    for row in ROWS:
        found = re.search(rf"^\| {row} \| ([\d.,]+) ", results, re.MULTILINE)
        if found is None:
            raise ValueError(f"no row: {row}")
        values.append(float(found[1].replace(",", "")))
    return Measured(*values)


def workers(load: Load, m: Measured) -> int:
    """Cores, a worker each; one to spare is not counted.

    >>> workers(Load(1, 20_000, 24), Measured(*[10_000.0] * 8))
    4
    """
    return math.ceil(load.events_s / m.quiet * HEADROOM)


def amount(value: float) -> str:
    """A size in bytes, or a number of them a second, with two digits.

    >>> amount(1_400_000.0), amount(23_500_000_000.0)
    ('1.4 MB', '24 GB')
    """
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while value >= 995 and unit != "TB":
        value, unit = value / 1_000, next(units)
    return f"{value:.1f} {unit}" if value < 9.95 else f"{rounded(value)} {unit}"


def rounded(value: float) -> str:
    """A number with two digits.

    >>> rounded(12_345.0), rounded(0.0017), rounded(61.0)
    ('12,000', '0.0017', '61')
    """
    digits = 1 - math.floor(math.log10(value))
    return f"{round(value, digits):,.{max(digits, 0)}f}"


def columns(m: Measured) -> list[tuple[str, list[str]]]:
    """The table of loads, by rows."""

    def of(reckon: Callable[[Load], str]) -> list[str]:
        return [reckon(load) for load in LOADS]

    def recovery(load: Load) -> str:
        share = load.customers / workers(load, m) / 200_000
        return f"{rounded(share * m.recovery_s)}–{rounded(share * m.long_recovery_s)} s"

    return [
        ("customers", of(lambda load: f"{load.customers:,}")),
        ("events/s at the peak", of(lambda load: f"{load.events_s:,}")),
        ("workers (cores), and one to spare", of(lambda load: f"{workers(load, m):,}")),
        ("journal partitions", of(lambda load: f"{load.partitions}")),
        ("states, all workers", of(lambda load: amount(load.customers * m.cold_bytes))),
        ("states of one worker", of(lambda load: amount(load.customers * m.cold_bytes / workers(load, m)))),
        ("recovery of one worker", of(recovery)),
        ("changelog on disk, one copy", of(lambda load: amount(2 * load.customers * m.state_bytes))),
        (
            "changelog at the peak, every event of another customer",
            of(lambda load: amount(load.events_s * m.state_bytes) + "/s"),
        ),
        (
            "journal on disk at half of the peak, three copies",
            of(lambda load: amount(load.events_s / 2 * EVENT_BYTES * JOURNAL_D * 86_400 * COPIES)),
        ),
        (
            "cores a month, at the peak all the time",
            of(lambda load: f"{rounded(workers(load, m) * CORE_HOUR * 24 * MONTH_D)}"),
        ),
    ]


def scale_page(results: str) -> str:
    """docs/scale.md, by a results page."""
    m, big = measured(results), LOADS[-1]
    date = re.search(r"\d{4}-\d{2}-\d{2}", results)
    rows = [f"| {name} | {' | '.join(cells)} |" for name, cells in columns(m)]
    seconds = 1_000_000 / m.quiet
    kept_bytes = 1_000_000 * EVENT_BYTES * COPIES
    said = {
        "date": date[0] if date else "?",
        "busy": f"{m.busy:,.0f}",
        "quiet": f"{m.quiet:,.0f}",
        "intake": f"{m.intake:,.0f}",
        "peer": f"{m.peer:,.0f}",
        "cold": f"{m.cold_bytes / 1_000:.1f} kB",
        "state": f"{m.state_bytes / 1_000:.1f} kB",
        "recovery": f"{m.recovery_s:.1f} s, {m.long_recovery_s:.1f} s",
        "loads": "\n".join(rows),
        "million_s": rounded(seconds),
        "million_core_s": rounded(2 * seconds),
        "million_costs": rounded(2 * seconds / 3_600 * CORE_HOUR),
        "core_hour": f"{CORE_HOUR}",
        "journal_gb": rounded(kept_bytes * JOURNAL_D / MONTH_D / 1e9),
        "inputs_gb": rounded(kept_bytes * INPUTS_D / MONTH_D / 1e9),
        "big_events": f"{big.events_s:,}",
        "big_changelog": amount(big.events_s * m.state_bytes),
        "big_partitions": f"{big.partitions}",
        "big_transactions": rounded(2 * big.partitions * CHECKPOINTS_S),
        "big_transactions_loaded": rounded(2 * big.partitions),
        "big_ticks": rounded(big.partitions * TICKS_S),
    }
    page = TEXT.read_text()
    for name, value in said.items():
        page = page.replace(f"{{{name}}}", value)
    return page


if __name__ == "__main__":
    PAGE.write_text(scale_page(RESULTS.read_text()))
