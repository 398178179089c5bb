"""The contracts for readers in other languages: one JSON Schema per type, and one AsyncAPI 3 document of all topics.

Rules: everything here derives from the Structs and the topic table; the same code gives the same bytes, and a test
compares them with the files in schemas/exported.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.alerts import ALERT_TYPES, SCHEMA_VERSION, AlertEvent, ChurnType, RiskLevel
from schemas.deadletters import REASONS, DeadLetterLine
from schemas.erasure import Erased
from schemas.events import EVENT_CLASSES, TYPES_OF_TOPIC
from schemas.insights_learned import LEARNED_INSIGHTS
from schemas.insights_live import LIVE_INSIGHTS
from schemas.journal import CONTROL_TYPES
from schemas.model_commands import COMMAND_TYPES
from schemas.scores import ScoreRow
from schemas.topics import (
    ALERTS,
    ALERTS_CURRENT,
    COMPACTED_WITHIN_MS,
    DEAD_LETTERS,
    EXAMPLES,
    INPUT_TOPICS,
    INSIGHTS,
    JOURNAL,
    SCORES,
    TOPICS,
    Topic,
)

Json = dict[str, Any]

_INSIGHTS: Final[dict[str, type[Struct]]] = {**LIVE_INSIGHTS, **LEARNED_INSIGHTS, "erasure": Erased}
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_OTHER_FILES: Final[Mapping[str, tuple[str, type[Struct]]]] = {
    "alert.json": ("churn.alert", AlertEvent),
    "score.json": ("score row", ScoreRow),
    **{f"{kind.split('.')[1]}.json": (kind, made) for kind, made in CONTROL_TYPES.items()},
    **{f"model_commands/{kind.split('.')[2]}.json": (kind, made) for kind, made in COMMAND_TYPES.items()},
    **{f"insights/{kind}.json": (f"insight {kind}", made) for kind, made in _INSIGHTS.items()},
    "dead_letter_line.json": ("dead letter line", DeadLetterLine),
}


def exported_files() -> dict[str, bytes]:
    """Every exported file: its path below schemas/exported, and its content.

    >>> sorted(name for name in exported_files() if "/" not in name)
    ['alert.json', 'asyncapi.json', 'dead_letter_line.json', 'feed.json', 'incident.json', 'model.json', \
'policy.json', 'score.json', 'tick.json']
    """
    files = {f"events/{name}.json": _schema(name, made) for name, made in EVENT_CLASSES.items()}
    files |= {path: _schema(title, made) for path, (title, made) in _OTHER_FILES.items()}
    files["asyncapi.json"] = asyncapi()
    return {path: _text(content) for path, content in sorted(files.items())}


def _text(content: Json) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n"


def _about(made: type[Struct]) -> str:
    return (made.__doc__ or "").strip()


def _schema(title: str, made: type[Struct]) -> Json:
    return {"$schema": _DIALECT, "title": title, "description": _about(made), **msgspec.json.schema(made)}


def asyncapi() -> Json:
    """The AsyncAPI 3 document: a channel per topic, an operation per reader or writer of ours, a message per type."""
    described = [*EVENT_CLASSES.values(), *(made for _, made in _OTHER_FILES.values() if made is not DeadLetterLine)]
    _, schemas = msgspec.json.schema_components(described, ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "churnwatch",
            "version": f"{SCHEMA_VERSION}.0.0",
            "description": "Events of customers in, alerts about those who are about to leave out. Names are without "
            "the prefix that a deployment may set. Within a version changes only add; a breaking change is a new type "
            "name with the suffix `.v2`.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS.values()},
        "operations": {key: value for topic in TOPICS.values() for key, value in _operations(topic).items()},
        "components": {"messages": _messages(), "schemas": schemas},
    }


def _messages_of(topic: Topic) -> tuple[str, ...]:
    if topic.name in INPUT_TOPICS:
        return tuple(TYPES_OF_TOPIC[topic.name])
    return {
        JOURNAL: (*EVENT_CLASSES, *CONTROL_TYPES),
        ALERTS: ("churn.alert",),
        ALERTS_CURRENT: ("churn.alert", "tombstone"),
        SCORES: ("score", "tombstone"),
        EXAMPLES: ("example", *COMMAND_TYPES),
        INSIGHTS: ("insight", "tombstone"),
        DEAD_LETTERS: ("dead_letter",),
    }[topic.name]


def _channel(topic: Topic) -> Json:
    settings: Json = {"cleanup.policy": [topic.cleanup]}
    if topic.cleanup == "compact":
        settings["max.compaction.lag.ms"] = COMPACTED_WITHIN_MS
    if topic.retention_ms is not None:
        settings["retention.ms"] = topic.retention_ms
    return {
        "address": topic.name,
        "description": f"{topic.holds[0].upper()}{topic.holds[1:]}. Key: {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages_of(topic)},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": settings,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations(topic: Topic) -> Json:
    """What this application does with a topic; what others do follows from it."""
    ours = {"intake", "clock", "detector", "learner"}
    channel = {"$ref": f"#/channels/{topic.name}"}
    sends = [role for role in topic.producers if role in ours]
    receives = [role for role in topic.consumers if role in ours]
    return {
        **{f"{role}.sends.{topic.name}": {"action": "send", "channel": channel} for role in sends},
        **{f"{role}.receives.{topic.name}": {"action": "receive", "channel": channel} for role in receives},
    }


def _messages() -> Json:
    messages = {name: _message(name, made) for name, made in EVENT_CLASSES.items()}
    messages |= {kind: _message(kind, made) for kind, made in {**CONTROL_TYPES, **COMMAND_TYPES}.items()}
    messages["churn.alert"] = {**_message("churn.alert", AlertEvent), "headers": _alert_headers()}
    messages["score"] = {**_message("score", ScoreRow), "contentType": "application/json"}
    messages["tombstone"] = {
        "name": "tombstone",
        "summary": "No value: what the key named is over, or was erased.",
        "payload": {"type": "null"},
    }
    messages["example"] = {
        "name": "example",
        "summary": "For the learner alone: a feature snapshot, and its label once that is known.",
        "contentType": "application/json",
        "payload": {"type": "object"},
    }
    messages["insight"] = {
        "name": "insight",
        "summary": "What is true of many customers at once.",
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "properties": {"insight_id": {"type": "string"}, "kind": {"type": "string"}},
            "required": ["insight_id", "kind"],
            "anyOf": [
                *({"$ref": f"#/components/schemas/{made.__name__}"} for made in _INSIGHTS.values()),
                {"not": {"properties": {"kind": {"enum": list(_INSIGHTS)}}}},
            ],
        },
    }
    messages["dead_letter"] = {
        "name": "dead_letter",
        "summary": "What could not be used: key and value as they came, original headers first.",
        "contentType": "application/octet-stream",
        "headers": _dead_letter_headers(),
        "payload": {},
    }
    return messages


def _message(name: str, made: type[Struct]) -> Json:
    return {
        "name": name,
        "summary": _about(made),
        "payload": {"$ref": f"#/components/schemas/{made.__name__}"},
    }


def _headers(properties: Mapping[str, Json]) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _words(literal: Any) -> Json:
    return {"type": "string", "enum": list(literal.__args__)}


def _alert_headers() -> Json:
    text = {"type": "string"}
    return _headers(
        {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": {"type": "string", "description": "alert_id.revision"},
            "ce_source": text,
            "ce_type": {"type": "string", "enum": list(ALERT_TYPES.values())},
            "ce_subject": {"type": "string", "description": "the customer id"},
            "ce_time": {"type": "string", "format": "date-time"},
            "risk_level": _words(RiskLevel),
            "churn_type": _words(ChurnType),
            "content-type": text,
        }
    )


def _dead_letter_headers() -> Json:
    text, number = {"type": "string"}, {"type": "string", "pattern": "^-?[0-9]+$"}
    return _headers(
        {
            "churn_dlq-reason": {
                "type": "string",
                "enum": list(REASONS),
                "description": "\n".join(f"{reason}: {meaning}" for reason, meaning in REASONS.items()),
            },
            "churn_dlq-detail": {"type": "string", "description": "field path and expectation, never the payload"},
            "churn_dlq-stage": {"type": "string", "enum": ["intake", "detector"]},
            "churn_dlq-original-topic": text,
            "churn_dlq-original-partition": number,
            "churn_dlq-original-offset": number,
            "churn_dlq-original-timestamp": {**number, "description": "milliseconds since the Unix epoch"},
            "churn_dlq-attempts": number,
            "churn_dlq-app-version": text,
            "kafka_dlt-original-topic": text,
            "kafka_dlt-original-partition": {"type": "string", "description": "4 bytes, big-endian"},
            "kafka_dlt-original-offset": {"type": "string", "description": "8 bytes, big-endian"},
            "kafka_dlt-original-timestamp": {"type": "string", "description": "8 bytes, big-endian"},
        }
    )
