"""From a customer's state to a probability, with exact contributions.

`Assessor` is compiled from a policy and a model once. A signal is read again only if an event it depends
on came or its own deadline passed; the other strengths are those of the last reading. What a learned model makes of
everything else moves slowly: it is read again every few days, under another model, and whenever something is announced.
"""

import zlib
from typing import NamedTuple

from detectors.catalogue import SignalPolicy
from detectors.customer import DAY_S, NEVER, Customer
from detectors.history import HANDLERS
from detectors.learning.rest import Reader
from detectors.leaving import only_uses
from detectors.model import Model, log_odds_of, probability
from detectors.policy import Policy
from detectors.signals import CATALOGUE, Because, Moment, Signal
from detectors.signals.base import Measure
from detectors.useful_life import with_learned
from detectors.weights import Weights

REST_DAYS = 3  # a sixth of the time of a replay, if it were read each day
CALM_DAYS = 7  # of those who are less at risk than is usual


class Row(NamedTuple):
    """One signal, ready to be read."""

    number: int
    bit: int
    signal: Signal
    policy: SignalPolicy
    from_: float
    scale: float  # strength = (value − from) × scale, between 0 and 1
    weight: float


Read = tuple[int, int, Measure, SignalPolicy, float, float]  # of a row: what is needed to read it
MAX_MASKS = 10_000  # remembered


UNSAID = Because("", ())


class Reason(NamedTuple):
    """One contribution to the log-odds, with what a person reads."""

    number: int
    code: str
    contribution: float
    because: Because


def bits_of(mask: int) -> tuple[tuple[int, int], ...]:
    """The signals of a mask: the number and the bit of each.

    >>> bits_of(0b1010)
    ((1, 2), (3, 8))
    """
    return tuple((number, 1 << number) for number in range(mask.bit_length()) if mask >> number & 1)


def after_the_same(c: Customer, mask: int, bits: tuple[tuple[int, int], ...], time_s: int, now_s: int) -> int:
    """What to read again after more of the same (`detectors.history.routes`): of a mask, what has a strength.

    It is the whole mask after late news, which may lie in a window that others are compared with, and where the
    customer has left, whom any sign of life may bring back.

    >>> c = Customer(strengths={3: 0.5, 4: 1.0})
    >>> after_the_same(c, 0b1010, bits_of(0b1010), 5 * DAY_S, 5 * DAY_S)
    8
    >>> after_the_same(c, 0b1010, bits_of(0b1010), 3 * DAY_S, 5 * DAY_S)
    10
    """
    if c.left_s or time_s < now_s - DAY_S or time_s < c.last_s - DAY_S:
        return mask
    mask, strengths = 0, c.strengths
    for number, bit in bits:
        if number in strengths:
            mask |= bit
    return mask


class Assessor:
    """Reads customers with one policy and one model."""

    def __init__(self, policy: Policy, model: Model) -> None:
        self.policy, self.model = policy, model
        self.policy_version = policy.version
        self.life = with_learned(policy.life, model.useful_life_d)
        self.rows = tuple(
            Row(
                s.number,
                1 << s.number,
                s,
                row,
                row.from_,
                1.0 / (row.to - row.from_),
                model.weights.get(s.code, row.prior),
            )
            for s in sorted(CATALOGUE.values(), key=lambda s: s.number)
            if (row := policy.signals.get(s.code)) is not None
        )
        self.base = probability(model.intercept)
        self._usual_p = model.base_rate or self.base
        self.all = sum(row.bit for row in self.rows)
        self.looked_up = sum(row.bit for row in self.rows if row.signal.looks_up)
        self.weights = {row.number: row.weight for row in self.rows}
        self.special = Weights.of_policy(policy, self.weights)
        self.by_number = {row.number: row for row in self.rows}
        self.reader = Reader(policy, model, {row.signal.code: row.number for row in self.rows})
        self.mark = (zlib.crc32(model.version.encode()) << 32) if self.reader.learned else 0  # + when
        self.catalogue = {row.number: row.policy.prior for row in self.rows}
        same = self.catalogue == self.weights
        self.special_catalogue = self.special if same else Weights.of_policy(policy, self.catalogue)
        self.usual = log_odds_of(model.base_rate) - log_odds_of(policy.churn.base_rate) if model.base_rate else 0.0
        self.masks: dict[type, int] = {
            kind: sum(row.bit for row in self.rows if kind in row.signal.depends) for kind in HANDLERS
        }
        of_days = sum(row.bit for row in self.rows if row.signal.of_days)
        self.bits = {kind: bits_of(mask & ~of_days) for kind, mask in self.masks.items()}  # what more of the same moves
        self._reads_of_mask: dict[int, tuple[Read, ...]] = {}

    def reads_of(self, mask: int) -> tuple[Read, ...]:
        """What to read for a mask; there are few that come often, so they are remembered."""
        reads = self._reads_of_mask.get(mask)
        if reads is None:
            if len(self._reads_of_mask) >= MAX_MASKS:
                self._reads_of_mask.clear()
            reads = self._reads_of_mask[mask] = tuple(
                (row.number, row.bit, row.signal.measure, row.policy, row.from_, row.scale)
                for row in self.rows
                if row.bit & mask
            )
        return reads

    def refresh(self, c: Customer, at: Moment, mask: int) -> float:
        """Read the signals of a mask again, note the result in the customer, and return the probability."""
        strengths, dues, known = c.strengths, c.dues, c.known
        for number, bit, measure, policy, from_, scale in self._reads_of_mask.get(mask) or self.reads_of(mask):
            at.until_s = NEVER
            at.row = policy
            value = measure(c, at)
            if value is None:
                known &= ~bit
                strength = 0.0
            else:
                known |= bit
                strength = (value - from_) * scale
            if strength > 0.0:
                strengths[number] = strength if strength < 1.0 else 1.0
            elif number in strengths:
                del strengths[number]
            if at.until_s < NEVER:
                dues[number] = at.until_s
            elif number in dues:
                del dues[number]
        c.known = known
        if self.special is not None:
            self.special.look(c, at)
        if self.mark and (mask == self.all or not 0 <= self.mark + at.day - c.rest_read < self._rest_d(c)):
            rest = self.reader.read(c, at.now_s, at.quiet_s(c), only_uses(c, self.policy, at.feeds))
            c.rest, c.rest_shares = rest.log_odds, rest.speaks_for
            c.rest_read = self.mark + at.day
        c.probability = p = probability(self.log_odds(c)) if strengths or self.mark else self.base
        return p

    def _rest_d(self, c: Customer) -> int:
        """For how many days it holds what a learned model makes of everything but the signals."""
        return REST_DAYS if c.probability >= self._usual_p or c.alert is not None else CALM_DAYS

    def weights_of(self, c: Customer) -> dict[int, float]:
        """Weight by signal number, as it is for a customer."""
        return self.weights if self.special is None else self.special.of(c)

    def log_odds(self, c: Customer) -> float:
        """Intercept and features, plus weight × strength, added up in the order of the signals' numbers."""
        z, strengths = c.rest if self.mark else self.model.intercept, c.strengths
        weights = self.weights if self.special is None else self.special.of(c)
        for number in sorted(strengths):
            z += weights.get(number, 0.0) * strengths[number]
        return z

    def risk(self, c: Customer, p: float, without: frozenset[int] = frozenset()) -> float:
        """What alerts open and end by, where the probability of a customer is `p`: the same, until a model has learned.

        Then it is the catalogue's weights and the model together, in shares that the policy sets, and of the model how
        far it is from what is usual: thresholds were set where the usual is the policy's base rate. `without` are
        signals that do not count.
        """
        if not self.mark:
            return p
        share, z = self.policy.alerts.learned_share, log_odds_of(self.policy.churn.base_rate)
        strengths, weights = c.strengths, self.catalogue_of(c)
        for number in sorted(strengths):
            if number not in without:
                z += weights.get(number, 0.0) * strengths[number]
        return probability(z + share * (log_odds_of(p) - self.usual - z))

    def of_catalogue(self, c: Customer) -> dict[int, float]:
        """Log-odds by signal number by the catalogue's weights, whatever has been learned."""
        weights = self.catalogue_of(c)
        return {n: weights.get(n, 0.0) * c.strengths[n] for n in sorted(c.strengths)}

    def catalogue_of(self, c: Customer) -> dict[int, float]:
        """The catalogue's weight by signal number, as it is for a customer."""
        return self.catalogue if self.special_catalogue is None else self.special_catalogue.of(c)

    def due_mask(self, c: Customer, now_s: int) -> int:
        """Bits of the signals whose deadline has passed."""
        mask = 0
        for number, due_s in c.dues.items():
            if due_s <= now_s and number > 0:
                mask |= 1 << number
        return mask & self.all

    def moving(self, c: Customer) -> int:
        """Bits of the signals that may have moved though their answer holds: what is said of a customer needs them.

        A strength grows by up to a tenth before it is read again, and what is looked up comes with other events; a
        signal without a strength has none before an event or its deadline. Whether a signal is unknown, which a learned
        model weighs, is as of when it was read last.
        """
        mask = self.looked_up
        for number in c.strengths:
            mask |= 1 << number
        return mask & self.all

    def contributions(self, c: Customer) -> dict[int, float]:
        """Log-odds by signal number, of the signals with a strength, with what features say of the same."""
        weights = self.weights_of(c)
        found = {n: weights.get(n, 0.0) * c.strengths[n] for n in sorted(c.strengths)}
        if self.mark:
            for number, share in c.rest_shares.items():
                if number in found:
                    found[number] += share
        return found

    def first_reason(self, c: Customer) -> int:
        """Number of the signal that adds most, 0 where none adds anything."""
        best, most = 0, 0.0
        for number, contribution in self.contributions(c).items():
            if contribution > most and not self.is_odd(number, contribution):
                best, most = number, contribution
        return best

    def has_reason(self, c: Customer) -> bool:
        """Whether some signal adds enough to be named as a reason."""
        least = self.policy.alerts.reason_least
        return any(
            share > 0.0 and share >= least and not self.is_odd(number, share)
            for number, share in self.contributions(c).items()
        )

    def is_odd(self, number: int, contribution: float) -> bool:
        """Whether a model has turned a signal round: that it is so adds up, and is nothing to tell anybody.

        To hear that they were never thanked is no comfort, and to come more often no reason to leave.
        """
        row = self.by_number.get(number)
        return self.mark != 0 and row is not None and contribution * row.policy.prior < 0.0

    def reasons(self, c: Customer, at: Moment, contributions: dict[int, float] | None = None) -> list[Reason]:
        """What moves the probability, or other log-odds by signal, strongest first; what protects comes last.

        Only as many are put into words as an alert names (policy `alerts.reasons`): that is what costs.
        """
        found: list[Reason] = []
        by_signal = self.contributions(c) if contributions is None else contributions
        for number, contribution in sorted(by_signal.items(), key=lambda item: (-item[1], item[0])):
            row = self.by_number.get(number)
            if row is None or not contribution or abs(contribution) < self.policy.alerts.reason_least:
                continue
            if contributions is None and self.is_odd(number, contribution):
                continue
            if len(found) >= self.policy.alerts.reasons:
                found.append(Reason(number, row.signal.code, contribution, UNSAID))
                continue
            at.row = row.policy
            value = row.signal.measure(c, at)
            if value is not None:
                found.append(Reason(number, row.signal.code, contribution, row.signal.explain(c, at, value)))
        return found
