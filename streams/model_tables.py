"""Models for people: which decides, how those beside it do, which can come back, and what one of them weighs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.table import Table
from rich.text import Text

from schemas.insights_models import Models, Retained
from streams.terminal import printable

SHOWN: Final = 20


def tables(row: Models) -> Iterator[Table]:
    """The kinds of model beside each other, then those that can come back."""
    beside = Table(
        "model", "", "outcomes", "log loss", "better than what decides (95 %)", title="asked before they learn"
    )
    for each in row.contenders:
        state = "decides" if each.decides else "" if each.may_decide else "only scored"
        loss = f"{each.log_loss:.4f}" if each.log_loss is not None else "–"
        gain = "–"
        if not each.decides and each.gain is not None and each.gain_low is not None and each.gain_high is not None:
            gain = f"{each.gain:+.4f} ({each.gain_low:+.4f} to {each.gain_high:+.4f}), {each.compared:,} outcomes"
        beside.add_row(_said(each.model), state, f"{each.outcomes:,}", loss, gain)
    yield beside
    kept = Table(
        "version", "", "handed over", "outcomes", "AUC then", "log loss then", title="handed over, the newest first"
    )
    for old in reversed(row.retained):
        state = "in force" if old.version == row.in_force else "gone back from" if old.went_back else ""
        auc = f"{old.auc:.3f}" if old.auc is not None else "–"
        loss = f"{old.log_loss:.4f}" if old.log_loss is not None else "–"
        kept.add_row(_said(old.version), state, _said(old.handed_over_at), f"{old.examples:,}", auc, loss)
    yield kept


def weights_of(model: Retained) -> Table:
    """What a model weighs most."""
    title = _said(f"{model.version}: log-odds, the intercept is {model.intercept:+.3f}")
    found = Table("weight", "of", title=title)
    numbers = sorted({**model.weights, **model.features}.items(), key=lambda item: (-abs(item[1]), item[0]))
    for name, weight in numbers[:SHOWN]:
        found.add_row(f"{weight:+.3f}", _said(name))
    return found


def _said(text: str) -> Text:
    """Text that is never read as markup: a plan in it has the name that somebody published."""
    return Text(printable(text))
