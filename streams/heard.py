"""When a feed is worth mentioning: something of it happened in a span of time of which nothing was known.

Rules: the journal's folds must know that a feed is alive even if none of their own customers uses it, so one record
goes to every journal partition, once per span and feed. Spans are short against the grace of the policy (a day), and
long against the events: the records are a few in a day. Spans of the past count too, as customers' histories may be
told one after the other: else what one of them did not do would look like a silence of all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from detectors.feeds import LOST_ASKED_S
from schemas.events import EVENT_TYPES, TOPIC_OF_TYPE
from schemas.journal import encode_heard
from schemas.topics import INPUT_TOPICS
from streams.engine.transactions import NO_HEADERS, Write

WALL_SPAN_S: Final = 3_600
EVENTS_SPAN_S: Final = 6 * 3_600  # of event time: a year of history is read in minutes

TOPIC_OF: Final[dict[Any, str]] = {made: TOPIC_OF_TYPE[name] for name, made in EVENT_TYPES.items()}
"""Class of an event's data → its input topic, without prefix."""


class Heard:
    """Per input topic (without prefix) the spans of as long as anybody asks for in which something came.

    >>> heard = Heard(3_600)
    >>> [heard.is_news("usage.events", time_s) for time_s in (7_200, 7_300, 10_800, 7_100, 7_200)]
    [True, False, True, True, False]
    """

    def __init__(self, span_s: int) -> None:
        self.span_s, self._asked = span_s, LOST_ASKED_S // span_s
        self._known: dict[str, set[int]] = {}
        self._newest: dict[str, int] = {}

    def is_news(self, topic: str, time_s: int) -> bool:
        """Whether an event of this time opens a new span of its topic; it counts from here on."""
        span = time_s // self.span_s
        known = self._known.setdefault(topic, set())
        newest = self._newest.get(topic, span)
        if span in known or span < newest - self._asked:
            return False
        known.add(span)
        if span >= newest:
            self._newest[topic] = span
            if len(known) > 2 * self._asked:
                known.difference_update([old for old in known if old < span - self._asked])
        return True


def heard_write(topic: str, time_s: int) -> Write:
    """The record that goes to every journal partition."""
    return None, encode_heard(topic, time_s), NO_HEADERS


def topics_by_name(named: Iterable[str]) -> dict[str, str]:
    """Real topic name → input topic without prefix.

    >>> topics_by_name(f"staging.{topic}" for topic in INPUT_TOPICS)["staging.usage.events"]
    'usage.events'
    """
    return dict(zip(named, INPUT_TOPICS, strict=True))
