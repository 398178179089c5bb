"""What those who left had in common: each signal and each pair of signals, against everybody who stayed.

Rules:
* counters are whole numbers of landmarks, by the weight that each stands with; only sums are kept, so the order in
  which outcomes arrive makes no difference;
* the newest half year counts, and the one before it: a newer one pushes out the oldest, whatever the order;
* landmarks of one customer are not independent: they share their horizons, and a signal may last for months. So
  customers are dealt into SHARES by a hash, and an interval says by how much the figure moves when a share is left
  out. Nothing has to be kept per customer;
* for groups of customers sums alone are kept; how much wider than independent landmarks would have it an interval must
  be is known from everybody, signal by signal.
"""

import math
from collections.abc import Iterable
from itertools import combinations
from typing import Annotated, Final, NamedTuple

import msgspec
import xxhash
from msgspec import Meta

from detectors.customer import DAY_S
from detectors.learning.groups import ALL
from detectors.learning.space import SCALE, UNKNOWN

SHARES: Final = 21  # of customers; one less are the degrees of freedom, which must be even for `t_p_value`
SPAN_S: Final = 182 * DAY_S
SPANS: Final = 2
HAS: Final = SCALE // 10  # from this strength on a customer has a signal: the step in which growing ones are read
PAIR: Final = UNKNOWN  # first × PAIR + second is the number of a pair
T_95: Final = 2.086  # of 20 degrees of freedom
HAVING: Final = 10  # customers with it, counted once per horizon, before it is tried: never how many of them left
EXPECTED: Final = 5.0  # who left with it by chance; below, chance alone is Poisson's (Cochran, Biometrics, 1954)
ENOUGH: Final = 25  # who left, and who stayed, counted once per horizon
WRONG: Final = 0.05  # of what is found, at most so much by chance


class Counts(msgspec.Struct):
    """Landmarks: all, those of who left, and of both those with each signal or pair, by its number."""

    outcomes: int = 0
    left: int = 0
    having: dict[int, int] = {}
    left_having: dict[int, int] = {}

    def add(self, keys: Iterable[int], weight: int, left: bool) -> None:
        """Take up one landmark."""
        self.outcomes += weight
        having = self.having
        for key in keys:
            having[key] = having.get(key, 0) + weight
        if left:
            self.left += weight
            having = self.left_having
            for key in keys:
                having[key] = having.get(key, 0) + weight

    def plus(self, other: "Counts") -> None:
        """Add up."""
        self.outcomes += other.outcomes
        self.left += other.left
        for ours, theirs in ((self.having, other.having), (self.left_having, other.left_having)):
            for key, count in theirs.items():
                ours[key] = ours.get(key, 0) + count

    def cells(self, key: int, without: "Counts | None" = None) -> tuple[int, int, int, int]:
        """Those who left with it, all with it, all who left, all; less those of a share."""
        found = self.left_having.get(key, 0), self.having.get(key, 0), self.left, self.outcomes
        if without is None:
            return found
        less = without.cells(key)
        return found[0] - less[0], found[1] - less[1], found[2] - less[2], found[3] - less[3]


class Span(msgspec.Struct):
    """Half a year of landmarks: everybody by share, and groups of customers by name."""

    number: int
    shares: Annotated[list[Counts], Meta(min_length=SHARES, max_length=SHARES)]
    groups: dict[str, Counts] = {}


class Reason(NamedTuple):
    """A signal (`second` is 0) or a pair: what share of those who left had it, and what it does to leaving."""

    first: int
    second: int
    left_with: int
    outcomes_with: int
    support: float
    support_kept: float
    lift: float
    low: float
    high: float
    p_value: float


class Found(NamedTuple):
    """What can be said of a group; `leavers` counts a customer once per horizon."""

    outcomes: int
    left: int
    leavers: float
    enough: bool
    tested: int
    signals: list[Reason]
    pairs: list[Reason]
    keeping: list[Reason]


class Reasons(msgspec.Struct):
    """The counters, and what they say."""

    spans: list[Span] = []  # the newest first

    def add(
        self, customer_id: str, landmark_s: int, values: dict[int, int], groups: Iterable[str], weight: int, left: bool
    ) -> None:
        """Take up one outcome; one that lies before the spans that count is passed over."""
        span = self._span(landmark_s // SPAN_S)
        if span is None:
            return
        signals = sorted(at for at, value in values.items() if at < UNKNOWN and value >= HAS)
        keys = [*signals, *(first * PAIR + second for first, second in combinations(signals, 2))]
        span.shares[share_of(customer_id)].add(keys, weight, left)
        for name in groups:
            counts = span.groups.get(name)
            if counts is None:
                counts = span.groups[name] = Counts()
            counts.add(keys, weight, left)

    def _span(self, number: int) -> Span | None:
        for span in self.spans:
            if span.number == number:
                return span
        if self.spans and number <= self.spans[0].number - SPANS:
            return None
        made = Span(number, [Counts() for _ in range(SHARES)])
        newest = max(number, self.spans[0].number if self.spans else number)
        self.spans = sorted(
            (span for span in (*self.spans, made) if span.number > newest - SPANS), key=lambda span: -span.number
        )
        return made

    def since_s(self) -> int:
        """The first landmark that may count, in seconds since the epoch; 0 before there is any."""
        return self.spans[-1].number * SPAN_S if self.spans else 0

    def say(self, names: Iterable[str], overlap: float) -> dict[str, Found]:
        """What can be said of groups, by name; `overlap` is how many landmarks share one horizon."""
        shares = [Counts() for _ in range(SHARES)]
        for span in self.spans:
            for mine, theirs in zip(shares, span.shares, strict=True):
                mine.plus(theirs)
        everybody = Counts()
        for share in shares:
            everybody.plus(share)
        widths = {
            key: width for key in everybody.having if (width := width_of(key, everybody, shares, overlap)) is not None
        }
        found = {}
        for name in names:
            counts = everybody if name == ALL else self._of(name)
            found[name] = told(counts, widths, overlap)
        return found

    def _of(self, name: str) -> Counts:
        total = Counts()
        for span in self.spans:
            if name in span.groups:
                total.plus(span.groups[name])
        return total


def share_of(customer_id: str) -> int:
    """Which share of customers one is of, for good."""
    return xxhash.xxh3_64_intdigest(customer_id.encode(), 0x5A2E) % SHARES


def log_lift(left_with: float, having: float, left: float, outcomes: float) -> float:
    """Log of how much more often than everybody those leave who have it; half an outcome in each of the four cells.

    >>> round(math.exp(log_lift(30, 100, 100, 1_000)), 2)
    3.0
    """
    return math.log((left_with + 0.5) * (outcomes + 2.0) / ((having + 1.0) * (left + 1.0)))


def variance_of_independent(left_with: float, having: float, left: float, outcomes: float) -> float:
    """Variance of `log_lift` if all outcomes were independent, by the delta method on the four cells.

    >>> round(variance_of_independent(30, 100, 100, 1_000), 4)
    0.018
    """
    a, r, c, n = left_with + 0.5, having + 1.0, left + 1.0, outcomes + 2.0
    return max(1e-12, 1 / a - 1 / r - 1 / c + 2 * a / (r * c) - 1 / n)


def is_enough(cells: tuple[int, int, int, int], overlap: float) -> bool:
    """Whether so many have it that something can be said of it; how many of them left plays no part in that."""
    _, having, left, outcomes = cells
    return min(left, outcomes - left) >= ENOUGH * overlap and having >= HAVING * overlap


def width_of(key: int, everybody: Counts, shares: list[Counts], overlap: float) -> float | None:
    """By how much the variance of a lift is larger than that of independent landmarks; None where too few have it.

    The variance is that of the delete-a-group jackknife (Kott, The delete-a-group jackknife, Journal of Official
    Statistics, 2001), which takes a customer's landmarks as they come, however much they have in common; the ratio is
    Kish's design effect (Survey Sampling, 1965), which groups of customers borrow as Rao & Scott do (A simple method
    for the analysis of clustered binary data, Biometrics, 1992).
    """
    cells = everybody.cells(key)
    if not is_enough(cells, overlap):
        return None
    left_out = [log_lift(*everybody.cells(key, share)) for share in shares]
    mean = math.fsum(left_out) / SHARES
    variance = (SHARES - 1) / SHARES * math.fsum((value - mean) ** 2 for value in left_out)
    return variance / variance_of_independent(*cells)


def told(counts: Counts, widths: dict[int, float], overlap: float) -> Found:
    """What the counters of a group say, the most telling first.

    A signal is told of where chance is out of the question among all that were tried, with at most one wrong in twenty
    (Benjamini & Hochberg, Journal of the Royal Statistical Society B, 1995). First comes what the largest share of
    those who left would account for, by the lower end of its interval. A pair must be worse than either of its two.
    """
    leavers = counts.left / overlap
    enough = min(counts.left, counts.outcomes - counts.left) >= ENOUGH * overlap
    tried = [reason_of(key, counts, width, overlap) for key, width in widths.items() if enough]
    singles = [reason for reason in tried if reason is not None and not reason.second]
    lifts = {reason.first: reason.lift for reason in singles}
    twos = [reason for reason in tried if reason is not None and reason.second]
    certain = beyond_chance(singles)
    signals = [reason for reason in certain if reason.lift > 1.0]
    pairs = [
        reason
        for reason in beyond_chance(twos)
        if reason.low > max(1.0, lifts.get(reason.first, 1.0), lifts.get(reason.second, 1.0))
    ]
    return Found(
        counts.outcomes,
        counts.left,
        leavers,
        enough,
        len(singles) + len(twos),
        sorted(signals, key=accounts_for),
        sorted(pairs, key=accounts_for),
        sorted((reason for reason in certain if reason.lift < 1.0), key=lambda r: (r.support_kept * (r.high - 1), r)),
    )


def accounts_for(reason: Reason) -> tuple[float, Reason]:
    """Order: the share of those who left that is beyond what is usual, at least, largest first."""
    return -reason.support * (1.0 - 1.0 / max(reason.low, 1e-9)), reason


def reason_of(key: int, counts: Counts, width: float, overlap: float) -> Reason | None:
    """The figures of a signal or pair in a group; None where too few have it."""
    cells = counts.cells(key)
    if not is_enough(cells, overlap):
        return None
    left_with, having, left, outcomes = cells
    middle = log_lift(*cells)
    variance = width * variance_of_independent(*cells)
    if left_with < EXPECTED * overlap:  # too few left for shares to differ: at least as if each counted once a horizon
        variance = max(variance, variance_of_independent(*(count / overlap for count in cells)))
    sd = math.sqrt(max(1e-12, variance))
    return Reason(
        key // PAIR or key,
        key % PAIR if key >= PAIR else 0,
        left_with,
        having,
        left_with / left,
        (having - left_with) / (outcomes - left),
        math.exp(middle),
        math.exp(middle - T_95 * sd),
        math.exp(middle + T_95 * sd),
        max(t_p_value(middle / sd), poisson_p_value(left_with / overlap, having * left / outcomes / overlap)),
    )


def beyond_chance(tried: list[Reason]) -> list[Reason]:
    """Those whose lift is not 1, such that of all of them at most WRONG are there by chance."""
    ordered = sorted(tried, key=lambda reason: (reason.p_value, reason))
    kept = 0
    for i, reason in enumerate(ordered, start=1):
        if reason.p_value <= WRONG * i / len(ordered):
            kept = i
    return ordered[:kept]


def poisson_p_value(count: float, expected: float) -> float:
    """Chance of a count as far from a small expected one (counts once per horizon); 0 where Student's t may be trusted.

    >>> round(poisson_p_value(4.9, 1.0), 3), poisson_p_value(1.0, 1.0), poisson_p_value(50.0, 20.0)
    (0.038, 1.0, 0.0)
    """
    if expected >= EXPECTED:
        return 0.0
    at_most = math.ceil(count) if count < expected else math.floor(count) - 1
    below = math.fsum(math.exp(i * math.log(expected) - expected - math.lgamma(i + 1)) for i in range(at_most + 1))
    return min(1.0, 2.0 * max(0.0, below if count < expected else 1.0 - below))


def t_p_value(t: float, freedom: int = SHARES - 1) -> float:
    """Chance of a value as far from 0 by Student's t with an even number of degrees of freedom.

    Abramowitz & Stegun, Handbook of Mathematical Functions, 26.7.4.

    >>> round(t_p_value(2.086), 3), round(t_p_value(-2.845), 3), t_p_value(0.0)
    (0.05, 0.01, 1.0)
    """
    angle = math.atan(abs(t) / math.sqrt(freedom))
    square, term, total = math.cos(angle) ** 2, 1.0, 1.0
    for i in range(1, freedom // 2):
        term *= square * (2 * i - 1) / (2 * i)
        total += term
    return min(1.0, max(0.0, 1.0 - math.sin(angle) * total))
