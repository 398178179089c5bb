"""TLS and users for Kafka: what the settings say is what the clients are told, and no secret is shown."""

from __future__ import annotations

import ast
import logging
import ssl
from pathlib import Path

import pytest

from streams.app import client_options as worker_options
from streams.brokers import client_options
from streams.security import security_of, security_options
from streams.settings import Secret, SettingError, Settings

ROOT = Path(__file__).parents[2]
K = "CHURNWATCH_KAFKA_"


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("tiger\n")
    return path


def user(password: Path, **more: str) -> dict[str, str]:
    said = {"PROTOCOL": "sasl_ssl", "USER": "worker", "PASSWORD_FILE": str(password), **more}
    return {K + name: value for name, value in said.items()}


def test_without_settings_nothing_is_secured() -> None:
    assert client_options("h:1", "me", {}) == {
        "bootstrap_servers": "h:1",
        "client_id": "me",
        "security_protocol": "PLAINTEXT",
    }


def test_a_user_is_told_to_the_clients_of_commands_and_of_a_worker(password: Path) -> None:
    env = user(password)
    for options in (client_options("h:1", "me", env), worker_options(Settings.from_env(env))):
        assert options["security_protocol"] == "SASL_SSL"
        assert options["sasl_mechanism"] == "SCRAM-SHA-512"
        assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("worker", "tiger")
        context = options["ssl_context"]
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_neither_a_password_nor_a_token_is_in_a_repr(password: Path) -> None:
    env = {**user(password), "CHURNWATCH_OPS_TOKEN": "lion"}
    settings = Settings.from_env(env)
    shown = f"{settings!r} {settings} {security_options(settings)}"
    assert "tiger" not in shown
    assert "lion" not in shown
    assert settings.ops_token == "lion"
    assert repr(Secret("x")) == repr(Secret("y"))


def test_a_new_password_is_read_with_the_next_client(password: Path) -> None:
    assert client_options("h:1", "me", user(password))["sasl_plain_password"] == "tiger"
    password.write_text("lion")
    assert client_options("h:1", "me", user(password))["sasl_plain_password"] == "lion"


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"PROTOCOL": "tls"}, "PROTOCOL"),
        ({"PROTOCOL": "sasl_ssl"}, "USER"),
        ({"PROTOCOL": "sasl_ssl", "USER": "me"}, "PASSWORD_FILE"),
        ({"USER": "me"}, "USER"),
        ({"PASSWORD_FILE": "/x"}, "PASSWORD_FILE"),
        ({"CA_FILE": "/x"}, "CA_FILE"),
        ({"PROTOCOL": "ssl", "USER": "me"}, "USER"),
        ({"PROTOCOL": "ssl", "CERT_FILE": "/x"}, "KEY_FILE"),
        ({"PROTOCOL": "ssl", "KEY_FILE": "/x"}, "CERT_FILE"),
        ({"PROTOCOL": "sasl_plaintext", "USER": "me", "PASSWORD_FILE": "/x", "MECHANISM": "plain"}, "MECHANISM"),
        ({"PROTOCOL": "sasl_ssl", "MECHANISM": "gssapi"}, "MECHANISM"),
        ({"PASSWORD": "tiger"}, "PASSWORD"),
    ],
)
def test_what_does_not_agree_is_refused_by_the_variables_name(said: dict[str, str], refused: str) -> None:
    with pytest.raises(SettingError, match=f"^{K}{refused}: ") as error:
        security_of({K + name: value for name, value in said.items()})
    assert "tiger" not in str(error.value)


@pytest.mark.parametrize("content", ["", "\n", "tiger\nlion\n", b"\xfftiger"])
def test_a_password_file_without_one_line_is_refused_and_not_shown(password: Path, content: str | bytes) -> None:
    password.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingError, match=f"^{K}PASSWORD_FILE: ") as error:
        client_options("h:1", "me", user(password))
    assert "tiger" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content"), [("CA_FILE", None), ("CA_FILE", "tiger"), ("CERT_FILE", None), ("KEY_FILE", "tiger")]
)
def test_a_file_that_is_no_certificate_or_key_is_refused_by_its_variable(
    tmp_path: Path, password: Path, name: str, content: str | None
) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_text(content)
    files = {name: str(path)} if name == "CA_FILE" else {"CERT_FILE": str(path), "KEY_FILE": str(path)}
    with pytest.raises(SettingError, match=f"^{K}{name}: {path} ") as error:
        client_options("h:1", "me", user(password, **files))
    assert "tiger" not in str(error.value)


def test_aiokafkas_requests_are_never_logged_since_one_of_them_is_the_password() -> None:
    from streams.logs import set_up_logs

    before = logging.getLogger().handlers[:]
    try:
        set_up_logs(Settings.from_env({"CHURNWATCH_LOG_LEVEL": "debug"}))
        assert not logging.getLogger("aiokafka.conn").isEnabledFor(logging.INFO)
        assert logging.getLogger("aiokafka.consumer").isEnabledFor(logging.DEBUG)
    finally:
        logging.getLogger().handlers[:] = before
        logging.getLogger().setLevel(logging.WARNING)


def test_every_client_of_kafka_is_told_of_its_security() -> None:
    """A client that names the servers itself would go without TLS and without a user."""
    told = []
    for path in (ROOT / "streams").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1].startswith("AIOKafka"):
                names = [keyword.arg for keyword in node.keywords]
                assert None in names, f"{path}:{node.lineno} is given no options"
                assert "bootstrap_servers" not in names, f"{path}:{node.lineno}"
                told.append(path)
    assert len(told) > 8
