"""Where one customer is looked at: what is read, what is decided, and what goes out.

Rules: a look changes that customer and the outbox, and nothing else; it is a `read` and then a `decide`, so that what
is true of many customers at once can be found between the two; what is announced is exact, all signals having been
read again at that moment.
"""

from collections import Counter

from detectors.announce import revise, score_row
from detectors.assess import Assessor
from detectors.customer import NEVER, Customer
from detectors.lifecycle import LIFECYCLE, TRANSITIONS, judge, level_of, status_of
from detectors.records import ALERTS, CURRENT, SCORES, Outbox
from detectors.signals import Moment
from schemas.alerts import Change, Status, alert_headers, encode_alert
from schemas.scores import encode_score


class Desk:
    """Looks at the customers of one journal partition with one policy and one model."""

    def __init__(self, number: int, assessor: Assessor, stats: Counter[str]) -> None:
        self.number, self.assessor, self.stats = number, assessor, stats
        self.moment = Moment(assessor.policy)

    def read(self, c: Customer) -> None:
        """Read again, at the desk's moment, the signals that an event or a deadline may have changed."""
        mask = c.stale
        if c.due_s <= self.moment.now_s:
            mask |= self.assessor.due_mask(c, self.moment.now_s)
        self.assessor.refresh(c, self.moment, mask)

    def decide(self, key: bytes, c: Customer, offset: int, out: Outbox) -> None:
        """Write down what is new of a customer that was read at this moment; `offset` is that of the journal."""
        at, assessor, p = self.moment, self.assessor, c.probability
        now_s = at.now_s
        verdict = judge(c, p, assessor, now_s)
        if (status_of(c), verdict) in TRANSITIONS:
            p = assessor.refresh(c, at, assessor.all)  # what is said must be exact
            verdict = judge(c, p, assessor, now_s)
            step = TRANSITIONS.get((status_of(c), verdict))
            if step is not None:
                self.announce(key, c, step, offset, out)
                verdict = judge(c, p, assessor, now_s)
                if (status_of(c), verdict) in TRANSITIONS:
                    c.dues[LIFECYCLE] = now_s + 1  # there is more to say, at the next tick
        c.stale = 0
        c.due_s = min(c.dues.values(), default=NEVER)
        self.stats["assessments"] += 1
        self._score(key, c, p, out)

    def announce(self, key: bytes, c: Customer, step: tuple[Status, Change], offset: int, out: Outbox) -> None:
        """Write the next revision of the customer's alert."""
        status, change = step
        alert = revise(key.decode(), c, self.moment, self.assessor, status, change, (self.number, offset))
        trace = c.trace or None
        value, headers = encode_alert(alert, change, trace), alert_headers(alert, change, trace)
        out.write(ALERTS, key, value, headers)
        if status == "resolved":
            out.write(CURRENT, key, None)
        else:
            out.write(CURRENT, key, value, headers)
        self.stats[f"alerts_{change}"] += 1

    def _score(self, key: bytes, c: Customer, p: float, out: Outbox) -> None:
        """Write the customer's score row, if it says something new."""
        policy = self.assessor.policy.alerts
        level = level_of(p, policy)
        if level != c.scored_level or abs(p - c.scored) >= policy.score_delta:
            c.scored, c.scored_level = p, level
            out.write(SCORES, key, encode_score(score_row(key.decode(), c, self.moment.now_s, self.assessor)))
