"""Why Kafka does not let a client in, in one line: told apart by trying, since aiokafka only says "unable to connect".

Rules: what is said was seen, never guessed: a certificate that was refused, a password that was not taken, a port that
does answer to TLS; whatever else may pass by itself, and then nothing is said; no line holds a password.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import IllegalSaslStateError, KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from streams.engine.errors import causes

ANSWER_S: Final = 5.0
CLOSED_S: Final = 0.3
NAME_CODES: Final = (62, 64)  # OpenSSL's numbers for a certificate of another host name, or address
USER: Final = "CHURNWATCH_KAFKA_USER and CHURNWATCH_KAFKA_PASSWORD_FILE"
PROTOCOL: Final = "CHURNWATCH_KAFKA_PROTOCOL"


async def why_kept_out(options: Mapping[str, Any]) -> str | None:
    """Why a client with these options gets in nowhere; None if one broker lets it in, or if waiting may help."""
    said = None
    for address in options["bootstrap_servers"].split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            async with asyncio.timeout(3 * ANSWER_S):
                reason = await _reason(host.strip("[]"), int(port), options)
        except (OSError, KafkaError, TimeoutError):
            continue
        if reason is None:
            return None
        said = said or f"Kafka at {address.strip()} {reason}"
    return said


async def _reason(host: str, port: int, options: Mapping[str, Any]) -> str | None:
    """What one broker says, in words that follow "Kafka at …"; raises what may pass by itself."""
    own = {name: value for name, value in options.items() if name not in ("bootstrap_servers", "client_id")}
    greeted = False
    try:
        async with _connected(host, port, own) as conn:
            greeted = True
            await conn.send(MetadataRequest([]))
    except ssl.SSLCertVerificationError as error:
        return _untrusted(error)
    except SaslAuthenticationFailed as error:
        user, how = own["sasl_plain_username"], own["sasl_mechanism"]
        return f"does not let user {user} in by {how} ({error.args[0] if error.args else 'refused'}): check {USER}."
    except UnsupportedSaslMechanismError:
        return f"does not know {own['sasl_mechanism']}: set CHURNWATCH_KAFKA_MECHANISM to one that it knows."
    except IllegalSaslStateError:
        plain = own["security_protocol"].removeprefix("SASL_").lower()
        return f"asks for no user at this port: set {PROTOCOL}={plain}, or use its port for users."
    except (OSError, KafkaError) as error:
        found = _certificate_missing(error) or await (_nameless if greeted else _other_protocol)(host, port, own)
        if found is None:
            raise
        return found
    return None


@contextlib.asynccontextmanager
async def _connected(host: str, port: int, own: Mapping[str, Any]) -> AsyncIterator[AIOKafkaConnection]:
    """A connection that was greeted and, where there is a user, let in; closed for good at the end."""
    conn = AIOKafkaConnection(host, port, request_timeout_ms=int(ANSWER_S * 1000), **own)
    try:
        await conn.connect()
        yield conn
    finally:
        closed = conn.close()
        await asyncio.wait([closed], timeout=CLOSED_S)


def _untrusted(error: ssl.SSLCertVerificationError) -> str:
    why = error.verify_message.rstrip(".")
    if error.verify_code in NAME_CODES:
        return f"shows a certificate of another name ({why}): use a name in KAFKA_BOOTSTRAP that it holds."
    return f"shows a certificate that is not trusted ({why}): CHURNWATCH_KAFKA_CA_FILE must hold who signed it."


async def _other_protocol(host: str, port: int, own: Mapping[str, Any]) -> str | None:
    """Whether the broker talks to those who come with TLS, or without it, where ours was the other way."""
    with_tls = "ssl_context" in own
    tried: dict[str, Any] = {"security_protocol": "PLAINTEXT"}
    if not with_tls:
        # Only to see whether it is TLS at all: nothing is sent but the greeting.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        tried = {"security_protocol": "SSL", "ssl_context": context}
    try:
        async with _connected(host, port, tried):
            pass
    except (OSError, KafkaError):
        return None
    sasl = own["security_protocol"].startswith("SASL")
    if with_tls:
        return f"speaks no TLS at this port: use its port for TLS (or {PROTOCOL}={'sasl_' * sasl}plaintext)."
    return f"speaks TLS at this port: set {PROTOCOL}={'sasl_ssl' if sasl else 'ssl or sasl_ssl'}."


def _certificate_missing(error: Exception) -> str | None:
    """Whether the broker ended TLS because of the client's certificate: an alert that comes after the handshake."""
    if any(isinstance(cause, ssl.SSLError) and "certificate" in str(cause).lower() for cause in causes(error)):
        files = "CHURNWATCH_KAFKA_CERT_FILE and CHURNWATCH_KAFKA_KEY_FILE"
        return f"asks for a certificate of the client that it trusts: set {files}."
    return None


async def _nameless(host: str, port: int, own: Mapping[str, Any]) -> str | None:
    """Whether the broker closes on a first question because it was not told who asks."""
    if own["security_protocol"].startswith("SASL"):
        return None
    with contextlib.suppress(OSError, KafkaError):
        async with _connected(host, port, own) as conn:
            answer = await conn.send(SaslHandShakeRequest("SCRAM-SHA-512"))
        if answer.error_code != IllegalSaslStateError.errno:
            return f"asks for a user: set {PROTOCOL}=sasl_{own['security_protocol'].lower()}, {USER}."
    return None
