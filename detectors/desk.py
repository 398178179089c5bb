"""Where one customer is looked at: what is read, what is decided, and what goes out.

Rules: a look changes that customer and the outbox, and nothing else; it is a `read` and then a `decide`, so that what
is true of many customers at once can be found between the two; what is announced is exact, all signals having been
read again at that moment.
"""

from collections import Counter

from detectors.announce import revise, score_row
from detectors.customer import NEVER, Customer
from detectors.lifecycle import LIFECYCLE, TRANSITIONS, level_of, status_of
from detectors.news import Said, judged_by_both, settle, verdict_of
from detectors.records import ALERTS, CURRENT, SCORES, Outbox
from detectors.rules import Rules
from detectors.signals import Moment
from schemas.alerts import Change, ChangedBy, Status, alert_headers, encode_alert
from schemas.scores import encode_score


class Desk:
    """Looks at the customers of one journal partition with the policy and the model that decide now."""

    def __init__(self, number: int, rules: Rules, stats: Counter[str]) -> None:
        self.number, self.rules, self.stats = number, rules, stats
        self.assessor = rules.assessor
        self.moment = Moment(rules.assessor.policy)

    def read(self, c: Customer) -> None:
        """Read again, at the desk's moment, the signals that an event or a deadline may have changed."""
        mask = c.stale
        if c.due_s <= self.moment.now_s:
            mask |= self.assessor.due_mask(c, self.moment.now_s)
        if c.ruled != self.rules.since:
            mask = self.assessor.all
            c.dues.clear()  # those of signals and stages that the rules of before knew
        self.assessor.refresh(c, self.moment, mask)

    def decide(self, key: bytes, c: Customer, offset: int, out: Outbox) -> None:
        """Write down what is new of a customer that was read at this moment; `offset` is that of the journal."""
        at, assessor, p = self.moment, self.assessor, c.probability
        now_s = at.now_s
        said = Said(verdict_of(c, p, assessor, now_s), "events" if c.stale else "time")
        before = self.rules.before(c)
        if before is not None:
            said = judged_by_both(c, said, self.rules, before, at)  # all has been read
        elif (status_of(c), said.verdict) in TRANSITIONS:
            p = assessor.refresh(c, at, assessor.all)  # what is said must be exact
            said = Said(verdict_of(c, p, assessor, now_s), said.by)
        step = TRANSITIONS.get((status_of(c), said.verdict))
        if step is not None:
            self.announce(key, c, step, offset, out, said.by)
            if (status_of(c), verdict_of(c, p, assessor, now_s)) in TRANSITIONS:
                c.dues[LIFECYCLE] = now_s + 1  # there is more to say, at the next tick
        settle(c, p, assessor)
        c.stale, c.ruled = 0, self.rules.since
        c.due_s = min(c.dues.values(), default=NEVER)
        self.stats["assessments"] += 1
        self._score(key, c, p, out)

    def announce(
        self, key: bytes, c: Customer, step: tuple[Status, Change], offset: int, out: Outbox, by: ChangedBy = "events"
    ) -> None:
        """Write the next revision of the customer's alert, and what brought it about."""
        status, change = step
        if by == "time" and c.alert is not None and c.alert.by_rules:
            by = self.rules.cause
        alert = revise(key.decode(), c, self.moment, self.assessor, status, change, by, (self.number, offset))
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
