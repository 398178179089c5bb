"""The environment is read once, and refused by the variable's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.settings import VARIABLES, SettingError, Settings, settings_table

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()


def test_a_variable_that_is_empty_is_as_if_it_were_not_there() -> None:
    assert Settings.from_env(dict.fromkeys(VARIABLES, " ")) == Settings()


def test_every_default_can_be_written_out_and_read_again() -> None:
    shown = {}
    for name, row in VARIABLES.items():
        value = getattr(Settings(), row.field)
        shown[name] = (
            ",".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else f"{value}"
        )
    assert Settings.from_env(shown) == Settings()


def test_every_field_has_its_variable() -> None:
    assert [row.field for row in VARIABLES.values()] == list(Settings.__struct_fields__)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("KAFKA_BOOTSTRAP", "localhost"),
        ("KAFKA_BOOTSTRAP", "localhost:99999"),
        ("KAFKA_BOOTSTRAP", "a:1,,b:2"),
        ("CHURNWATCH_APP_ID", "two words"),
        ("CHURNWATCH_TOPIC_PREFIX", "a/b"),
        ("CHURNWATCH_ROLES", "intake,cook"),
        ("CHURNWATCH_CLOCK", "cuckoo"),
        ("CHURNWATCH_TICK_MS", "0"),
        ("CHURNWATCH_TICK_MS", "1e3"),
        ("CHURNWATCH_TICK_MS", "-5"),
        ("CHURNWATCH_TICK_MS", "nan"),
        ("CHURNWATCH_EVENT_TICK_S", "0.5"),
        ("CHURNWATCH_IDLE_S", "inf"),
        ("CHURNWATCH_CHECKPOINT_MS", "9"),
        ("CHURNWATCH_STOP_DEADLINE_S", "soon"),
        ("CHURNWATCH_SESSION_TIMEOUT_MS", "100"),
        ("CHURNWATCH_MAX_HOT", "10"),
        ("CHURNWATCH_LOG_LEVEL", "loud"),
        ("CHURNWATCH_LOG_FORMAT", "xml"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_the_variables_name(name: str, text: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}: "):
        Settings.from_env({name: text})


def test_a_name_that_is_no_setting_is_refused_since_it_is_a_typing_error() -> None:
    with pytest.raises(SettingError, match=r"^CHURNWATCH_TICKS_MS: there is no such setting$"):
        Settings.from_env({"CHURNWATCH_TICKS_MS": "5"})


def test_variables_of_others_are_let_be() -> None:
    assert Settings.from_env({"PATH": "/bin", "KAFKA_HEAP_OPTS": "x", "CHURNWATCH_DEBUG": "1"}) == Settings()


def test_roles_are_in_one_order_and_once() -> None:
    assert Settings.from_env({"CHURNWATCH_ROLES": "detector, intake,detector"}).roles == ("intake", "detector")


def test_several_brokers_and_addresses_in_brackets_are_taken() -> None:
    assert Settings.from_env({"KAFKA_BOOTSTRAP": "[::1]:9092, b.example:9093"}).bootstrap == "[::1]:9092,b.example:9093"


def test_the_documented_settings_are_those_that_there_are() -> None:
    assert DOCS.read_text() == settings_table()
