"""The event types are those of the contract, field by field."""

import msgspec
import pytest

from schemas.events import (
    EVENT_CLASSES,
    EVENT_TYPES,
    TOPIC_OF_TYPE,
    TYPE_OF,
    TYPES_OF_TOPIC,
    Event,
    decode_event,
    encode_event,
)
from schemas.fields import Data
from schemas.topics import INPUT_TOPICS

# The contract's own notation: a question mark where a field may be left out, a value where it has a default.
CONTRACT = """
billing.subscription.started plan mrr currency? trial? term_months? contract_ends_at? acquired_via?
billing.subscription.renewed plan mrr contract_ends_at?
billing.subscription.cancelled voluntary=true reason? effective_at?
billing.plan.changed old_plan new_plan old_mrr new_mrr
billing.price.changed old_mrr new_mrr effective_at notified_at?
billing.terms.changed summary? notified_at?
billing.invoice.issued invoice_id amount currency? quoted_amount? overage_amount? fees?
billing.invoice.paid invoice_id amount
billing.payment.failed invoice_id attempt reason?
billing.refund.issued amount reason?
billing.dispute.opened dispute_id amount?
billing.dispute.resolved dispute_id for_customer
billing.discount.ending ends_at old_mrr new_mrr
billing.auto_renew.disabled
billing.order.placed order_id amount items?
support.ticket.opened ticket_id topic? channel? priority? sla_hours?
support.ticket.updated ticket_id by
support.ticket.transferred ticket_id
support.ticket.reopened ticket_id
support.ticket.resolved ticket_id resolution
support.ticket.rated ticket_id csat
support.call.answered call_id wait_s topic?
support.call.abandoned call_id wait_s
support.interaction.assessed interaction_id agent_tone? customer_sentiment? competitor? mentions_leaving?
support.promise.made promise_id due_at what?
support.promise.kept promise_id
support.promise.broken promise_id
support.request.refused request? alternative_offered
app.error.raised code fatal feature? count=1
app.outage.started outage_id service
app.outage.ended outage_id
usage.session.started client?
usage.session.ended duration_s
usage.feature.used feature count=1 duration_s?
usage.feature.released feature
usage.seats.changed old new
usage.quota.reported used included
usage.data.exported what?
usage.cancel_page.viewed
usage.integration.removed name?
engagement.offer.sent offer_id channel? for_newcomers_only? mrr?
engagement.offer.accepted offer_id
engagement.offer.dismissed offer_id
engagement.opted_out channel
engagement.contact.made purpose channel?
engagement.benefit.granted kind value?
engagement.survey.answered kind score?
engagement.feedback.answered
engagement.market_price.seen competitor mrr
engagement.referral.made
engagement.lead.registered
fulfilment.item.unavailable item response
fulfilment.order.delayed order_id promised_at new_promised_at? informed
fulfilment.order.fulfilled order_id promised_at? fulfilled_at
retention.alert.acknowledged alert_id by
retention.alert.snoozed alert_id until reason? by
retention.customer.contacted alert_id? playbook channel? by
retention.alert.resolved alert_id outcome note? by
privacy.erasure.requested request_id
"""


def written(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return field.encode_name
    if field.default is None:
        return f"{field.encode_name}?"
    return f"{field.encode_name}={msgspec.json.encode(field.default).decode()}"


def test_every_type_has_the_fields_of_the_contract_and_no_others() -> None:
    ours = {name: {written(field) for field in msgspec.structs.fields(data)} for name, data in EVENT_TYPES.items()}
    contract = {line.split()[0]: set(line.split()[1:]) for line in CONTRACT.strip().splitlines()}
    assert contract == ours


def test_each_struct_belongs_to_one_type_and_each_type_to_one_input_topic() -> None:
    assert {name: TYPE_OF[data] for name, data in EVENT_TYPES.items()} == {name: name for name in EVENT_TYPES}
    assert tuple(TYPES_OF_TOPIC) == INPUT_TOPICS
    assert sum(len(types) for types in TYPES_OF_TOPIC.values()) == len(EVENT_TYPES) == len(TOPIC_OF_TYPE)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_struct_is_named_after_its_type(name: str) -> None:
    words = name.replace(".", "_").split("_")[1:]
    # The customer's alert, ticket or promise is in the type's name; privacy and the rest drop the source alone.
    assert "".join(word.capitalize() for word in words) == EVENT_TYPES[name].__name__


@pytest.mark.parametrize("data", [*EVENT_TYPES.values(), *EVENT_CLASSES.values()])
def test_structs_never_change_and_cost_the_garbage_collector_nothing(data: type[Data] | type[Event]) -> None:
    config = data.__struct_config__
    assert (config.frozen, config.gc) == (True, False)


def test_what_has_no_required_field_may_come_without_data() -> None:
    value = (
        b'{"specversion":"1.0","type":"engagement.referral.made","id":"1","source":"/crm","subject":"c",'
        b'"time":"2026-03-04T05:06:07Z"}'
    )
    event = decode_event(value)
    assert EVENT_TYPES["engagement.referral.made"]() == event.data
    assert decode_event(encode_event(event)) == event


def test_an_encoded_event_leaves_out_what_is_not_there() -> None:
    value = (
        b'{"type":"usage.feature.used","specversion":"1.0","id":"1","source":"/app","subject":"c",'
        b'"time":"2026-03-04T05:06:07Z","data":{"feature":"reports"}}'
    )
    assert value == encode_event(decode_event(value))
