"""How many alerts may open, who goes first, and who is logged only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.budget import TOKEN, Purse, capacity, fill, give_back, look_again_s, per_second, shared_out
from detectors.customer import DAY_S, Customer, load
from detectors.history import HANDLERS
from detectors.hold_out import is_held_out
from detectors.kinds import DAYS_KEPT
from detectors.policy import Policy
from detectors.policy_care import BudgetPolicy, HoldOutPolicy
from detectors.policy_text import PolicyError, parse_policy
from detectors.records import ALERTS, CURRENT, DEAD
from detectors.rules import is_customer
from schemas.alerts import AlertEvent
from schemas.usage import FeatureUsed
from tests.detectors.lives import POLICY, alerts_of, event, fold, partition, records, tick

ONE = parse_policy("[budget]\nper_day_per_1000 = 100\nburst = 1")  # of ten customers: one alert a day


def troubled(n: int, day: float = 1.0, mrr: bool = True, first: int = 0) -> list[bytes]:
    """Customers whose payments fail at the same time; the later their number, the more they pay."""
    out = []
    for i in range(first, first + n):
        name = f"c-{i:02}"
        if mrr:
            out.append(event("billing.subscription.started", 0, customer=name, plan="p", mrr=10.0 * (i + 1)))
        out += [
            event("billing.payment.failed", day + k / 100, customer=name, invoice_id="i", attempt=k) for k in range(3)
        ]
    return out


def opened(values: list[bytes], policy: Policy = POLICY) -> list[tuple[str, str]]:
    """Who was alerted, and when."""
    found = alerts_of(fold(values, policy)[1])
    return [(a.data.customer_id, a.data.as_of[5:16]) for a in found if a.data.revision == 1]


def days(first: float, last: float) -> list[bytes]:
    return [tick(first + i / 4) for i in range(int((last - first) * 4) + 1)]


def test_the_default_budget_does_not_bind_where_few_are_at_risk() -> None:
    assert len(opened([*troubled(10), tick(1.1)])) == 10


def test_the_best_by_expected_loss_go_out_and_the_rest_wait_for_their_day() -> None:
    found = opened([*troubled(10), *days(1.25, 4.5)], ONE)
    assert found == [
        ("c-09", "01-02T06:00"),
        ("c-08", "01-03T06:00"),
        ("c-07", "01-04T06:00"),
        ("c-06", "01-05T06:00"),
    ]


def test_a_better_one_who_comes_later_goes_before_those_who_wait() -> None:
    late = troubled(1, 1.5, first=10)
    assert [name for name, _ in opened([*troubled(10), tick(1.25), *late, *days(1.75, 3.5)], ONE)][:2] == [
        "c-09",
        "c-10",
    ]


def test_without_known_revenue_the_probability_ranks_and_the_known_come_first() -> None:
    looks = [event("usage.cancel_page.viewed", 0.5 + k / 9, customer="c-01", id=f"look {k}") for k in range(2)]
    values = [tick(0.1), *looks, *troubled(3, mrr=False), *days(1.25, 2)]
    assert opened(values, ONE)[0][0] == "c-01"
    known = troubled(1, first=5)
    assert opened([*values[:-4], *known, *days(1.25, 2)], ONE)[0][0] == "c-05"


def test_who_can_be_kept_goes_before_who_is_to_be_won_back_however_much_is_at_stake() -> None:
    left = [
        event("billing.subscription.started", 0, customer="rich", plan="p", mrr=9_000.0),
        *[event("billing.payment.failed", 1 + k / 100, customer="rich", invoice_id="i", attempt=k) for k in range(3)],
        event("billing.subscription.cancelled", 1.5, customer="rich", voluntary=False),
    ]
    policy = parse_policy("[budget]\nper_day_per_1000 = 300\nburst = 1")  # of four customers: one and a fifth a day
    opening = [name for name, _ in opened([*left, tick(2), *troubled(3, 8), *days(8.5, 11.5)], policy)]
    assert opening == ["c-02", "c-01", "c-00", "rich"]


def test_who_is_no_longer_at_risk_waits_no_more() -> None:
    paid = event("billing.invoice.paid", 1.6, customer="c-08", invoice_id="i", amount=1.0)
    found = opened([*troubled(10), tick(1.25), paid, *days(1.75, 3.5)], ONE)
    assert [name for name, _ in found] == ["c-09", "c-07", "c-06"]
    p, _ = fold([*troubled(10), tick(1.25), paid, tick(1.75)], ONE)
    held = [key for key, state in sorted(p.states.items()) if is_customer(key) and load(state).held_s]
    assert held == [b"c-00", b"c-01", b"c-02", b"c-03", b"c-04", b"c-05", b"c-06", b"c-07"]
    assert p.stats["held_back_budget"] == 9


def test_what_is_held_back_is_counted_once_and_the_pressure_is_shown() -> None:
    p, _ = fold([*troubled(10), *days(1.25, 2)], ONE)
    assert (p.stats["held_back_budget"], p.stats["alerts_opened"]) == (9, 1)
    assert p.stats["budget_used_permille"] == 250  # a day's alert was taken, and three quarters of it are there again
    assert fold([tick(1)])[0].stats["budget_used_permille"] == 0


def test_only_so_many_are_compared_anew_and_the_others_are_looked_at_later() -> None:
    p = parse_policy("[budget]\nper_day_per_1000 = 2400\nburst = 1\nwaiting_most = 2\nlook_again_s = 7200")
    found, _ = fold([*troubled(10), tick(1.25)], p)  # a day's budget of 24 is there: all of them go out
    assert found.stats["held_back_budget"] == 0
    purse = Purse(parts=0, customers=10)
    assert [look_again_s(purse, 1_000, rank, p.budget) for rank in (0, 1, 2)] == [4_600, 4_600, 8_200]
    assert look_again_s(Purse(parts=0), 1_000, 0, p.budget) == 8_200


def test_escalations_and_ends_cost_nothing() -> None:
    leaving = [
        event("usage.data.exported", 1.3, customer="c-09"),
        event("usage.cancel_page.viewed", 1.35, customer="c-09"),
        event("billing.auto_renew.disabled", 1.4, customer="c-09"),
        event("billing.subscription.cancelled", 1.45, customer="c-09"),
    ]
    found = alerts_of(fold([*troubled(10), tick(1.25), *leaving], ONE)[1])
    assert [a.type.split(".")[2] for a in found] == ["opened", "escalated", "resolved"]


@pytest.mark.parametrize(("overdraws", "expected"), [(False, 1), (True, 2)])
def test_a_critical_one_overdraws_only_where_the_policy_says_so_and_one_burst_at_most(
    overdraws: bool, expected: int
) -> None:
    policy = parse_policy(
        f"[budget]\nper_day_per_1000 = 1\nburst = 1\ncritical_overdraws = {str(overdraws).lower()}\n"
        "[alerts]\nband_critical = 0.205"
    )
    assert len(opened([*troubled(10), tick(1.1)], policy)) == expected


def test_an_urgent_event_before_the_first_tick_finds_the_purse_full() -> None:
    looks = [event("billing.auto_renew.disabled", 1), event("usage.cancel_page.viewed", 1.01)]
    assert len(opened([*looks, event("usage.data.exported", 1.02), tick(1.1)])) == 1


def test_a_customer_who_is_erased_has_no_share() -> None:
    p = partition()
    p.feed(records([*troubled(3), tick(1.1), event("privacy.erasure.requested", 2, customer="c-00", request_id="r")]))
    assert p.world.purse.customers == 2
    p.snapshot()
    assert partition(dict(p.states)).world.purse.customers == 2
    p.feed(records([event("privacy.erasure.requested", 3, customer="never-seen", request_id="r")], first_offset=99))
    assert p.world.purse.customers == 2


def spoil(c: Customer, d: FeatureUsed, time_s: int, event_id: str) -> None:
    c.days = dict.fromkeys(DAYS_KEPT, b"?")  # not counts by day: who reads them fails


def test_a_customer_who_cannot_be_read_has_no_share_however_often_that_is_tried() -> None:
    p = partition(handlers={**HANDLERS, FeatureUsed: spoil})
    bad = [
        value
        for i in range(5)
        for value in (event("usage.feature.used", 1 + i / 10, customer="bad", feature="f"), tick(1.05 + i / 10))
    ]
    p.feed(records([*troubled(2), *bad]))
    assert len(p.snapshot().writes[DEAD]) == 5
    assert p.world.purse.customers == 2


@given(st.integers(0, 10_000), st.lists(st.integers(0, 5 * DAY_S), max_size=12), st.floats(0.001, 1_000))
def test_filling_often_or_seldom_gives_the_same_and_never_more_than_fits(
    customers: int, times: list[int], per_day: float
) -> None:
    p = BudgetPolicy(per_day_per_1000=per_day)
    often, seldom = Purse(parts=0, customers=customers), Purse(parts=0, customers=customers)
    for now_s in sorted(times):
        fill(often, now_s, p)
    fill(seldom, max(times, default=0), p)
    assert often == seldom
    assert often.parts <= capacity(customers, p)
    assert seldom.parts == min(capacity(customers, p), max(times, default=0) * per_second(customers, p))


def test_the_shares_of_the_partitions_add_up_to_the_budget() -> None:
    p = BudgetPolicy(per_day_per_1000=12.5, burst=1)
    whole, shares = per_second(8_000, p), [per_second(n, p) for n in (500, 2_500, 5_000)]
    assert sum(shares) == whole
    assert whole * DAY_S == 100 * TOKEN


# -- the control group -----------------------------------------------------------------------------------------------

ALL = parse_policy("[hold_out]\nshare = 1.0")


def delivered(found: list[AlertEvent]) -> set[str]:
    return {a.data.delivery for a in found}


def test_the_control_group_is_logged_and_nothing_else() -> None:
    p, snapshot = fold([*troubled(3), tick(1.1), tick(60)], ALL)
    assert delivered(alerts_of(snapshot)) == {"hold_out"}
    assert len(snapshot.writes[ALERTS]) > 3  # its life goes on as that of any other
    assert CURRENT not in snapshot.writes
    assert (p.stats["held_back_hold_out"], p.stats["held_back_budget"]) == (3, 0)
    assert delivered(alerts_of(fold([*troubled(3), tick(1.1)])[1])) == {"deliver"}


def test_the_control_group_takes_nothing_from_the_budget_and_waits_for_it_as_any_other() -> None:
    """Else the alerts that are delivered would be those of the best customers, and the others not."""
    policy = parse_policy("[budget]\nper_day_per_1000 = 50\nburst = 1\n[hold_out]\nshare = 0.5")
    held = [is_held_out(f"c-{i:02}", policy.hold_out) for i in range(20)]
    ranked = [f"c-{i:02}" for i in range(19, -1, -1)]
    first, second = [i for i, name in enumerate(ranked) if not held[int(name[2:])]][:2]
    found = [a.data for a in alerts_of(fold([*troubled(20), *days(1.25, 2.25)], policy)[1])]
    assert [a.customer_id for a in found] == ranked[: second + 1]
    assert {a.as_of[8:10] for a in found[: first + 1]} == {"02"}
    assert {a.as_of[8:10] for a in found[first + 1 :]} == {"03"}


@pytest.mark.parametrize("held_out", [False, True])
def test_an_alert_that_could_not_be_written_gives_back_what_it_took_and_no_more(held_out: bool) -> None:
    purse, place = Purse(parts=3 * TOKEN, customers=10), (False, -1.0, -0.2, b"c-1", held_out)
    assert list(shared_out([(place, "c-1")], purse, 0, POLICY)) == [("c-1", None)]
    give_back(purse, place)
    assert purse.parts == 3 * TOKEN


def test_an_alert_stays_with_its_group_when_the_share_changes() -> None:
    p = partition(policy=ALL)
    values = [*troubled(1), tick(1.1)]
    p.feed(records(values))
    p.snapshot()
    p = partition(dict(p.states))  # the default policy holds out nobody
    p.feed(records([event("billing.invoice.paid", 2, customer="c-00", invoice_id="i", amount=1.0), tick(2.1), tick(9)],
                   first_offset=len(values)))  # fmt: skip
    snapshot = p.snapshot()
    assert delivered(alerts_of(snapshot)) == {"hold_out"}
    assert CURRENT not in snapshot.writes


def test_the_group_is_a_fair_share_stable_and_grows_by_adding() -> None:
    names = [f"customer-{i}" for i in range(4_000)]
    small = {n for n in names if is_held_out(n, HoldOutPolicy(share=0.1))}
    large = {n for n in names if is_held_out(n, HoldOutPolicy(share=0.3))}
    other = {n for n in names if is_held_out(n, HoldOutPolicy(share=0.1, salt="another"))}
    assert 340 < len(small) < 460
    assert small < large
    assert small != other


@pytest.mark.parametrize(
    "text", ["[budget]\nper_day_per_1000 = 0", "[hold_out]\nshare = 1.5", "[win_back]\nthreshold = 2"]
)
def test_a_number_that_cannot_be_meant_is_refused_by_name(text: str) -> None:
    with pytest.raises(PolicyError, match=text.split("\n")[1].split(" ")[0]):
        parse_policy(text)
