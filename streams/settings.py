"""Settings from the environment, read once at the start.

Rules: every setting is one row here, with its default and its meaning; a bad value is refused by the variable's name;
an unknown variable that begins with CHURNWATCH_ is refused too, since it is a typing error. docs/settings.md is made
from this file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, get_args

import msgspec

from streams.failures import WrongUsage

Clock = Literal["wall", "events"]
Role = Literal["intake", "detector", "learner"]
LogFormat = Literal["auto", "json", "console"]
Protocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["scram-sha-512", "scram-sha-256", "plain"]
Traced = Literal["off", "otlp"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,120}")
ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s,:/]+):([0-9]{1,5})")


class SettingError(WrongUsage, ValueError):
    """A setting that cannot be used; the message begins with the variable's name."""


class Secret(str):
    """A text that is used as it is, and that nobody is shown: neither a log nor a traceback prints it.

    >>> {"password": Secret("tiger")}, Secret("tiger") == "tiger"
    ({'password': '…'}, True)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told from outside; the defaults suit a broker on this machine.

    >>> Settings.from_env({"CHURNWATCH_TICK_MS": "250"}).tick_ms
    250
    >>> Settings.from_env({"CHURNWATCH_TICK_MS": "soon"})
    Traceback (most recent call last):
    streams.settings.SettingError: CHURNWATCH_TICK_MS: 'soon' is not a whole number from 50 to 60000
    """

    bootstrap: str = "127.0.0.1:9092"
    kafka_protocol: Protocol = "plaintext"
    kafka_ca_file: str = ""
    kafka_cert_file: str = ""
    kafka_key_file: str = ""
    kafka_mechanism: Mechanism = "scram-sha-512"
    kafka_user: str = ""
    kafka_password_file: str = ""
    app_id: str = "churnwatch"
    topic_prefix: str = ""
    roles: tuple[Role, ...] = ROLES
    clock: Clock = "wall"
    tick_ms: int = 250
    event_tick_s: int = 3_600
    idle_s: float = 5.0
    checkpoint_ms: int = 100
    learner_save_s: float = 30.0
    data_dir: str = "./data"
    instance_id: str = ""
    session_timeout_ms: int = 10_000
    stop_deadline_s: float = 8.0
    max_hot: int = 50_000
    policy: str = ""
    ops: str = "127.0.0.1:9107"
    ops_token: str = ""
    stall_s: float = 120.0
    log_level: str = "info"
    log_format: LogFormat = "auto"
    tracing: Traced = "off"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """The settings that an environment says; raises SettingError, naming the variable, for a bad value."""
        for name in env:
            if name.startswith("CHURNWATCH_") and name not in VARIABLES and name not in OTHERS:
                raise SettingError(f"{name}: there is no such setting")
        values: dict[str, Any] = {}
        for name, row in VARIABLES.items():
            text = env.get(name, "").strip()
            if text:
                try:
                    values[row.field] = row.read(text)
                except ValueError as error:
                    raise SettingError(f"{name}: {error}") from None
        settings = cls(**values)
        _agree(settings)
        return settings


def _agree(settings: Settings) -> None:
    """Raise SettingError where settings of Kafka's security contradict one another, or one is missing."""
    protocol = settings.kafka_protocol
    tls, sasl = protocol.endswith("ssl"), protocol.startswith("sasl")
    of_tls = ("kafka_ca_file", "kafka_cert_file", "kafka_key_file")
    of_sasl = ("kafka_user", "kafka_password_file")
    for fields, on, wanted in ((of_tls, tls, "ssl or sasl_ssl"), (of_sasl, sasl, "sasl_ssl")):
        for field in fields:
            if getattr(settings, field) and not on:
                needs = f"CHURNWATCH_KAFKA_PROTOCOL={wanted}"
                raise SettingError(f"{variable(field)}: is for {needs}, and that is {protocol}")
    if sasl and not (settings.kafka_user and settings.kafka_password_file):
        missing = next(field for field in of_sasl if not getattr(settings, field))
        raise SettingError(f"{variable(missing)}: is needed for CHURNWATCH_KAFKA_PROTOCOL={protocol}")
    if bool(settings.kafka_cert_file) != bool(settings.kafka_key_file):
        missing = "kafka_key_file" if settings.kafka_cert_file else "kafka_cert_file"
        raise SettingError(f"{variable(missing)}: a client's certificate and its key go together")
    if sasl and not tls and settings.kafka_mechanism == "plain":
        raise SettingError(
            "CHURNWATCH_KAFKA_MECHANISM: plain sends the password as it is: it needs CHURNWATCH_KAFKA_PROTOCOL=sasl_ssl"
        )


def variable(field: str) -> str:
    """The variable of a field.

    >>> variable("tick_ms")
    'CHURNWATCH_TICK_MS'
    """
    return next(name for name, row in VARIABLES.items() if row.field == field)


class Row(msgspec.Struct, frozen=True):
    """One setting: its field, how its text is read (raising ValueError), and what it means."""

    field: str
    read: Callable[[str], Any]
    means: str


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return read


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text) or not low <= float(text) <= high:
            raise ValueError(f"{text!r} is not a number from {low:g} to {high:g}")
        return float(text)

    return read


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"{text!r} is not one of {', '.join(words)}")
        return text.lower()

    return read


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name of letters, digits, dots, dashes and underscores")
    return text


def _addresses(text: str) -> str:
    addresses = [part.strip() for part in text.split(",")]
    for address in addresses:
        found = ADDRESS.fullmatch(address)
        if not found or not 0 < int(found[2]) < 65_536:
            raise ValueError(f"{address!r} is not host:port")
    return ",".join(addresses)


def _ops(text: str) -> str:
    if text.lower() == "off":
        return "off"
    found = ADDRESS.fullmatch(text)
    if not found or int(found[2]) > 65_535:
        raise ValueError(f"{text!r} is neither host:port nor `off`")
    return text


def _roles(text: str) -> tuple[str, ...]:
    asked = [part.strip().lower() for part in text.split(",")]
    for role in asked:
        if role not in ROLES:
            raise ValueError(f"{role!r} is not one of {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role in asked)


VARIABLES: Final[Mapping[str, Row]] = {
    "KAFKA_BOOTSTRAP": Row("bootstrap", _addresses, "Where Kafka answers: `host:port`, several with commas."),
    "CHURNWATCH_KAFKA_PROTOCOL": Row(
        "kafka_protocol",
        _one_of(*get_args(Protocol)),
        "How Kafka is spoken to: `plaintext`, `ssl`, `sasl_ssl`, or `sasl_plaintext` (a user, but no secrecy).",
    ),
    "CHURNWATCH_KAFKA_CA_FILE": Row(
        "kafka_ca_file", str, "Who signed the brokers' certificates (PEM); empty: whom this machine trusts."
    ),
    "CHURNWATCH_KAFKA_CERT_FILE": Row(
        "kafka_cert_file", str, "The client's own certificate (PEM), for brokers that ask for one; empty: none."
    ),
    "CHURNWATCH_KAFKA_KEY_FILE": Row("kafka_key_file", str, "The key of that certificate (PEM, without a passphrase)."),
    "CHURNWATCH_KAFKA_MECHANISM": Row(
        "kafka_mechanism",
        _one_of(*get_args(Mechanism)),
        "How the password is proven: `scram-sha-512`, `scram-sha-256`, or `plain` (over TLS only).",
    ),
    "CHURNWATCH_KAFKA_USER": Row("kafka_user", str, "The user, where Kafka asks for one."),
    "CHURNWATCH_KAFKA_PASSWORD_FILE": Row(
        "kafka_password_file",
        str,
        "The file with its password, and nothing else; read whenever a client is made. There is no variable for the "
        "password itself: `ps` and `docker inspect` show variables.",
    ),
    "CHURNWATCH_APP_ID": Row(
        "app_id", _name, "Names the consumer groups, the transactional ids and the state's changelog topic."
    ),
    "CHURNWATCH_TOPIC_PREFIX": Row("topic_prefix", _name, "Stands before every topic name."),
    "CHURNWATCH_ROLES": Row("roles", _roles, "What this worker does: `intake`, `detector`, `learner`, with commas."),
    "CHURNWATCH_CLOCK": Row(
        "clock",
        _one_of(*get_args(Clock)),
        "`wall`: ticks come from this machine's clock. `events`: from the times of the events, for history.",
    ),
    "CHURNWATCH_TICK_MS": Row("tick_ms", _whole(50, 60_000), "Between two ticks of the wall clock, in ms."),
    "CHURNWATCH_EVENT_TICK_S": Row(
        "event_tick_s", _whole(1, 86_400), "Between two ticks of the events' clock, in seconds of event time."
    ),
    "CHURNWATCH_IDLE_S": Row(
        "idle_s", _number(0.1, 3_600), "After how many quiet seconds an input partition no longer holds the clock back."
    ),
    "CHURNWATCH_CHECKPOINT_MS": Row(
        "checkpoint_ms",
        _whole(10, 5_000),
        "The shortest time between two checkpoints, in ms; under load they are up to a second apart.",
    ),
    "CHURNWATCH_LEARNER_SAVE_S": Row(
        "learner_save_s", _number(0.1, 3_600), "The shortest time between two saves of the learner; see learning.md."
    ),
    "CHURNWATCH_DATA_DIR": Row("data_dir", str, "Where Faust keeps its files; made if it is not there."),
    "CHURNWATCH_INSTANCE_ID": Row(
        "instance_id", _name, "A name that stays with this worker over restarts (static membership); empty: none."
    ),
    "CHURNWATCH_SESSION_TIMEOUT_MS": Row(
        "session_timeout_ms", _whole(6_000, 60_000), "After how long a silent worker's partitions go to others, in ms."
    ),
    "CHURNWATCH_STOP_DEADLINE_S": Row(
        "stop_deadline_s", _number(1, 300), "How long a clean stop may take before the worker just leaves."
    ),
    "CHURNWATCH_MAX_HOT": Row("max_hot", _whole(1_000, 10_000_000), "Customers per partition kept decoded in memory."),
    "CHURNWATCH_POLICY": Row(
        "policy",
        str,
        "The policy file (TOML), until `policy apply` puts another into the journal; empty: the built-in one.",
    ),
    "CHURNWATCH_OPS": Row(
        "ops",
        _ops,
        "Where `/livez`, `/readyz`, `/metrics` are served, or `off`; off loopback with a token only.",
    ),
    "CHURNWATCH_OPS_TOKEN": Row(
        "ops_token",
        Secret,
        "What `/metrics` and `?verbose` ask for, as `Authorization: Bearer …`; empty: they are open.",
    ),
    "CHURNWATCH_STALL_S": Row(
        "stall_s",
        _number(10, 3_600),
        "After how many seconds behind and without progress, while Kafka answers, `/livez` fails.",
    ),
    "CHURNWATCH_LOG_LEVEL": Row("log_level", _one_of(*LOG_LEVELS), "`debug`, `info`, `warning` or `error`."),
    "CHURNWATCH_LOG_FORMAT": Row(
        "log_format", _one_of(*get_args(LogFormat)), "`json`, `console`, or `auto`: colour on a terminal, else JSON."
    ),
    "CHURNWATCH_TRACING": Row(
        "tracing",
        _one_of(*get_args(Traced)),
        "`otlp`: spans by OpenTelemetry, to where `OTEL_EXPORTER_OTLP_ENDPOINT` says; or `off`.",
    ),
}
OTHERS: Final = ("CHURNWATCH_DEBUG", "CHURNWATCH_RESTARTS")  # the command line's, and the worker's own


def settings_table() -> str:
    """docs/settings.md."""
    defaults = Settings()
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, row in VARIABLES.items():
        value = getattr(defaults, row.field)
        shown = ",".join(value) if isinstance(value, tuple) else str(value)
        rows.append(f"| `{name}` | {f'`{shown}`' if shown else '–'} | {row.means} |")
    return "\n".join(
        [
            "# Settings",
            "",
            "Read from the environment once, at the start. A value that cannot be used ends the worker with exit code",
            "2 and the variable's name; so does a name that begins with `CHURNWATCH_` and is not here.",
            "",
            *rows,
            "",
        ]
    )
