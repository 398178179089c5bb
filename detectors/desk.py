"""Where one customer is looked at: what is read, what is decided, and what goes out.

Rules: a look changes that customer and the outbox, and nothing else; it is a `read` and then a `decide`, so that what
is true of many customers at once can be found between the two; what is announced is exact, all signals that can have
moved having been read again at that moment.
"""

from collections import Counter
from typing import Final, NamedTuple

from detectors.announce import revise, score_row
from detectors.assess import Assessor
from detectors.budget import Place, place_of
from detectors.customer import NEVER, Customer
from detectors.farewell import read
from detectors.incidents import NOTHING, Incidents
from detectors.learning.alerted import Opening
from detectors.leaving import can_lapse, next_look_s, only_uses
from detectors.lifecycle import LIFECYCLE, TRANSITIONS, is_awake, level_of, status_of
from detectors.news import Said, as_read_by, judged_by_both, settle, verdict_of
from detectors.records import ALERTS, CURRENT, SCORES, Outbox
from detectors.rules import Rules
from detectors.signals import Moment
from detectors.world import World
from schemas.alerts import Change, ChangedBy, Outcome, RiskLevel, Status, alert_headers, encode_alert
from schemas.scores import encode_score

Asks = tuple[Place, ChangedBy]
"""Where a customer stands whose alert would open, and what brought that about."""

OPENED: Final[tuple[Status, Change]] = ("open", "opened")


class Look(NamedTuple):
    """One customer between reading it and deciding about it."""

    key: bytes
    before: Customer  # as it was; the same object as `customer` unless care is taken
    customer: Customer
    fresh: int  # bits of the signals that were read at this moment
    said: Said  # what is to be said of it, as far as it alone knows


class Desk:
    """Looks at the customers of one journal partition with the policy and the model that decide now."""

    def __init__(self, number: int, rules: Rules, stats: Counter[str]) -> None:
        self.number, self.rules, self.stats = number, rules, stats
        self.assessor = rules.assessor
        self.moment = Moment(rules.assessor.policy)
        self.moment.life = rules.assessor.life
        self.incidents = Incidents(number, rules.assessor, stats)
        self.world = World()
        self.rose = False  # of somebody who was read at this moment a signal rose that many share
        self.opened: list[Opening] = []  # in this moment, of those who have not left

    def sit_down(self, world: World, now_s: int) -> None:
        """Begin a moment: what is looked at from here on is looked at as of then."""
        self.world, self.rose = world, False
        self.moment.at(now_s, world.feeds)
        self.opened.clear()

    def read(self, key: bytes, before: Customer, c: Customer) -> Look:
        """Read again the signals that an event or a deadline may have changed."""
        at, assessor, alike = self.moment, self.assessor, self.rules.read_alike(c)
        mask, strengths = c.stale, c.strengths
        raised = self.incidents.raised(strengths) if strengths else NOTHING
        if c.due_s <= at.now_s:
            mask |= assessor.due_mask(c, at.now_s)
        if not alike:
            mask = assessor.all
            c.dues.clear()  # those of signals and stages that the rules of before knew
        p = read(c, at, assessor, mask)
        # What other rules alone have raised did not happen to anybody.
        if alike and c.strengths and self.incidents.rose(self.world, c, raised, at.now_s):
            self.rose = True
        said = Said(verdict_of(c, p, assessor, at.now_s), "events" if c.stale else "time")
        return Look(key, before, c, mask, said)

    def has_news(self, look: Look) -> bool:
        """Whether there is something to decide about a customer that was read at this moment."""
        c = look.customer
        return (status_of(c), look.said.verdict) in TRANSITIONS or self.rules.before(c) is not None

    def decide(self, look: Look, offset: int, out: Outbox) -> Asks | None:
        """Write down what is new of a customer that was read at this moment; `offset` is that of the journal.

        Where an alert would open that competes for the budget, nothing is written, and the customer is to be answered
        by `open` or `hold`.
        """
        key, c, said = look.key, look.customer, look.said
        at, assessor, now_s = self.moment, self.assessor, self.moment.now_s
        before = self.rules.before(c)
        if before is not None:
            due, was_held = said.verdict, c.unsaid >= 0.0
            said = judged_by_both(c, said, self.rules, before, at)  # all has been read
            is_held = c.unsaid >= 0.0 or (due == "win_back" and said.verdict == "same")
            self.stats["held_back_rules"] += is_held and not was_held
        else:
            c.rest_read = 0
            p = read(c, at, assessor, assessor.moving(c) & ~look.fresh)  # what is said must be exact
            said = Said(verdict_of(c, p, assessor, now_s), said.by)
        step = TRANSITIONS.get((status_of(c), said.verdict))
        if step is not None and self._is_held(c, step[1], before):
            # That it got worse waits, but not that the time is over for which the team asked for quiet.
            step = TRANSITIONS["snoozed", "awake"] if is_awake(c, now_s) else None
        if step is not None:
            if step[1] == "opened":
                return place_of(key, c, assessor.risk(c, c.probability), now_s, assessor.policy), said.by
            self._say(key, c, step, offset, out, said.by)
        self.put_away(look, out)
        return None

    def put_away(self, look: Look, out: Outbox) -> None:
        """Be done with a customer who asks for nothing, or has been answered."""
        look.customer.held_s = 0
        self._finish(look.key, look.customer, out)

    def _is_held(self, c: Customer, change: Change, before: Assessor | None) -> bool:
        """Whether an announcement waits, because it is owed to a cause that many share; asked again when that is over.

        What was owed to it by the rules of before is not set free by the change alone. What is held back is counted
        once per customer and incident.
        """
        incident = self.incidents.touching(self.world, c, self.moment.now_s)
        if incident is None:
            return False
        if not self.incidents.holds(c, incident, change, self.assessor) and not (
            before is not None and self.incidents.holds(as_read_by(before, c, self.moment), incident, change, before)
        ):
            return False
        if c.held != incident.incident_id:
            c.held = incident.incident_id
            self.stats["held_back_common_cause"] += 1
        c.dues[LIFECYCLE] = self.incidents.release_s(incident)
        if c.alert is not None and c.alert.status == "snoozed":
            c.dues[LIFECYCLE] = min(c.dues[LIFECYCLE], c.alert.snoozed_until_s)
        return True

    def open(self, look: Look, offset: int, out: Outbox, by: ChangedBy) -> bool:
        """Open the alert that `decide` asked for; always true."""
        self._say(look.key, look.customer, OPENED, offset, out, by)
        self.put_away(look, out)
        return True

    def hold(self, look: Look, until_s: int, out: Outbox) -> None:
        """Let the alert that `decide` asked for wait, and look at the customer again then."""
        c = look.customer
        if not c.held_s:
            c.held_s = self.moment.now_s
            self.stats["held_back_budget"] += 1
        c.dues[LIFECYCLE] = until_s
        self._finish(look.key, c, out)

    def _say(
        self, key: bytes, c: Customer, step: tuple[Status, Change], offset: int, out: Outbox, by: ChangedBy
    ) -> None:
        self.announce(key, c, step, offset, out, by)
        if (status_of(c), verdict_of(c, c.probability, self.assessor, self.moment.now_s)) in TRANSITIONS:
            c.dues[LIFECYCLE] = self.moment.now_s + 1  # there is more to say, at the next tick

    def _finish(self, key: bytes, c: Customer, out: Outbox) -> None:
        """Note when to look again, and what the risk is."""
        if not c.left_s and can_lapse(c, self.assessor.policy.churn):
            gone_s = next_look_s(c, self.moment.now_s, self.assessor.policy, self.moment.quiet_s(c))
            if gone_s < c.dues.get(LIFECYCLE, NEVER):
                c.dues[LIFECYCLE] = gone_s
        settle(c, c.probability, self.assessor)
        c.stale, c.ruled = 0, self.rules.since
        c.due_s = min(c.dues.values(), default=NEVER)
        level = level_of(c.probability, self.assessor.policy.alerts)
        self.stats["assessments"] += 1
        self.stats[f"assessed_{level}"] += 1
        self._score(key, c, c.probability, level, out)

    def announce(
        self,
        key: bytes,
        c: Customer,
        step: tuple[Status, Change],
        offset: int,
        out: Outbox,
        by: ChangedBy = "events",
        outcome: Outcome | None = None,
    ) -> None:
        """Write the next revision of the customer's alert, and what brought it about.

        That of a control customer is logged, and no more.
        """
        status, change = step
        if by == "time" and c.alert is not None and c.alert.by_rules:
            by = self.rules.cause
        place = (self.number, offset)
        incident = self.incidents.touching(self.world, c, self.moment.now_s)
        cause = incident.incident_id if incident is not None else None
        lot = c.alert.lot if c.alert is not None else 0
        alert = revise(key.decode(), c, self.moment, self.assessor, status, change, by, place, outcome, cause)
        trace = c.trace or None
        value, headers = encode_alert(alert, change, trace), alert_headers(alert, change, trace)
        out.write(ALERTS, key, value, headers)
        if alert.delivery == "hold_out":
            self.stats["held_back_hold_out"] += change == "opened"
        elif status == "resolved":
            out.write(CURRENT, key, None)
        else:
            out.write(CURRENT, key, value, headers)
        self.stats[f"alerts_{change}"] += 1
        if change == "opened" and c.alert is not None and not c.alert.win_back:
            by_use = only_uses(c, self.assessor.policy, self.world.feeds)
            self.opened.append(Opening(key, alert, c.alert.lot != lot, by_use))

    def end(self, key: bytes, c: Customer, world: World, offset: int, out: Outbox) -> None:
        """End the alert of a customer who is erased, saying what holds now."""
        self.sit_down(world, world.now_s)
        read(c, self.moment, self.assessor, self.assessor.all)  # and counts for no incident any more
        self.announce(key, c, ("resolved", "resolved"), offset, out, outcome="erased")

    def _score(self, key: bytes, c: Customer, p: float, level: RiskLevel, out: Outbox) -> None:
        """Write the customer's score row, if it says something new."""
        policy = self.assessor.policy.alerts
        if c.left_s and c.scored >= 0.0:
            return  # frozen, whatever decides now
        if level != c.scored_level or abs(p - c.scored) >= policy.score_delta:
            c.scored, c.scored_level = p, level
            out.write(SCORES, key, encode_score(score_row(key.decode(), c, self.moment, self.assessor)))
