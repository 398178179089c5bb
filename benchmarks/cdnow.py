"""The CDNOW purchase log as events: 69,659 purchases of 23,570 customers, January 1997 to June 1998.

Fader and Hardie (2001), "Forecasting repeat sales at CDNOW". The log ships in the PyPI package `lifetimes`, which is
only looked up here: nothing of it is imported, so its own dependencies are not needed.

    python -m benchmarks.cdnow --out cdnow.jsonl
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from streams.lines import open_output

PURCHASES: Final = 69_659
CUSTOMERS: Final = 23_570
SOURCE: Final = "/cdnow"
NOON: Final = "T12:00:00Z"
"""The log knows days only."""


class Purchase(NamedTuple):
    """One line of the log: customer, day as YYYY-MM-DD, number of CDs, and dollars paid."""

    customer_id: str
    day: str
    items: int
    amount: float


def find_log() -> Path:
    """The file in the installed package; raises SystemExit with a hint if it is not installed."""
    try:
        listed = files("lifetimes") or []
    except PackageNotFoundError:
        raise SystemExit("the CDNOW log is not installed: pip install --no-deps lifetimes==0.11.3") from None
    for file in listed:
        if file.name == "CDNOW_master.txt":
            return Path(str(file.locate()))
    raise SystemExit("the installed package lifetimes has no CDNOW_master.txt")


def read_log(path: Path) -> list[Purchase]:
    """Every purchase in the order of the log, after its heading; raises ValueError if it is another log."""
    purchases: list[Purchase] = []
    for line in path.read_text(encoding="ascii").splitlines()[1:]:
        customer_id, day, items, amount = line.split()
        purchases.append(Purchase(customer_id, f"{day[:4]}-{day[4:6]}-{day[6:]}", int(items), float(amount)))
    customers = len({purchase.customer_id for purchase in purchases})
    if (len(purchases), customers) != (PURCHASES, CUSTOMERS):
        raise ValueError(f"{path} holds {len(purchases)} purchases of {customers} customers, not the CDNOW log")
    return purchases


def events(purchases: Iterable[Purchase]) -> Iterator[bytes]:
    """A `billing.order.placed` event per purchase, in time order; ids follow from customer, day and count."""
    seen: Counter[tuple[str, str]] = Counter()
    for purchase in sorted(purchases, key=lambda purchase: (purchase.day, purchase.customer_id)):
        place = (purchase.customer_id, purchase.day)
        seen[place] += 1
        order_id = f"{purchase.customer_id}-{purchase.day}-{seen[place]}"
        event = {
            "specversion": "1.0",
            "id": order_id,
            "source": SOURCE,
            "type": "billing.order.placed",
            "subject": f"cdnow-{purchase.customer_id}",
            "time": purchase.day + NOON,
            "data": {"order_id": order_id, "amount": purchase.amount, "items": purchase.items},
        }
        yield msgspec.json.encode(event)


def main() -> None:
    """Write the events to the file named by `--out`."""
    parser = argparse.ArgumentParser(description="Write the CDNOW purchase log as events.")
    parser.add_argument("--out", default="-", help="a file (.gz and .zst are packed), or - for standard output")
    out = parser.parse_args().out
    lines = [event + b"\n" for event in events(read_log(find_log()))]
    with open_output(out) as file:
        file.writelines(lines)
    print(f"{len(lines):,} events", file=sys.stderr)


if __name__ == "__main__":
    main()
