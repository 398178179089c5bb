"""What becomes of alerts: frozen at the opening, labelled after the horizon, neither lost nor doubled by a restart."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detectors.customer import HEADER, VERSION
from detectors.hold_out import is_held_out, lot_of
from detectors.learning.alerted import AlertOutcome, encode_outcome
from detectors.learning.examples import Pending, Watch, decode_example, load_watch, watch_key
from detectors.learning.lessons import decode_lesson
from detectors.learning.space import SPACE
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.policy_text import parse_policy
from detectors.records import EXAMPLES
from schemas.journal import encode_heard
from tests.detectors.lives import DAY_S, MODEL, START_S, alerts_of, event, fold, new_policy, records, tick

HALF = parse_policy("[hold_out]\nshare = 0.5\n")
OTHER_SALT = parse_policy('[hold_out]\nshare = 0.5\nsalt = "again"\n')
NOBODY = parse_policy("[learning]\nwatched_max = 1\n")
HORIZON_D = HALF.churn.horizon_days
DRAWN = {is_held_out(f"c-{i}", HALF.hold_out): f"c-{i}" for i in range(20)}
KEPT, LEFT = DRAWN[True], DRAWN[False]


def trouble(customer: str, day: float, mrr: float = 50.0) -> list[bytes]:
    """A customer whose payments fail, so that an alert opens at the third."""
    return [
        event("billing.subscription.started", 0.2, customer=customer, plan="pro", mrr=mrr),
        *(event("billing.payment.failed", day + i / 10, customer=customer, invoice_id=f"i-{day}-{i}", attempt=1)
          for i in range(4)),
    ]  # fmt: skip


def told(values: list[bytes], last_day: int) -> list[bytes]:
    """Events with a tick after each day, in order of time."""
    return sorted(
        [*values, *(tick(day) for day in range(1, last_day + 1))], key=lambda v: msgspec.json.decode(v)["time"]
    )


def outcomes(
    values: list[bytes], policy: Policy = HALF, *, every: int = 10_000, states: Any = None
) -> list[AlertOutcome]:
    """The outcomes of a history, with a restart after each so many records."""
    states, found = states if states is not None else {}, []
    given = records(values)
    for first in range(0, len(given), every):
        partition = Partition(0, states, policy, MODEL, examples=True)
        partition.feed(given[first : first + every])
        for _, value, _ in partition.snapshot().writes.get(EXAMPLES, []):
            lesson = decode_lesson(value or b"")
            if isinstance(lesson, AlertOutcome):
                found.append(lesson)
        states.update(partition.states)
        for gone in states.keys() - partition.states.keys():
            del states[gone]
    return found


def contact(customer: str, day: float, playbook: str) -> bytes:
    return event("retention.customer.contacted", day, customer=customer, playbook=playbook, by="ann")


def test_an_alert_has_its_outcome_once_the_horizon_has_passed_and_not_before() -> None:
    values = told([*trouble(LEFT, 40), event("billing.subscription.cancelled", 60.5, customer=LEFT)], 100)
    (outcome,) = outcomes(values)
    opened_d = (outcome.opened_s - START_S) / DAY_S
    assert opened_d == 41.0  # at the tick
    assert outcomes(told(values, 0)[: values.index(tick(41 + HORIZON_D))]) == []
    assert outcomes(values[: values.index(tick(41 + HORIZON_D)) + 1]) == [outcome]
    assert (outcome.left, outcome.delivery, outcome.first) == (True, "deliver", True)
    assert (outcome.reason, outcome.recommended) == ("billing.payment_trouble", "update_payment_method")
    assert (outcome.mrr, outcome.mrr_kept, outcome.currency, outcome.share) == (50.0, 0.0, "EUR", 5_000)
    assert outcome.lot == lot_of(HALF.hold_out)
    assert outcome.groups == ("plan:pro", "stage:active", "known_by:subscription")
    assert outcome.lead_s == 19.5 * DAY_S


@pytest.mark.parametrize(("cancelled_d", "left"), [(41.5, True), (70.9, True), (71.1, False), (None, False)])
def test_who_left_is_who_cancelled_within_the_horizon(cancelled_d: float | None, left: bool) -> None:
    gone = [] if cancelled_d is None else [event("billing.subscription.cancelled", cancelled_d, customer=KEPT)]
    (outcome,) = outcomes(told([*trouble(KEPT, 40), *gone], 100))
    assert (outcome.left, outcome.delivery) == (left, "hold_out")
    assert (outcome.lead_s is not None) == left


def test_what_is_kept_is_what_is_paid_then_and_no_more_than_before() -> None:
    for new, kept in ((30.0, 30.0), (90.0, 50.0)):
        mrrs = {"old_mrr": 50.0, "new_mrr": new}
        change = event("billing.plan.changed", 55, customer=LEFT, id="x", old_plan="pro", new_plan="x", **mrrs)
        (outcome,) = outcomes(told([*trouble(LEFT, 40), change], 75))
        assert (outcome.mrr, outcome.mrr_kept) == (50.0, kept)


def test_the_first_contact_after_the_alert_and_before_leaving_is_what_was_done() -> None:
    before, early, late = contact(LEFT, 39, "gift"), contact(LEFT, 43, "call"), contact(LEFT, 50, "visit")
    after = contact(LEFT, 62, "win_back_offer")
    gone = event("billing.subscription.cancelled", 60.5, customer=LEFT)
    for said, expected in (
        ([before, early, late, gone, after], "call"),
        ([before, gone, after], ""),
        ([late], "visit"),
    ):
        (outcome,) = outcomes(told([*trouble(LEFT, 40), *said], 100))
        assert outcome.contacted == expected


@pytest.mark.parametrize("every", [1, 9, 40])
def test_a_restart_loses_and_doubles_none(every: int) -> None:
    values = told([*trouble(KEPT, 40), *trouble(LEFT, 45.4), contact(LEFT, 47, "call")], 90)
    assert outcomes(values, every=every) == outcomes(values)
    assert len(outcomes(values)) == 2


def test_a_second_alert_is_not_the_first_until_another_group_is_drawn() -> None:
    """The alert of the second trouble opens after the first one ended and rested."""
    paid = [event("billing.invoice.paid", 45, customer=LEFT, invoice_id=f"i-40-{i}", amount=1.0) for i in range(4)]
    history = [*trouble(LEFT, 40), *paid, *trouble(LEFT, 100)[1:]]
    assert [o.first for o in outcomes(told(history, 140))] == [True, False]
    drawn_anew = told([*history, new_policy(90.0, OTHER_SALT)], 140)
    found = outcomes(drawn_anew)
    assert [o.first for o in found] == [True, True]
    assert found[0].lot != found[1].lot


def test_where_there_is_no_billing_who_left_is_of_whom_nothing_is_heard_any_more() -> None:
    def use(customer: str, days: range) -> list[bytes]:
        return [event("usage.session.started", day + 0.4, customer=customer) for day in days]

    seen = [(c, i) for c in DRAWN.values() for i in range(5)]
    looks = [event("usage.cancel_page.viewed", 40 + i / 10, customer=c, id=f"{c}{i}") for c, i in seen]
    history = [*looks, *use("o", range(1, 90)), *use(LEFT, range(1, 42)), *use(KEPT, range(1, 90))]
    assert {o.customer_id: o.left for o in outcomes(told(history, 80))} == {LEFT: True, KEPT: False}
    billed = event("billing.subscription.started", 60, customer="o", plan="p", mrr=1.0)
    heard = encode_heard("billing.events", START_S + 60 * DAY_S)
    assert outcomes(told([*history, billed, heard], 80)) == []  # only billing says who left then


def test_without_a_control_group_outcomes_are_known_and_of_no_lot() -> None:
    (outcome,) = outcomes(told(trouble(LEFT, 40), 75), Policy())
    assert (outcome.lot, outcome.share, outcome.first, outcome.delivery) == (0, 0, False, "deliver")


def test_alerts_of_customers_who_are_not_sampled_have_outcomes_too() -> None:
    others = [event("usage.session.started", 1, customer=f"o-{i}") for i in range(8)]
    found = outcomes(told([*others, *trouble("c-1", 40)], 75), NOBODY)
    assert [o.customer_id for o in found] == ["c-1"]


def test_who_is_erased_is_forgotten_with_what_waits() -> None:
    values = told([*trouble(LEFT, 40), event("privacy.erasure.requested", 50, customer=LEFT, request_id="r")], 80)
    states: dict[bytes, bytes] = {}
    assert outcomes(values, states=states) == []
    assert watch_key(LEFT.encode()) not in states


def test_winning_back_is_not_followed() -> None:
    gone = event("billing.subscription.cancelled", 20, customer=LEFT, voluntary=False)
    states: dict[bytes, bytes] = {}
    values = told([*trouble(LEFT, 1)[:1], gone], 70)
    assert [a.type for a in alerts_of(fold(values)[1])] == ["churn.alert.opened.v1"]
    assert outcomes(values, states=states) == []


def test_a_reader_that_does_not_know_outcomes_refuses_them_and_decodes_no_example_from_one() -> None:
    (outcome,) = outcomes(told(trouble(LEFT, 40), 75))
    with pytest.raises(msgspec.ValidationError):
        decode_example(encode_outcome(outcome))
    assert decode_lesson(encode_outcome(outcome)) == outcome


def test_what_waited_before_alerts_were_followed_is_read() -> None:
    old = msgspec.msgpack.encode([START_S, SPACE, [[START_S, 0.1, {1: 500}, ["plan:pro"], 1, False]]])
    watch = load_watch(HEADER.pack(0, START_S, VERSION, 0) + old)
    assert watch == Watch(START_S, SPACE, [Pending(START_S, 0.1, {1: 500}, ["plan:pro"])])
    assert watch.alerts == []


def test_what_waits_costs_a_customer_little_and_goes_with_its_outcome() -> None:
    others = [event("usage.session.started", 1, customer=f"o-{i}") for i in range(8)]
    waiting: dict[bytes, bytes] = {}
    done: dict[bytes, bytes] = {}
    outcomes(told([*others, *trouble("c-1", 40)], 60), NOBODY, states=waiting)
    outcomes(told([*others, *trouble("c-1", 40)], 75), NOBODY, states=done)
    assert len(waiting[watch_key(b"c-1")]) < 150
    assert watch_key(b"c-1") not in done
