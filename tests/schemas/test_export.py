"""The exported contracts are fresh, whole, and point nowhere that is not there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.events import EVENT_TYPES, TYPES_OF_TOPIC
from schemas.export import exported_files
from schemas.topics import TOPICS

EXPORTED = Path(__file__).parents[2] / "schemas" / "exported"
FILES = exported_files()


def test_the_exported_files_are_fresh() -> None:
    found = {path.relative_to(EXPORTED).as_posix(): path.read_bytes() for path in EXPORTED.rglob("*.json")}
    stale = sorted(name for name in FILES.keys() | found.keys() if FILES.get(name) != found.get(name))
    assert not stale, "run: churnwatch schema export schemas/exported"


def test_every_event_type_has_its_schema() -> None:
    assert {f"events/{name}.json" for name in EVENT_TYPES} == {name for name in FILES if name.startswith("events/")}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.mark.parametrize("name", FILES)
def test_every_reference_leads_to_something_in_the_same_file(name: str) -> None:
    document = json.loads(FILES[name])
    for reference in references(document):
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


@pytest.mark.parametrize("name", [name for name in FILES if name != "asyncapi.json"])
def test_every_schema_has_a_title_and_every_object_in_it_a_description(name: str) -> None:
    schema = json.loads(FILES[name])
    assert schema["title"]
    assert all(part["description"] for part in [schema, *schema["$defs"].values()])


def test_the_asyncapi_document_has_a_channel_for_every_topic_and_its_types() -> None:
    document = json.loads(FILES["asyncapi.json"])
    assert document["asyncapi"] == "3.0.0"
    assert list(TOPICS) == list(document["channels"])
    for topic, types in TYPES_OF_TOPIC.items():
        assert list(types) == list(document["channels"][topic]["messages"])
    kafka = document["channels"]["churn.dlq"]["bindings"]["kafka"]
    assert kafka["topicConfiguration"] == {"cleanup.policy": ["delete"], "retention.ms": 1_209_600_000}


def test_every_message_of_the_asyncapi_document_is_on_a_channel_and_every_channel_in_an_operation() -> None:
    document = json.loads(FILES["asyncapi.json"])
    on_channels = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert set(document["components"]["messages"]) == on_channels
    operated = {operation["channel"]["$ref"].rsplit("/", 1)[1] for operation in document["operations"].values()}
    assert set(document["channels"]) == operated
