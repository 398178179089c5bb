"""What kind of leaving a group of signals stands for, and what to do about it: the day-0 tables of the policy."""

from schemas.alerts import ChurnType, LifecycleStage

CHURN_TYPES: dict[str, ChurnType] = {  # signal group → what kind of leaving it is; `billing` is the payment that fails
    "billing": "involuntary",
    "service": "service",
    "promise": "service",
    "fairness": "price",
    "price": "price",
    "marketing": "unrecognised",
    "loyalty": "unrecognised",
    "relationship": "unrecognised",
    "value": "drifting",
    "quality": "product",
    "tech": "product",
    "availability": "product",
    "exit": "competitor",
    "onboarding": "never_activated",
    "lead": "never_activated",
    "lifecycle": "drifting",
}

WIN_BACK: dict[ChurnType, float] = {  # day-0 potential by type, from the catalogue: high, middle, low-middle, low
    "involuntary": 0.8,
    "service": 0.8,
    "unrecognised": 0.8,
    "price": 0.5,
    "product": 0.5,
    "competitor": 0.35,
    "never_activated": 0.2,
    "drifting": 0.2,
}

PLAYBOOKS: dict[str, tuple[str, ...]] = {  # signal group, or one signal → what to do, best first
    "billing": ("update_payment_method", "call_back_and_own_it"),
    "service": ("call_back_and_own_it", "resolve_oldest_ticket", "apologise_and_compensate"),
    "promise": ("apologise_and_compensate", "call_back_and_own_it"),
    "fairness": ("explain_bill_and_fix_fee", "apologise_and_compensate"),
    "price": ("right_size_plan", "match_newcomers_offer", "explain_bill_and_fix_fee"),
    "marketing": ("give_before_asking",),
    "loyalty": ("give_before_asking", "match_newcomers_offer"),
    "relationship": ("give_before_asking", "invite"),
    "value": ("show_fitting_feature", "give_before_asking"),
    "quality": ("proactive_incident_note", "call_back_and_own_it"),
    "tech": ("proactive_incident_note", "resolve_oldest_ticket"),
    "availability": ("offer_alternative",),
    "exit": ("renewal_talk", "call_back_and_own_it"),
    "onboarding": ("show_fitting_feature", "invite"),
    "lead": ("show_fitting_feature", "invite"),
    "lifecycle": ("give_before_asking", "invite"),
    # What one signal asks for, instead of its group.
    "promise.price_gap": ("explain_bill_and_fix_fee", "apologise_and_compensate"),
    "marketing.unheard": ("call_back_and_own_it", "give_before_asking"),
    "value.seats_shrinking": ("right_size_plan", "show_fitting_feature"),
    "exit.downgrade": ("show_fitting_feature", "right_size_plan"),
    "tech.unsupported": ("resolve_oldest_ticket", "call_back_and_own_it", "proactive_incident_note"),
    "relationship.moment_of_truth_failed": ("call_back_and_own_it", "apologise_and_compensate", "give_before_asking"),
    "relationship.giving_balance": ("apologise_and_compensate", "give_before_asking"),
}

_BEGINNER: dict[str, tuple[str, ...]] = {
    "exit": ("call_back_and_own_it", "show_fitting_feature"),
    "value": ("show_fitting_feature", "invite"),
    "price": ("explain_bill_and_fix_fee", "right_size_plan"),
}
_AT_RENEWAL: dict[str, tuple[str, ...]] = {
    "price": ("renewal_talk", "right_size_plan", "match_newcomers_offer", "explain_bill_and_fix_fee"),
    "value": ("show_fitting_feature", "renewal_talk"),
    "lifecycle": ("renewal_talk", "right_size_plan", "give_before_asking"),
    "loyalty": ("match_newcomers_offer", "give_before_asking", "renewal_talk"),
}

STAGE_PLAYBOOKS: dict[LifecycleStage, dict[str, tuple[str, ...]]] = {  # where a stage of life asks for something else
    "lead": _BEGINNER,
    "trial": _BEGINNER,
    "onboarding": _BEGINNER,
    "at_renewal": _AT_RENEWAL,
}

PLAYBOOK_TEXT = {
    "call_back_and_own_it": "Call back, own the problem, and stay with it until it is solved.",
    "resolve_oldest_ticket": "Resolve the oldest open ticket now.",
    "apologise_and_compensate": "Apologise and make good what went wrong.",
    "explain_bill_and_fix_fee": "Explain the bill line by line and fix what should not be on it.",
    "match_newcomers_offer": "Give this customer at least what newcomers are offered.",
    "right_size_plan": "Offer the plan that fits what is really used.",
    "give_before_asking": "Give something useful (a tip, training, a benefit) before asking for anything.",
    "invite": "Invite to an event or a launch.",
    "show_fitting_feature": "Show the feature that fits what this customer does.",
    "proactive_incident_note": "Say what broke, since when, and when it will be fixed, before being asked.",
    "offer_alternative": "Offer an alternative, a partner or a bridge for what is unavailable, with an honest date.",
    "update_payment_method": "Help to update the payment method; retry the payment gently.",
    "renewal_talk": "Talk about the renewal now, with an open question first.",
    "win_back_offer": "Make a win-back offer that answers the reason for leaving.",
    "leave_in_peace": "Leave in peace; keep the door open.",
}
