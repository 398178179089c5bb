"""One insight as people read it: its sentence, then every figure; what there are several of, as a table."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.insights import Row
from streams.terminal import printable

HEADS: Final = ("kind", "insight_id", "as_of", "text")
FLOAT: Final = ".3g"
MIDNIGHT: Final = "T00:00:00Z"


def insight_card(row: Row) -> RenderableType:
    """The card of one insight, of any kind."""
    fields = row.fields
    body: list[RenderableType] = [_said(fields.get("text", "")), Text()]
    plain = {name: value for name, value in fields.items() if name not in HEADS and not _is_table(value)}
    body.append(_plain(plain))
    for name, value in fields.items():
        if _is_table(value):
            body += [Text(), _table(name, value)]
    return Panel(
        Group(*body),
        title=_said(row.insight_id, "bold"),
        title_align="left",
        subtitle=_said(fields.get("as_of", ""), "dim"),
        subtitle_align="right",
    )


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _plain(fields: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields.items():
        table.add_row(_said(name), _said(shown(value)))
    return table


def _table(name: str, rows: list[dict[str, Any]]) -> Table:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = Table(title=_said(name), title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        numbers = all(isinstance(row.get(column), int | float | None) for row in rows)
        table.add_column(_said(column), justify="right" if numbers else "left", header_style="cyan", overflow="fold")
    for row in rows:
        table.add_row(*(_said(shown(row.get(column))) for column in columns))
    return table


def _said(value: Any, style: str = "") -> Text:
    """Text that is never read as markup: names in it are what somebody has published."""
    return Text(printable(str(value)), style)


def shown(value: Any) -> str:
    """A value as text.

    >>> shown(None), shown(True), shown(0.123456), shown(12), shown(["a", "b"]), shown({"a": 1, "b": None})
    ('–', 'yes', '0.123', '12', 'a, b', 'a 1, b –')
    >>> shown("2026-03-04T00:00:00Z")
    '2026-03-04'
    """
    if value is None or value in ([], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format(value, FLOAT)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(of)}" for name, of in value.items())
    return str(value).removesuffix(MIDNIGHT)
