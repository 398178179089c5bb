"""What outcomes teach: the online model that decides, those that stand beside it, and what is to be thought of them.

Rules:
* an example is scored by every model before any of them learns from it;
* a refusal is a value with its reason, changes nothing, and is counted; the last good model stays;
* the model that decides is linear, so that its contributions are exact; it starts from the catalogue's priors;
* the state of what decides is plain numbers; challengers that cannot be written down as such start afresh after a
  restart, and are judged by what they have done since.
"""

import hashlib
import math
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import xxhash

from detectors.learning.alerted import AlertOutcome
from detectors.learning.beliefs import Level, beliefs_of
from detectors.learning.challengers import Challenger
from detectors.learning.contest import Score, better
from detectors.learning.drift import DRIFTS_KEPT, Adwin, FeatureDrift, LossDrift, moved_loss
from detectors.learning.evidence import Evidence
from detectors.learning.examples import Example
from detectors.learning.features import FEATURES
from detectors.learning.grades import Grades
from detectors.learning.groups import groups_of, known_groups
from detectors.learning.leads import Leads
from detectors.learning.online import INTERCEPT, OnlineLogistic, Pace, StoredBelief
from detectors.learning.reasons import Reasons
from detectors.learning.saved import Saved
from detectors.learning.served import RULES, Kept, Served, kind_of
from detectors.learning.space import SPACE, named
from detectors.learning.stops import Lives
from detectors.model import Model, probability
from detectors.policy import Policy
from schemas.model_commands import ModelCommand

SEEN: Final = 20_000  # newest examples, by which a second label for one is told
SEGMENTS: Final = 48  # plans and channels that have an intercept of their own
KINDS: Final[dict[str, Pace]] = {
    "online": Pace(),
    "quick": Pace(widening=0.01, drift=0.01),  # for a world that moves
}
"""Linear models that may decide; all learn from every example."""
PROMOTES_EVERY: Final = 100  # outcomes between two looks at who is best
DRIFT_QUIET: Final = 500  # outcomes after a drift during which nothing counts as proven


class Stored(msgspec.Struct):
    """The learner's state, as plain numbers."""

    version: int
    policy: str
    champion: str
    beliefs: dict[str, StoredBelief]
    scores: dict[str, Score]
    evidence: Evidence
    adwin: Adwin
    drift: FeatureDrift
    learned: int
    drifted_at: int
    segments: list[str]
    seen: list[str]
    refused: dict[str, int]
    left: int
    # Added later, each with a default: a state from before is read as it was.
    saved: Saved = msgspec.field(default_factory=Saved)
    grades: Grades = msgspec.field(default_factory=Grades)
    reasons: Reasons = msgspec.field(default_factory=Reasons)
    lives: Lives = msgspec.field(default_factory=Lives)
    served: Served = msgspec.field(default_factory=Served)
    drifts: list[LossDrift] = []
    first_s: int = 0
    last_s: int = 0
    leads: Leads = msgspec.field(default_factory=Leads)
    level: StoredBelief | None = None
    expected: float = 0.0
    silent: bool = False


STATE_VERSION: Final = 1
VALUE_MAX: Final = 1_000.0  # a feature is of the order of one


class Learner:
    """Learns from examples, and says which model decides."""

    def __init__(self, policy: Policy, challengers: Mapping[str, Challenger] | None = None) -> None:
        self.policy = policy
        self.prior = Model.prior(policy)
        self.challengers = dict(challengers or {})
        beliefs = beliefs_of(self.prior)
        self.linear = {kind: OnlineLogistic(beliefs, pace) for kind, pace in KINDS.items()}
        self.level = Level(self.prior)
        self.champion = next(iter(KINDS))
        self.scores = {name: Score() for name in (*KINDS, RULES, *self.challengers)}
        self.evidence, self.adwin, self.drift = Evidence(), Adwin(), FeatureDrift()
        self.saved, self.lives = Saved(), Lives()
        self.grades, self.reasons, self.leads = Grades(), Reasons(), Leads()
        self.learned = self.left = self.drifted_at = 0
        self.first_s = self.last_s = 0  # landmarks of what was learned
        self.served, self.drifts = Served(), list[LossDrift]()
        self.segments: list[str] = []
        self.refused: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._order: deque[str] = deque()
        self.overlap = max(1.0, policy.churn.horizon_days / policy.churn.landmark_days)
        self.budget_share = policy.alerts.budget_per_week_per_1000 / 1000 * policy.churn.landmark_days / 7

    def learn(self, example: Example) -> str | None:
        """Take up one matured example; says why not, where it is refused."""
        reason = self._why_not(example)
        if reason is not None:
            self.refused[reason] += 1
            return reason
        self._remember(identity_of(example))
        segments = self._segments_of(example)
        values = named(example.values, segments)
        left, weight = example.left, float(example.weight)
        self._score(example, values)
        self.evidence.add(example.landmark_s, example.probability, left)
        self.count(example, segments)
        if not self.serves:
            self.level.learn(values, left, weight)
        for model in self.linear.values():
            model.passed(example.landmark_s)
            model.learn(values, left, weight)
        if self.policy.learning.challenge_every and self.learned % self.policy.learning.challenge_every == 0:
            for challenger in self.challengers.values():
                challenger.learn(values, left)
        self.drift.add(values)
        if example.life is not None:
            self.lives.add(example.life, example.segments, self.policy)
        self.learned += 1
        self.left += left
        self.first_s = min(self.first_s or example.landmark_s, example.landmark_s)
        self.last_s = max(self.last_s, example.landmark_s)
        return None

    def note(self, outcome: AlertOutcome) -> str | None:
        """Take up what became of an alert, which no model learns from; says why not, where it is refused."""
        identity = xxhash.xxh3_64_hexdigest(f"alert {outcome.alert_id}".encode())
        reason = "a second label" if identity in self._seen else self.saved.add(outcome)
        if reason is not None:
            self.refused[reason] += 1
            return reason
        self._remember(identity)
        self.leads.add(outcome, known_groups(outcome.groups, self.segments))
        return None

    def count(self, example: Example, segments: tuple[str, ...]) -> None:
        """Count an example by groups of customers, which changes no model."""
        groups, weight, left = groups_of(example, segments), example.weight, example.left
        self.grades.add(example.landmark_s, example.probability, groups, weight, left)
        self.reasons.add(example.customer_id, example.landmark_s, example.values, groups, weight, left)

    @property
    def serves(self) -> bool:
        """Whether there is enough to learn from."""
        learning = self.policy.learning
        return self.learned >= learning.start_after and self.left >= learning.start_left

    def _why_not(self, example: Example) -> str | None:
        if example.space != SPACE:
            return "features of another version"
        if identity_of(example) in self._seen:
            return "a second label"
        if not math.isfinite(example.probability) or not 0.0 <= example.probability <= 1.0:
            return "not a probability"
        try:
            values = named(example.values, ())
        except KeyError:
            return "an unknown feature"
        if not values:
            return "no features"
        if not all(abs(value) <= VALUE_MAX for value in values.values()) or example.weight < 1:
            return "not a finite number"
        return None

    def _remember(self, identity: str) -> None:
        self._seen.add(identity)
        self._order.append(identity)
        if len(self._order) > SEEN:
            self._seen.discard(self._order.popleft())

    def _segments_of(self, example: Example) -> tuple[str, ...]:
        for name in example.segments:
            if name not in self.segments and len(self.segments) < SEGMENTS:
                self.segments.append(name)
        return tuple(name for name in example.segments if name in self.segments)

    def _score(self, example: Example, values: dict[str, float]) -> None:
        """Ask every model before it learns; promote one that is better by the margin."""
        left = example.left
        given = {kind: probability(model.log_odds(values)) for kind, model in self.linear.items()}
        given[RULES] = self.prior.give(values)
        decides = given[self.decides] if self.served.pinned is None else self.served.pinned.give(values)
        every = self.policy.learning.challenge_every
        if every and self.learned % every == 0:
            given |= {name: challenger.predict(values) for name, challenger in self.challengers.items()}
        for name, p in given.items():
            self.scores[name].add(p, decides, left)
        moved = moved_loss(self.adwin, abs(decides - left), self.learned, example.landmark_s)
        if moved is not None and moved.after > moved.before:  # where it fell, the model has learned
            self.drifted_at = self.learned
            self.drifts = [*self.drifts, moved][-DRIFTS_KEPT:]
        self._promote()

    def _promote(self) -> None:
        """Let another kind decide, where it is clearly better and nobody has said which does."""
        if self.served.by != "learner" or self.learned % PROMOTES_EVERY:
            return
        learning = self.policy.learning
        best = better({kind: self.scores[kind] for kind in KINDS}, learning.promote_after, learning.promote_margin,
                      self.overlap)  # fmt: skip
        if best is not None:
            self._let_decide(best)

    def _let_decide(self, kind: str) -> None:
        """From here on this kind decides, and others are compared with it."""
        self.champion = kind
        self.compare_anew()

    def compare_anew(self) -> None:
        """Begin to compare with what decides now, and to watch its error: that it is another is no drift."""
        self.adwin = Adwin()
        for score in self.scores.values():
            score.begin()

    @property
    def decides(self) -> str:
        """The kind of model that decides, unless somebody went back to one from before."""
        return self.served.chosen or self.champion

    @property
    def is_drifting(self) -> bool:
        """Whether the loss has moved lately, so that what was proven is not."""
        return bool(self.drifted_at) and self.learned - self.drifted_at < DRIFT_QUIET

    @property
    def is_proven(self) -> bool:
        """Whether outcomes show skill: enough of them, chance out of the question, and no drift lately."""
        skill = self.evidence.skill(self.overlap)
        return skill is not None and skill.is_proven and not self.is_drifting

    def model(self) -> Model:
        """The model that decides from now on: the catalogue's priors until there is enough to learn from."""
        if (pinned := self.served.pinned) is not None:
            return msgspec.structs.replace(pinned, proven=pinned.proven and self.is_proven)
        if self.decides != RULES and self.serves:
            return self._learned(self.decides)
        if self.decides == RULES or not self.learned or not self.level.speaks(self.policy.learning.start_left):
            return self.prior
        return self.level.model(self.learned, self.evidence.base_rate())

    def hand_over(self, time_s: int) -> Model | None:
        """The model that is to go out, as of a time in seconds since the epoch; None, where what is in force stays."""
        model, served = self.model(), self.served
        if model == served.out or (not model.examples and served.in_force in ("", model.version)):
            return None
        figures, skill = self.evidence.figures(), self.evidence.skill(self.overlap)
        kind = kind_of(model.version, self.prior)
        served.keep(Kept(kind, time_s, model, int(figures["outcomes"]), figures.get("log_loss"), skill and skill.auc))
        return model

    def obey(self, command: ModelCommand) -> tuple[str, Model | None]:
        """Do what somebody asks for, and note the answer: why not, and the model that is to go out.

        A command that was answered before changes nothing, and its answer stays.
        """
        served, time_s = self.served, int(command.time.timestamp())
        if served.is_known(command.id):
            return "this command was answered before", None
        decided = self.decides, served.pinned
        refused = served.obey(command, self.prior, KINDS, self.challengers)
        if self.decides in KINDS:
            self.champion = self.decides
        if (self.decides, served.pinned) != decided:
            self.compare_anew()
        model = None if refused else self.hand_over(time_s)
        served.answer(command, refused, time_s)
        return refused, model

    @property
    def is_overrated(self) -> bool:
        """Whether what is in force says that it is proven, and is not any more."""
        out = self.served.out
        return out is not None and out.proven and self.is_drifting

    def _learned(self, kind: str) -> Model:
        found = self.linear[kind].weights()
        intercept = found.pop(INTERCEPT)
        beliefs = self.linear[kind].beliefs
        weights = {code: found.pop(code, prior) for code, prior in self.prior.weights.items()}
        features = {f.name: beliefs[f.name].mean for f in FEATURES if beliefs[f.name].mean}
        features |= {name: value for name, value in found.items() if value}
        usual = self.drift.usual()
        speaking = {f.name for f in FEATURES if f.speaks_for}
        numbers = (
            intercept,
            weights,
            dict(sorted(features.items())),
            {name: usual[name] for name in sorted(speaking & usual.keys() & features.keys())},
            self.evidence.base_rate(),
        )
        lives = self.lives.learned_d
        told = (*numbers, lives, self.learned) if lives else (*numbers, self.learned)
        digest = hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()
        return Model(
            f"{kind}-{self.learned}-{digest[:8]}",
            *numbers[:2],
            self.learned,
            *numbers[2:4],
            proven=self.is_proven,
            base_rate=numbers[4],
            useful_life_d=lives,
        )

    def snapshot(self) -> bytes:
        """The state of what decides, as JSON of plain numbers."""
        stored = Stored(
            STATE_VERSION,
            self.policy.version,
            self.champion,
            {kind: msgspec.convert(model.snapshot(), StoredBelief) for kind, model in self.linear.items()},
            {name: score for name, score in self.scores.items() if name not in self.challengers},
            self.evidence,
            self.adwin,
            self.drift,
            self.learned,
            self.drifted_at,
            self.segments,
            list(self._order),
            dict(self.refused),
            self.left,
            self.saved,
            self.grades,
            self.reasons,
            self.lives,
            self.served,
            self.drifts,
            self.first_s,
            self.last_s,
            self.leads,
            msgspec.convert(self.level.belief.snapshot(), StoredBelief),
            self.level.expected,
            self.level.silent,
        )
        return msgspec.json.encode(stored)

    def restore(self, data: bytes) -> None:
        """Go on from a snapshot, bit for bit; raises ValueError, having changed nothing, for one that is not whole."""
        try:
            stored = msgspec.json.decode(data, type=Stored)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise ValueError(f"not a state of the learner: {error}") from None
        if stored.version != STATE_VERSION or stored.champion not in KINDS or stored.beliefs.keys() != KINDS.keys():
            raise ValueError("a state of another version of the learner")
        beliefs = beliefs_of(self.prior)
        linear = {kind: OnlineLogistic(beliefs, pace) for kind, pace in KINDS.items()}
        for kind, belief in stored.beliefs.items():
            linear[kind].restore(belief)
        level = Level(self.prior).restored(stored.level, stored.expected, silent=stored.silent)
        self.level = level
        self.linear, self.champion, self.scores = linear, stored.champion, {**self.scores, **stored.scores}
        self.evidence, self.adwin, self.drift = stored.evidence, stored.adwin, stored.drift
        self.learned, self.drifted_at, self.segments = stored.learned, stored.drifted_at, stored.segments
        self._order, self._seen = deque(stored.seen), set(stored.seen)
        self.refused, self.left, self.saved = Counter(stored.refused), stored.left, stored.saved
        self.grades, self.reasons, self.leads = stored.grades, stored.reasons, stored.leads
        self.served, self.drifts, self.lives = stored.served, stored.drifts, stored.lives
        self.first_s, self.last_s = stored.first_s, stored.last_s

    def report(self) -> dict[str, Any]:
        """What there is to say of the models: scores beside each other, skill, drift."""
        skill = self.evidence.skill(self.overlap)
        return {
            "learned": self.learned,
            "champion": self.champion,
            "log_loss_by_model": {name: score.loss / score.asked for name, score in self.scores.items() if score.asked},
            "gain_by_model": {
                name: gain._asdict() for name, score in self.scores.items() if (gain := score.over(self.overlap))
            },
            "skill": skill._asdict() if skill is not None else None,
            "proven": self.is_proven,
            "drift_at": self.drifted_at or None,
            "drifts": msgspec.to_builtins(self.drifts),
            "features_moved": self.drift.moved(),
            "refused": dict(self.refused),
            **self.evidence.figures(),
        }


def identity_of(example: Example) -> str:
    """Landmark and customer, hashed: the state goes where no customer may be named."""
    return xxhash.xxh3_64_hexdigest(f"{example.landmark_s} {example.customer_id}".encode())
