"""docs/events.md tells of every type and field, and its examples are accepted."""

import re
from pathlib import Path

import msgspec
import pytest

from schemas.deadletters import REASONS
from schemas.describe import described
from schemas.events import EVENT_TYPES
from schemas.intake import Accepted, read_event

DOCUMENT = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
NOW_S = 1_772_700_000.0


def test_the_generated_parts_are_fresh() -> None:
    assert described(DOCUMENT) == DOCUMENT, "replace docs/events.md by schemas.describe.described(its text)"


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_type_and_field_is_documented(name: str) -> None:
    section = DOCUMENT.split(f"#### `{name}`\n")[1].split("\n###")[0]
    fields = [field.name for field in msgspec.structs.fields(EVENT_TYPES[name])]
    assert fields == re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("reason", REASONS)
def test_every_dead_letter_reason_is_documented(reason: str) -> None:
    assert f"| `{reason}` |" in DOCUMENT


def test_the_structured_example_is_accepted() -> None:
    [line] = re.findall(r"^\{.*\}$", DOCUMENT, re.MULTILINE)
    assert isinstance(read_event(line.encode(), (), NOW_S), Accepted)


def test_the_binary_example_is_accepted() -> None:
    [(value, options)] = re.findall(r"^echo '(.*)' \| kcat ((?:.*\\\n)*.*)$", DOCUMENT, re.MULTILINE)
    headers = [(name, text.encode()) for name, text in re.findall(r"-H ([\w-]+)=(\S+)", options)]
    assert isinstance(read_event(value.encode(), headers, NOW_S), Accepted)


def test_a_document_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        described("# Events")
