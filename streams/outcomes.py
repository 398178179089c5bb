"""What became of the customers of a replay: who left, when it was said, how far ahead."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from detectors.customer import DAY_S
from detectors.feeds import BILLING
from detectors.policy import Policy
from detectors.quality import Judged, Quality
from schemas.alerts import Alert
from schemas.billing import OrderPlaced, SubscriptionCancelled, SubscriptionRenewed, SubscriptionStarted
from schemas.events import TOPIC_OF_TYPE, TYPE_OF, Event
from schemas.scores import ScoreRow
from schemas.usage import FeatureUsed, SessionEnded, SessionStarted

LABELS = (SubscriptionCancelled, OrderPlaced, SubscriptionStarted, SubscriptionRenewed)
USE = (SessionStarted, SessionEnded, FeatureUsed, OrderPlaced)


class Landmark(NamedTuple):
    """Who was given which probability at a time."""

    time_s: int
    customers: list[str]
    p: list[float]
    groups: list[tuple[str, ...]]  # that each is of


class Gone(NamedTuple):
    """One who left: when, and how many days after the newest alert that was opened before; None: there was none."""

    customer_id: str
    left_s: float
    lead_days: float | None


class Outcomes:
    """Collects labels from the events, probabilities at landmarks, and alerts; judges them at the end."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.every_s = policy.churn.landmark_days * DAY_S
        self.horizon_s = policy.churn.horizon_days * DAY_S
        self.alerts: Counter[str] = Counter()
        self._left: dict[str, list[float]] = {}
        self._ordered: dict[str, list[float]] = {}
        self._subscribed: set[str] = set()
        self._used: dict[str, set[int]] = {}  # customer → days with activity
        self._has_billing = False
        self._landmarks: list[Landmark] = []
        self._opened: dict[str, list[float]] = {}
        self._end_s = 0
        self._seen: set[tuple[str, str]] = set()

    def happened(self, event: Event, event_s: float) -> None:
        """Take note of an event that says who left or stayed."""
        kind = type(event.data)
        if kind in USE:
            self._used.setdefault(event.subject, set()).add(int(event_s) // DAY_S)
        self._has_billing = self._has_billing or TOPIC_OF_TYPE[TYPE_OF[kind]] == BILLING
        if kind in LABELS:
            identity = (event.source, event.id)
            if identity in self._seen:
                return
            self._seen.add(identity)
        if kind is SubscriptionCancelled:
            self._left.setdefault(event.subject, []).append(event_s)
        elif kind is OrderPlaced:
            self._ordered.setdefault(event.subject, []).append(event_s)
        elif kind is SubscriptionStarted or kind is SubscriptionRenewed:
            self._subscribed.add(event.subject)

    def alerted(self, alert: Alert) -> None:
        """Take note of an alert revision."""
        change = "opened" if alert.revision == 1 else alert.status
        self.alerts[change] += 1
        if alert.revision == 1 and alert.lifecycle_stage != "churned":  # winning back is no warning
            from streams.durations import parse_time_s

            self._opened.setdefault(alert.customer_id, []).append(parse_time_s(alert.opened_at))

    def landmark(self, time_s: int, rows: Sequence[ScoreRow], groups: Mapping[str, tuple[str, ...]]) -> None:
        """Take note of the probabilities of everybody who has not left, and of the groups that each is of."""
        staying = [row for row in rows if row.lifecycle_stage != "churned"]
        self._landmarks.append(
            Landmark(
                time_s,
                [row.customer_id for row in staying],
                [row.churn_probability for row in staying],
                [groups[row.customer_id] for row in staying],
            )
        )

    def ends(self, end_s: int) -> None:
        """Say up to when outcomes are known: later landmarks cannot be judged."""
        for times in (*self._left.values(), *self._ordered.values()):
            times.sort()
        self._end_s = end_s

    def left_after(self, customer_id: str, time_s: int) -> bool:
        """Whether a customer left within the horizon: said so, (orders alone) ordered nothing, or did nothing at all.

        The last where policy says so, and where nothing is known of subscriptions or orders, of anybody.
        """
        definition = self.policy.churn.definition
        orders = self._ordered.get(customer_id)
        if definition == "auto" and orders is not None and customer_id not in self._subscribed:
            return not _any_within(orders, time_s, self.horizon_s)
        said_so = _any_within(self._left.get(customer_id, ()), time_s, self.horizon_s)
        if definition == "inactivity" or (definition == "auto" and not self._has_billing):
            days = range(time_s // DAY_S, (time_s + self.horizon_s) // DAY_S)
            return said_so or self._used.get(customer_id, set()).isdisjoint(days)
        return said_so

    def quality(self) -> Quality | None:
        """How good the probabilities were; None while no landmark's horizon has passed."""
        judged = Judged(self.budget_share)
        for landmark, left in self.known():
            judged.landmark(landmark.p, left)
        return judged.quality() if judged.p else None

    @property
    def budget_share(self) -> float:
        """Of the customers of a landmark, how many can be acted on."""
        return self.policy.alerts.budget_per_week_per_1000 / 1000 * self.policy.churn.landmark_days / 7

    def known(self) -> Iterator[tuple[Landmark, list[int]]]:
        """Every landmark whose horizon has passed, with 1 for each of its customers who left, else 0."""
        for landmark in self._landmarks:
            if landmark.time_s + self.horizon_s <= self._end_s and landmark.p:
                yield landmark, [int(self.left_after(customer, landmark.time_s)) for customer in landmark.customers]

    def gone(self) -> Iterator[Gone]:
        """Everybody who left by saying so, each time."""
        for customer, times in self._left.items():
            opened = self._opened.get(customer, [])
            for i, left_s in enumerate(times):
                since_s = times[i - 1] if i else float("-inf")  # alerts of a former life warned of that one
                before = [at for at in opened if since_s < at < left_s]
                yield Gone(customer, left_s, (left_s - max(before)) / DAY_S if before else None)


def lead_of(gone: Sequence[Gone]) -> tuple[int, int, float | None]:
    """How many left, how many of them after an alert was opened, and the median days from alert to leaving."""
    leads = [each.lead_days for each in gone if each.lead_days is not None]
    return len(gone), len(leads), median(leads) if leads else None


def _any_within(times: Sequence[float], time_s: int, horizon_s: int) -> bool:
    i = bisect_right(times, time_s)
    return i < len(times) and times[i] <= time_s + horizon_s
