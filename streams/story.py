"""The story of an alert for people: what was said, why, from which events, and whether it is true."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.cards import card
from streams.explain import Explanation, Revision
from streams.terminal import printable

EVENTS_SHOWN: Final = 12
DATA_CHARS: Final = 60


def tell(story: Explanation, console: Console) -> None:
    """Print an explanation."""
    for revision in story.revisions:
        console.print(card_of(revision))
        console.print(sum_of(revision))
        if (events := events_of(revision)).row_count:
            console.print(events)
        console.print(Text(proof_of(revision), "green" if revision.derived_again else "bold red"))
        console.print()
    console.print(Text(verdict_on(story), "green" if story.proven else "bold red"))


def card_of(revision: Revision) -> object:
    """The card that `alerts tail` shows."""
    from schemas.alerts import AlertEvent

    alert = revision.alert
    return card(
        AlertEvent(
            id=f"{alert.alert_id}.{alert.revision}",
            type=revision.type,  # type: ignore[arg-type] # it was read as one
            subject=alert.customer_id,
            time=alert.as_of,
            data=alert,
        )
    )


def sum_of(revision: Revision) -> Table:
    """How the probability adds up: strength × weight, signal by signal."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    for _ in range(4):
        table.add_column(justify="right")
    table.add_row("[dim]adds up from", "[dim]strength", "[dim]× weight", "[dim]= log-odds", "[dim]since last")
    for cause in revision.causes:
        since = "" if cause.since_last is None else f"{cause.since_last:+.2f}"
        table.add_row(
            Text(printable(cause.code)),
            f"{cause.strength:.2f}",
            f"{cause.weight:+.2f}",
            f"{cause.contribution:+.2f}",
            since,
        )
    table.add_row("base rate", "", "", f"{revision.base:+.2f}", "")
    table.add_row(
        f"[bold]together → {revision.churn_probability:.1%} to leave", "", "", f"[bold]{revision.log_odds:+.2f}", ""
    )
    return table


def events_of(revision: Revision) -> Table:
    """The events that carry the reasons, oldest first."""
    seen = {evidence.offset: evidence for cause in revision.causes for evidence in cause.evidence}
    table = Table.grid(padding=(0, 2))
    for offset in sorted(seen)[-EVENTS_SHOWN:]:
        evidence = seen[offset]
        data = bytes(evidence.data).decode()
        shown = data if len(data) <= DATA_CHARS else data[: DATA_CHARS - 1] + "…"
        table.add_row(
            Text(evidence.time), Text(evidence.type, "cyan"), Text(printable(shown)), Text(f"offset {offset}", "dim")
        )
    return table


def proof_of(revision: Revision) -> str:
    """One line on whether this revision follows from the journal."""
    if revision.derived_again:
        return f"✔ derived again: the same {revision.bytes_said} bytes (SHA-256 {revision.sha256[:16]}…)"
    return "✘ not derived again: what the journal gives now differs from what was said"


def verdict_on(story: Explanation) -> str:
    """The last line: what was read, and what it proves."""
    read = (
        f"{story.records:,} records of journal partition {story.partition} from offset {story.first_offset}, "
        f"{story.events:,} of them about {story.customer_id}"
    )
    if story.proven:
        return f"Proven from {read}."
    why = (
        "another policy or model may have been in force (give it with --policy)"
        if story.complete
        else "the journal no longer reaches back to the customer's first event"
    )
    return f"Not proven from {read}: {why}."
