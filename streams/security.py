"""How a client proves to Kafka who it is, and Kafka to the client: TLS and SASL, from files that the settings name.

Rules: every client of ours takes its options from here; a password is read from its file when a client is made, so a
new one counts from the next start, and it is never in a message, a log or a repr; a file that cannot be used is
refused by the name of its variable, and what is in it is not shown.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from streams.settings import Secret, SettingError, Settings, variable

OURS: Final = "CHURNWATCH_KAFKA_"


def security_of(env: Mapping[str, str]) -> Settings:
    """Settings of Kafka's security alone, for commands that need no other; raises SettingError, naming the variable.

    >>> security_of({"CHURNWATCH_KAFKA_PROTOCOL": "ssl", "CHURNWATCH_TICK_MS": "soon"}).kafka_protocol
    'ssl'
    """
    return Settings.from_env({name: text for name, text in env.items() if name.startswith(OURS)})


def security_options(settings: Settings) -> dict[str, Any]:
    """What aiokafka's clients are told beside the address; raises SettingError for a file that cannot be used.

    >>> security_options(Settings())
    {'security_protocol': 'PLAINTEXT'}
    """
    protocol = settings.kafka_protocol
    options: dict[str, Any] = {"security_protocol": protocol.upper()}
    if protocol.endswith("ssl"):
        options["ssl_context"] = tls_context(settings)
    if protocol.startswith("sasl"):
        options["sasl_mechanism"] = settings.kafka_mechanism.upper()
        options["sasl_plain_username"] = settings.kafka_user
        options["sasl_plain_password"] = _password(settings)
    return options


def tls_context(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 or newer that checks the broker's certificate and its name."""
    for field in ("kafka_ca_file", "kafka_cert_file", "kafka_key_file"):
        if getattr(settings, field):
            _read(field, getattr(settings, field))  # ssl itself does not say which file is missing
    context = ssl.create_default_context()
    if settings.kafka_ca_file:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody beside those in the file
        try:
            context.load_verify_locations(cafile=settings.kafka_ca_file)
        except ssl.SSLError:
            _refuse("kafka_ca_file", settings.kafka_ca_file, "holds no certificate in PEM")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.kafka_cert_file:
        # Without the callback OpenSSL would ask the terminal for the passphrase, and wait.
        try:
            context.load_cert_chain(settings.kafka_cert_file, settings.kafka_key_file, password=lambda: b"")
        except (ssl.SSLError, ValueError):
            reason = f"is not the key, in PEM and without a passphrase, of {variable('kafka_cert_file')}"
            _refuse("kafka_key_file", settings.kafka_key_file, reason)
    return context


def _password(settings: Settings) -> Secret:
    field, path = "kafka_password_file", settings.kafka_password_file
    try:
        password = _read(field, path).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        _refuse(field, path, "is not UTF-8")
    if not password or "\n" in password:
        _refuse(field, path, "must hold one line, the password")
    return Secret(password)


def _read(field: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        _refuse(field, path, f"cannot be read ({error.strerror})")


def _refuse(field: str, path: str, reason: str) -> NoReturn:
    raise SettingError(f"{variable(field)}: {path} {reason}") from None
