"""The model's card: its numbers are those of the outcomes, and it calls worse what is worse and nothing else."""

from __future__ import annotations

import math
import random

import msgspec
import pytest

from detectors.learning.card import card_row
from detectors.learning.examples import Example
from detectors.learning.learner import Learner
from detectors.model import probability
from schemas.insights import encode_insight
from schemas.insights_card import ModelCard
from streams.card_page import card_page
from tests.detectors.learning.test_learner import POLICY, example, later, taught, turned, world
from tests.detectors.learning.test_served_by_command import back, done, promote

PLANS = ("plan:good", "plan:loud", "plan:deaf")


def planned(n: int, seed: int) -> list[Example]:
    """Customers of three plans; of one, twice as many are said to leave as do, and of one nothing is known."""
    rng, found = random.Random(seed), []
    for i in range(n):
        plan = PLANS[i % 3]
        p = probability(rng.gauss(-1.5, 1.2))
        left = rng.random() < p
        given = {"plan:good": p, "plan:loud": min(0.99, 2.0 * p), "plan:deaf": probability(rng.gauss(-1.5, 1.2))}[plan]
        found.append(example(i, left=left, probability=round(given, 6), segments=(plan,), landmark_s=1_700_000_000))
    return found


def judged(examples: list[Example]) -> Learner:
    """A learner that has only been told."""
    learner = Learner(POLICY)
    for each in examples:
        assert learner.learn(each) is None
    return learner


LEARNED = taught(world(3_000))
CARD = card_row(LEARNED, LEARNED.model(), 1_772_600_767, "1.2.3")


def test_the_figures_are_those_of_what_was_given_and_came() -> None:
    examples = planned(3_000, 1)
    card = card_row(judged(examples), LEARNED.model(), 0)
    losses = [-math.log(each.probability if each.left else 1 - each.probability) for each in examples]
    mean, n = math.fsum(losses) / len(losses), len(losses)
    spread = math.sqrt(math.fsum((loss - mean) ** 2 for loss in losses) / n)
    half = 1.96 * spread * math.sqrt(30 / 7 / n)
    assert card.log_loss is not None
    assert card.log_loss.value == pytest.approx(mean, abs=1e-5)
    assert card.log_loss.high - card.log_loss.value == pytest.approx(half, rel=0.02)
    assert (card.judged, card.judged_left) == (n, sum(each.left for each in examples))
    assert card.given == pytest.approx(math.fsum(each.probability for each in examples) / n, abs=1e-5)
    assert card.observed is not None
    assert card.observed.value == pytest.approx(card.judged_left / n, abs=1e-6)
    assert card.observed.low < card.observed.value < card.observed.high
    assert card.average_precision is not None
    assert card.average_precision.low < card.average_precision.value < card.average_precision.high
    assert sum(row.outcomes for row in card.reliability) == n


@pytest.mark.parametrize("seed", range(3))
def test_it_says_for_whom_it_is_worse_and_in_what(seed: int) -> None:
    card = card_row(judged(planned(6_000, seed)), LEARNED.model(), 0)
    worse = {group.group: set(group.worse) for group in card.groups if group.group in PLANS}
    assert worse["plan:good"] == set()
    assert worse["plan:loud"] == {"says_too_much"}
    assert "ranks_worse" in worse["plan:deaf"]
    assert "plan:deaf" in card.text


def test_chance_makes_no_group_worse() -> None:
    """Twenty groups that differ in nothing: of 95 % intervals a few may miss, and not by much."""
    rng, examples = random.Random(3), []
    for i in range(8_000):
        p = probability(rng.gauss(-1.5, 1.2))
        plan = (f"plan:{i % 20}",)
        examples.append(example(i, left=rng.random() < p, probability=round(p, 6), segments=plan))
    card = card_row(judged(examples), LEARNED.model(), 0)
    assert sum(bool(group.worse) for group in card.groups) <= 2


def test_it_says_what_moves_the_probability_and_which_signs_have_turned() -> None:
    """In that world crashes make people leave, and silence means that they stay."""
    assert {each.name for each in CARD.weighed[:2]} == {"value.silence", "tech.crashes"}
    (silence,) = CARD.turned
    assert silence.name == "value.silence"
    assert silence.weight < 0 < silence.prior
    assert sum(each.share for each in CARD.weighed) <= 1.0 + 1e-6
    assert CARD.weighed == tuple(sorted(CARD.weighed, key=lambda each: -each.share))


def test_it_says_where_it_comes_from() -> None:
    model = LEARNED.model()
    assert (CARD.version, CARD.model, CARD.release, CARD.chosen_by) == (model.version, "online", "1.2.3", "learner")
    assert (CARD.examples, CARD.learned, CARD.learned_left) == (3_000, 3_000, LEARNED.left)
    assert (CARD.first_landmark, CARD.last_landmark) == ("2001-09-09T01:46:40Z", "2002-10-27T01:46:40Z")
    assert CARD.policy_version == POLICY.version
    assert CARD.confidence == "proven"
    assert CARD.auc is not None
    assert CARD.auc.low > 0.5
    assert [each.model for each in CARD.contenders if each.decides] == ["online"]


def test_its_limits_follow_from_what_is_known() -> None:
    def limits(learner: Learner) -> str:
        return " ".join(card_row(learner, learner.model(), 0).limits)

    fresh, drifted, steered = Learner(POLICY), taught(world(3_000)), taught(world(600))
    assert "It has learned from no outcome" in limits(fresh)
    assert "Too few outcomes to tell" in limits(fresh)
    assert "Its error has moved" not in limits(drifted)
    taught(turned(300), drifted)
    assert "Its error has moved" in limits(drifted)
    assert "Its skill is not proven" in limits(drifted)
    steered.hand_over(1)
    taught(later(world(100, 3)), steered)
    steered.hand_over(2)
    done(steered, back(reason="a broken import"))
    assert "nothing that was learned since is in it" in limits(steered)
    card = card_row(steered, steered.model(), 0)
    assert (card.chosen_by, card.reason) == ("rollback", "a broken import")
    done(steered, promote("rules"))
    assert card_row(steered, steered.model(), 0).model == "rules"
    assert "On the whole what was given is above what came" in limits(
        judged(
            [msgspec.structs.replace(each, probability=min(0.99, 3 * each.probability)) for each in planned(3_000, 1)]
        )
    )


def test_it_can_be_read_back_and_names_no_customer() -> None:
    row = encode_insight(CARD)
    assert msgspec.json.decode(row, type=ModelCard) == CARD
    assert b"c-29" not in row
    assert b"NaN" not in row
    assert b"Infinity" not in row


def test_the_page_says_all_of_it_and_words_of_events_cannot_break_it() -> None:
    card = card_row(judged(planned(3_000, 1)), LEARNED.model(), 0)
    evil = msgspec.structs.replace(card.groups[0], group="plan:a|b`c\n# d<script>", worse=("says_too_little",))
    page = card_page(msgspec.structs.replace(card, groups=(evil,), drifts=CARD.drifts))
    for title in (
        "What it learned from",
        "How good it is",
        "For whom it is worse",
        "By what",
        "What has moved",
        "Limits",
    ):
        assert f"\n## {title}\n" in page
    assert "| plan:a/b'c # d&lt;script> |" in page
    assert "says too little" in page
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    assert CARD.log_loss is not None
    assert f"| log loss | {CARD.log_loss.value:.3f} (" in card_page(CARD)


def test_an_empty_learner_has_a_card_too() -> None:
    learner = Learner(POLICY)
    page = card_page(card_row(learner, learner.model(), 0))
    assert "too few outcomes" in page
    assert "For no group that is certain." in page
