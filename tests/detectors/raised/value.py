"""F. Value and innovation: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised, alive, sessions

RAISED = {
    "value.usage_drop": Raised(
        [
            *sessions(range(20, 42), per_day=2),
            *sessions(range(44, 66, 4)),
            event("usage.session.started", 64, customer="c-2"),  # the feed is alive
        ],
        65.5,
        0.5,
        "Activity fell by 69%: 2 uses in the last 7 days, where 6 were usual; it was 82% less 14 days ago already.",
        [*sessions(range(20, 42), per_day=2), *sessions(range(54, 66), per_day=2)],  # a holiday
    ),
    "value.silence": Raised(
        [*sessions(range(0, 22, 7)), event("usage.session.started", 49, customer="c-2")],
        49,
        0.4,
        "Nothing heard for 28 days; usually no more than 7 days pass between one day of use and the next.",
        sessions(range(0, 50, 7)),
    ),
    "value.shallow_use": Raised(
        [
            *[event("usage.feature.used", d, feature=f) for d, f in enumerate(("board", "export", "sync", "tags"), 10)],
            *[event("usage.feature.used", d, feature="board") for d in (50, 52)],
            *[event("usage.feature.used", d, feature="chat") for d in (51, 53)],
        ],
        60,
        0.5,
        "2 features used in the last 28 days, 4 in the 28 days before; no longer: export, sync, tags.",
        [event("usage.feature.used", d, feature=f) for f in ("board", "export", "sync") for d in (10, 20, 40, 50)],
    ),
    "value.no_news_used": Raised(
        [
            *[event("usage.feature.released", d, feature=f) for f, d in (("tags", 1), ("chat", 20), ("map", 25))],
            event("usage.feature.used", 19, feature="chat"),
            event("usage.feature.used", 26, feature="map"),
            event("usage.feature.released", 55, feature="poll"),
            alive(59.9),
        ],
        60,
        0.3,
        "2 of 3 features released in 90 days were never tried: chat, tags.",
        [
            *[event("usage.feature.released", d, feature=f) for f, d in (("tags", 1), ("chat", 20))],
            event("usage.feature.used", 21, feature="chat"),
        ],
    ),
    "value.seats_shrinking": Raised(
        [event("usage.seats.changed", 10, old=10, new=8), event("usage.seats.changed", 40, old=8, new=7)],
        60,
        0.7,
        "Seats fell by 30% in 90 days, from 10 to 7.",
        [event("usage.seats.changed", 10, old=10, new=8), event("usage.seats.changed", 40, old=8, new=12)],
    ),
}
