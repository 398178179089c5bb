"""What to do about a customer: the playbooks of its strongest reasons, as its stage of life has them.

Rules: best first, each once; a signal's own playbooks come before its group's, and those of a stage before those for
everybody; what adds little beside the strongest reason brings none; a playbook that there is nothing to do by (no open
ticket to resolve, no contract to renew) is not recommended.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from detectors import kinds
from detectors.customer import Customer
from detectors.history.engagement import FOR_NEWCOMERS
from detectors.policy import Policy
from schemas.alerts import Action, LifecycleStage

if TYPE_CHECKING:
    from detectors.assess import Reason  # which needs the stages of life, and they the policy

ACTIONS: Final = 3


def has_open_ticket(c: Customer) -> bool:
    """Whether a ticket waits to be resolved."""
    return any(ticket.is_open for ticket in c.cases.get(kinds.TICKET, {}).values())


def saw_newcomers_offer(c: Customer) -> bool:
    """Whether an offer for newcomers only is known."""
    return any(offer.moved == FOR_NEWCOMERS for offer in c.cases.get(kinds.OFFERED, {}).values())


def has_contract(c: Customer) -> bool:
    """Whether there is something to renew: not in a trial, and not for those known by their orders alone."""
    return c.started_s > 0 and (c.subscribed_s > 0 or c.contract_s > 0)


ONLY_IF: Final[Mapping[str, Callable[[Customer], bool]]] = {
    "resolve_oldest_ticket": has_open_ticket,
    "match_newcomers_offer": saw_newcomers_offer,
    "renewal_talk": has_contract,
    "right_size_plan": has_contract,
}
"""Playbooks that need something to be there; all others are for everybody."""


def playbooks_for(code: str, stage: LifecycleStage, policy: Policy) -> tuple[str, ...]:
    """What answers a signal: as its stage has it, its own, or its group's."""
    group = code.split(".", 1)[0]
    of_stage = policy.stage_playbooks.get(stage, {})
    return of_stage.get(code) or policy.playbooks.get(code) or of_stage.get(group) or policy.playbooks.get(group, ())


def actions_for(
    c: Customer, reasons: "Sequence[Reason]", stage: LifecycleStage, win_back: float, policy: Policy
) -> tuple[Action, ...]:
    """Playbooks of the strongest reasons, best first; of one who has left, whether to try and win it back."""
    codes: list[str] = []
    if stage == "churned":
        codes.append("win_back_offer" if win_back >= policy.win_back.offer_from else "leave_in_peace")
    else:
        least = policy.alerts.action_share * max((reason.contribution for reason in reasons), default=0.0)
        for reason in reasons:
            if reason.contribution > 0 and reason.contribution >= least:
                codes += playbooks_for(reason.code, stage, policy)
    possible = [code for code in dict.fromkeys(codes) if (needs := ONLY_IF.get(code)) is None or needs(c)]
    return tuple(Action(code, policy.playbook_text[code]) for code in possible[:ACTIONS])
