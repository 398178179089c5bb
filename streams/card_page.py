"""A model's card as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.insights_card import Figure, GroupCard, ModelCard, Weighed

GROUPS_SHOWN: Final = 12
MOVED_SHOWN: Final = 10
WORSE: Final = {
    "ranks_worse": "ranks worse than over all",
    "says_too_much": "says too much",
    "says_too_little": "says too little",
}
CHOSEN: Final = {
    "learner": "by the learner",
    "promote": "somebody promoted its kind",
    "rollback": "somebody went back to it",
}


def card_page(card: ModelCard) -> str:
    """The card as Markdown, with a line end."""
    parts = [_head(card), _learned(card), _quality(card), _groups(card), _weights(card), _drift(card), _beside(card)]
    limits = "\n".join(["## Limits", "", *(f"* {limit}" for limit in card.limits)])
    return "\n\n".join([*parts, limits]) + "\n"


def _head(card: ModelCard) -> str:
    why = f" ({_plain(card.reason)})" if card.reason else ""
    return "\n".join(
        [
            f"# Model card: {card.version}",
            "",
            f"The probability that a customer leaves within {card.horizon_days} days. {_plain(card.text)}",
            "",
            "| | |",
            "| --- | --- |",
            f"| as of | {card.as_of} |",
            f"| kind | {card.model}, chosen: {CHOSEN[card.chosen_by]}{why} |",
            f"| confidence | {card.confidence} |",
            f"| leaving | `{card.definition}` |",
            f"| policy | {_plain(card.policy_version)} |",
            f"| features | {card.feature_space:08x} |",
            f"| release | {card.release or '–'} |",
        ]
    )


def _learned(card: ModelCard) -> str:
    span = f", landmarks from {card.first_landmark} to {card.last_landmark}" if card.first_landmark else ""
    lines = [
        "## What it learned from",
        "",
        f"{card.examples:,} outcomes; the learner by now {card.learned:,}, of which {card.learned_left:,} of customers "
        f"who left{span}. One landmark is a customer on one day; an outcome is known {card.horizon_days} days later.",
    ]
    if card.refused:
        lines += ["", "Refused: " + ", ".join(f"{n:,} × {reason}" for reason, n in card.refused.items()) + "."]
    return "\n".join(lines)


def _quality(card: ModelCard) -> str:
    since = card.judged_since or "ever"
    lines = [
        "## How good it is",
        "",
        f"By {card.judged:,} landmarks since {since}, {card.judged_left:,} of them of customers who left; "
        "probabilities as they were given before. Intervals are of 95 %, outcomes of one horizon counted once.",
        "",
        "| | |",
        "| --- | --- |",
        f"| AUC, within four weeks | {_of(card.auc)} |",
        f"| average precision | {_of(card.average_precision)} |",
        f"| log loss | {_of(card.log_loss)} |",
        f"| precision at the alert budget | {_share(card.precision_at_budget)} |",
        f"| calibration error | {_number(card.calibration_error)} |",
        f"| given, mean | {_share(card.given)} |",
        f"| left | {_range(card.observed)} |",
    ]
    if card.reliability:
        lines += ["", "| given | left | 95 % | landmarks |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {row.given:.1%} | {row.observed:.1%} | {row.observed_low:.1%} – {row.observed_high:.1%} "
            f"| {row.outcomes:,} |"
            for row in card.reliability
        ]
    return "\n".join(lines)


def _groups(card: ModelCard) -> str:
    worse = [group for group in card.groups if group.worse]
    shown = [*worse, *(group for group in card.groups if not group.worse)][: max(GROUPS_SHOWN, len(worse))]
    said = f"{len(worse)} of {len(card.groups)} groups, beyond chance." if worse else "For no group that is certain."
    lines = ["## For whom it is worse", "", said]
    if shown:
        lines += ["", "| group | landmarks | AUC | given | left | |", "| --- | --- | --- | --- | --- | --- |"]
        lines += map(_group, shown)
    return "\n".join(lines)


def _group(group: GroupCard) -> str:
    what, name = ", ".join(WORSE[word] for word in group.worse), _plain(group.group)
    cells = name, f"{group.outcomes:,}", _of(group.auc), f"{group.given:.1%}", _range(group.observed), what
    return f"| {' | '.join(cells)} |"


def _weights(card: ModelCard) -> str:
    about = "Log-odds at full strength of a signal, or per unit of a feature; and the share of all that moves it."
    lines = ["## By what", "", about, ""]
    lines += _table(card.weighed) if card.weighed else ["Nothing was learned from yet."]
    if card.turned:
        lines += ["", "Signals that outcomes have turned against the catalogue:", "", *_table(card.turned)]
    return "\n".join(lines)


def _table(weights: tuple[Weighed, ...]) -> Iterator[str]:
    yield from ("| | weight | before | share | |", "| --- | --- | --- | --- | --- |")
    for each in weights:
        name, meaning = _plain(each.name), _plain(each.meaning)
        yield f"| `{name}` | {each.weight:+.3f} | {each.prior:+.3f} | {each.share:.1%} | {meaning} |"


def _drift(card: ModelCard) -> str:
    lines = ["## What has moved", ""]
    lines += [f"* {row.as_of}: {row.text}" for row in card.drifts] or ["* Its error has not moved."]
    lines += [
        f"* `{_plain(moved.feature)}`: {moved.usual:.3g} → {moved.newest:.3g} ({moved.shift_sd:+.1f} sd), "
        f"{_plain(moved.meaning)}"
        for moved in card.features_moved[:MOVED_SHOWN]
    ] or ["* No feature has moved."]
    if len(card.features_moved) > MOVED_SHOWN:
        lines.append(f"* … and {len(card.features_moved) - MOVED_SHOWN} more, less far")
    return "\n".join(lines)


def _beside(card: ModelCard) -> str:
    lines = [
        "## Beside it",
        "",
        "| model | outcomes | log loss | better than what decides (95 %) |",
        "| --- | --- | --- | --- |",
    ]
    for each in card.contenders:
        gain = "decides" if each.decides else "–"
        if not each.decides and each.gain is not None:
            gain = f"{each.gain:+.4f} ({each.gain_low:+.4f} – {each.gain_high:+.4f})"
        lines.append(f"| {each.model} | {each.outcomes:,} | {_number(each.log_loss)} | {gain} |")
    return "\n".join(lines)


def _of(figure: Figure | None) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f} – {figure.high:.3f})" if figure else "too few outcomes"


def _range(figure: Figure | None) -> str:
    return f"{figure.value:.1%} ({figure.low:.1%} – {figure.high:.1%})" if figure else "–"


def _share(value: float | None) -> str:
    return f"{value:.1%}" if value is not None else "too few outcomes"


def _number(value: float | None) -> str:
    return f"{value:.4f}" if value is not None else "–"


def _plain(text: str) -> str:
    """Text of events in a table: no bars, no line ends, no backticks, no markup."""
    return "".join(" " if c.isspace() else c for c in text).replace("|", "/").replace("`", "'").replace("<", "&lt;")
