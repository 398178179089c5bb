"""Histories at the edge of the service signals: late openings, words that count as one, what time alone changes."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.customer import load
from detectors.policy_text import PolicyError, parse_policy
from detectors.signals import CATALOGUE, Moment
from tests.detectors.lives import DAY_S, START_S, at, customer_after, event, fold, read, tick


def opened(day: float, name: str = "t1", **data: Any) -> bytes:
    return event("support.ticket.opened", day, ticket_id=name, id=f"opened {name}", **data)


def resolved(day: float, name: str = "t1", resolution: str = "solved") -> bytes:
    return event("support.ticket.resolved", day, ticket_id=name, resolution=resolution)


def strength(code: str, history: list[bytes], day: float) -> float | None:
    return read(code, history, day)[0]


def test_the_mean_wait_is_of_answered_calls_of_the_window_alone() -> None:
    calls = [
        event("support.call.answered", 1, call_id="a", wait_s=5_000.0),
        event("support.call.answered", 40, call_id="b", wait_s=360.0),
        event("support.call.abandoned", 41, call_id="c", wait_s=9_000.0),
    ]
    assert read("service.slow_answer", calls, 42)[0] == 0.5
    _, because = read("service.slow_answer", calls, 42)
    assert because is not None
    assert because.text == "Waited 6 minutes before the one call in 30 days was answered."
    assert because.evidence == ["support.call.answered@40"]
    assert read("service.slow_answer", calls, 80) == (None, None)


def test_nobody_who_only_hung_up_waited_for_an_answer() -> None:
    calls = [event("support.call.abandoned", 1, call_id="c", wait_s=9_000.0)]
    assert read("service.slow_answer", calls, 2) == (None, None)


def test_a_ticket_that_was_slow_is_remembered_for_sixty_days_and_no_longer() -> None:
    slow = [opened(1, sla_hours=24), resolved(4)]
    assert strength("service.slow_resolution", slow, 63.9) == 1.0
    assert strength("service.slow_resolution", slow, 64) == 0.0
    _, because = read("service.slow_resolution", slow, 10)
    assert because is not None
    assert because.text == "A ticket took 3 days to resolve, 3.0 times its SLA of 24 hours."


def test_the_opening_that_comes_last_still_starts_the_clock() -> None:
    late = [resolved(4), opened(1, sla_hours=24)]
    assert strength("service.slow_resolution", late, 5) == 1.0
    assert strength("service.slow_resolution", late[:1], 5) == 0.0


def test_a_reopened_ticket_counts_from_the_start_unless_it_had_rested() -> None:
    soon = [opened(1), resolved(2), event("support.ticket.reopened", 5, ticket_id="t1")]
    assert strength("service.slow_resolution", soon, 7) == 1.0
    rested = [opened(1), resolved(2), event("support.ticket.reopened", 200, ticket_id="t1")]
    assert strength("service.slow_resolution", rested, 201) == 0.0


def test_an_sla_of_no_time_at_all_is_a_number_too() -> None:
    assert strength("service.slow_resolution", [opened(1, sla_hours=1e-9)], 2) == 1.0


def test_handoffs_are_of_one_ticket_and_forgotten_with_it() -> None:
    moves = [event("support.ticket.transferred", 1 + i / 10, ticket_id="t1") for i in range(1, 4)]
    history = [*moves, opened(1), resolved(3)]
    assert strength("service.handoffs", history, 4) == pytest.approx(1 / 3)
    _, because = read("service.handoffs", history, 4)
    assert because is not None
    assert because.text == "Was handed on 3 times with one ticket, which is closed now."
    assert len(because.evidence) == 4
    assert strength("service.handoffs", history, 63) == 0.0
    unopened, because = read("service.handoffs", moves, 4)
    assert unopened == pytest.approx(1 / 3)
    assert because is not None
    assert because.text == "Was handed on 3 times with one ticket."
    assert strength("service.handoffs", moves, 61.5) == 0.0


def test_where_rude_begins_is_for_the_policy_to_say() -> None:
    said = [event("support.interaction.assessed", d, interaction_id=str(d), agent_tone=-0.1 * d) for d in range(1, 8)]
    c = customer_after(said)
    moment = Moment(parse_policy("[service]\nrude_below = -0.55"), START_S + 9 * DAY_S)
    moment.row = moment.policy.signals["service.rude_treatment"]
    assert CATALOGUE["service.rude_treatment"].measure(c, moment) == 2.0
    with pytest.raises(PolicyError, match="rude_below"):
        parse_policy("[service]\nrude_below = 0.2")


def test_good_treatment_is_known_and_none_is_not() -> None:
    kind = [event("support.interaction.assessed", 1, interaction_id="a", agent_tone=0.9)]
    mute = [event("support.interaction.assessed", 1, interaction_id="a")]
    assert read("service.rude_treatment", kind, 2) == (0.0, None)
    assert read("service.rude_treatment", mute, 2) == (None, None)


def test_an_outage_leaves_in_the_dark_until_it_ends_or_somebody_says_so() -> None:
    outage = [event("app.outage.started", 1, outage_id="o", service="api")]
    strong, because = read("service.left_in_the_dark", outage, 3)
    assert strong == 0.5
    assert because is not None
    assert because.text == "No word from the business for 2 days on an outage of “api”."
    ended = [*outage, event("app.outage.ended", 1.5, outage_id="o")]
    assert strength("service.left_in_the_dark", ended, 3) == 0.0
    for word in (
        event("engagement.contact.made", 2.5, purpose="apology"),
        event("support.call.answered", 2.5, call_id="c", wait_s=1.0),
        event("retention.customer.contacted", 2.5, playbook="p", by="ann"),
    ):
        assert strength("service.left_in_the_dark", [*outage, word], 3) == 0.0
    news = event("engagement.contact.made", 2.5, purpose="news")
    assert strength("service.left_in_the_dark", [*outage, news], 3) == 0.5


def test_a_change_leaves_in_the_dark_that_nobody_announced_while_it_is_fresh() -> None:
    risen: dict[str, Any] = {"old_mrr": 50.0, "new_mrr": 60.0, "effective_at": at(5)}
    silent = [event("billing.price.changed", 5, **risen)]
    strong, because = read("service.left_in_the_dark", silent, 8)
    assert strong == 1.0
    assert because is not None
    assert because.text == "No word from the business for 3 days on a higher price since 2026-01-06."
    assert strength("service.left_in_the_dark", silent, 36) == 0.0
    told = [event("billing.price.changed", 5, notified_at=at(1), **risen)]
    assert strength("service.left_in_the_dark", told, 8) == 0.0
    assert strength("service.left_in_the_dark", [event("billing.price.changed", 1, **risen)], 8) == 0.0
    lower = [event("billing.price.changed", 5, **{**risen, "new_mrr": 40.0})]
    assert strength("service.left_in_the_dark", lower, 8) == 0.0
    assert strength("service.left_in_the_dark", [event("billing.terms.changed", 5)], 8) == 1.0


def test_an_agents_word_in_one_ticket_is_none_in_another() -> None:
    two = [opened(1, "t1"), opened(1, "t2"), event("support.ticket.updated", 3.9, ticket_id="t1", by="agent")]
    assert strength("service.left_in_the_dark", two, 4) == 1.0


def test_silence_grows_from_tick_to_tick_without_an_event() -> None:
    number = CATALOGUE["service.left_in_the_dark"].number
    seen = []
    for day in (2, 3, 4, 5):
        p, _ = fold([opened(1), tick(1.1), *map(tick, range(2, day + 1))])
        seen.append(round(load(p.states[b"c-1"]).strengths.get(number, 0.0), 1))
    assert seen == [0.0, 0.5, 1.0, 1.0]
