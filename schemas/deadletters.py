"""Dead letters: what could not be used, as it came, with why.

Rules: key and value stay byte for byte as they came; the headers that came stand first and unchanged, ours after
them; a detail names a field and what was expected there, never the payload. Where a dead letter was sent again and
refused again, the last header of a name counts.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

Reason = Literal[
    "not_json",
    "not_an_event",
    "unknown_type",
    "wrong_shape",
    "out_of_range",
    "from_the_future",
    "too_large",
    "detector_failed",
]

Stage = Literal["intake", "detector"]

REASONS: Final[Mapping[Reason, str]] = {
    "not_json": "The value is not one JSON text in UTF-8: malformed or empty, a byte order mark, a lone surrogate, "
    "a member given twice in one object, or nested more than 256 deep.",
    "not_an_event": "The envelope is wrong: not an object, `specversion` not `1.0`, or an attribute that is missing, "
    "empty, too long, of the wrong kind, or (`time`) without an offset or outside the years 1 to 9999.",
    "unknown_type": "The envelope is right, and its `type` is none of this contract.",
    "wrong_shape": "The data is wrong: not an object, a required field is missing, or a field is of the wrong kind "
    "or none of the allowed words.",
    "out_of_range": "A number in the data is beyond its bounds, or too large to be one.",
    "from_the_future": "The event says that it happened more than 24 hours after the intake clock.",
    "too_large": "The value has more than 256 KiB.",
    "detector_failed": "The event is right, and the detector failed on it: a fault of this project.",
}
"""Every reason and what it means. The first that applies, in the order of the checks, is the one given."""

_OURS: Final = "churn_dlq-"
_TOOLS: Final = "kafka_dlt-original-"

Header = tuple[str, bytes]


class Origin(Struct, frozen=True, gc=False):
    """Where a record was read: its topic, partition, offset, and timestamp in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int


class DeadLetter(Struct, frozen=True, gc=False, kw_only=True):
    """What the headers of a dead letter say."""

    reason: Reason
    detail: str
    stage: Stage
    origin: Origin
    attempts: int
    app_version: str


def dead_letter_headers(headers: Sequence[Header], letter: DeadLetter) -> list[Header]:
    """The headers of a dead letter: those that came, then ours, then those that common Kafka tools read.

    Ours are text. The `kafka_dlt-` ones are as Spring for Apache Kafka writes and reads them: the partition as 4
    bytes, offset and timestamp as 8 bytes, big-endian.
    """
    origin = letter.origin
    return [
        *headers,
        ("churn_dlq-reason", letter.reason.encode()),
        ("churn_dlq-detail", letter.detail.encode()),
        ("churn_dlq-stage", letter.stage.encode()),
        ("churn_dlq-original-topic", origin.topic.encode()),
        ("churn_dlq-original-partition", b"%d" % origin.partition),
        ("churn_dlq-original-offset", b"%d" % origin.offset),
        ("churn_dlq-original-timestamp", b"%d" % origin.timestamp_ms),
        ("churn_dlq-attempts", b"%d" % letter.attempts),
        ("churn_dlq-app-version", letter.app_version.encode()),
        ("kafka_dlt-original-topic", origin.topic.encode()),
        ("kafka_dlt-original-partition", origin.partition.to_bytes(4, "big", signed=True)),
        ("kafka_dlt-original-offset", origin.offset.to_bytes(8, "big", signed=True)),
        ("kafka_dlt-original-timestamp", origin.timestamp_ms.to_bytes(8, "big", signed=True)),
    ]


def original_headers(headers: Sequence[Header]) -> list[Header]:
    """The headers that a dead letter came with, to send it again.

    >>> original_headers([("ce_id", b"1"), ("churn_dlq-reason", b"not_json"), ("kafka_dlt-original-topic", b"t")])
    [('ce_id', b'1')]
    """
    return [header for header in headers if not header[0].startswith((_OURS, _TOOLS))]


def read_dead_letter(headers: Sequence[Header]) -> DeadLetter | None:
    """What the headers say, or None when they are not those of a dead letter of ours."""
    said = {name.removeprefix(_OURS): value for name, value in headers if name.startswith(_OURS) and value is not None}
    try:
        return msgspec.convert(
            {
                **{name: said[name].decode() for name in ("reason", "detail", "stage")},
                "origin": {
                    "topic": said["original-topic"].decode(),
                    "partition": int(said["original-partition"]),
                    "offset": int(said["original-offset"]),
                    "timestamp_ms": int(said["original-timestamp"]),
                },
                "attempts": int(said["attempts"]),
                "app_version": said["app-version"].decode(),
            },
            DeadLetter,
        )
    except (KeyError, ValueError):
        return None


class DeadLetterLine(Struct, frozen=True, gc=False, kw_only=True):
    """One line of `churnwatch replay --dlq`: what could not be used of a file, and why."""

    reason: Reason
    detail: Annotated[str, Meta(description="field path and expectation, never the payload")]
    stage: Stage
    file: Annotated[str, Meta(description="the file as it was named, `-` for standard input")]
    line: Annotated[int, Meta(ge=1, description="the first line is 1")]
    value_base64: Annotated[str, Meta(description="the line as it came, without its end")]

    @property
    def value(self) -> bytes:
        """The line as it came."""
        return base64.b64decode(self.value_base64)


def dead_letter_line(reason: Reason, detail: str, stage: Stage, file: str, line: int, value: bytes) -> DeadLetterLine:
    """A dead letter of a file.

    >>> dead_letter_line("not_json", "$: empty", "intake", "a.jsonl", 3, b"{").value
    b'{'
    """
    return DeadLetterLine(
        reason=reason,
        detail=detail,
        stage=stage,
        file=file,
        line=line,
        value_base64=base64.b64encode(value).decode(),
    )


encode_dead_letter_line: Final[Callable[[DeadLetterLine], bytes]] = msgspec.json.Encoder().encode
"""One line as compact JSON without its end, fields in the order of the contract."""

decode_dead_letter_line: Final[Callable[[bytes], DeadLetterLine]] = msgspec.json.Decoder(DeadLetterLine).decode
"""Decode one line; raises msgspec's errors for anything else."""
