"""What TLS or a user makes impossible is said in one line, by a worker and by a command; and each way in works."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import main
from streams.manifests import grants
from streams.topics import Layout, create
from tests.broker.harness import Trial
from tests.broker.secure import OWN_CERTIFICATE, PASSWORD, SecureBroker, make_certificate, make_key, without


@pytest.fixture(scope="module", autouse=True)
def _readable(secure: SecureBroker) -> None:
    """Alerts that retention's tools may read."""
    asyncio.run(create(secure.bootstrap, Layout()))
    for user in ("retention", "worker", OWN_CERTIFICATE):
        secure.grant(user, grants("retention", Layout()))


def tail(env: Mapping[str, str], at: str) -> Result:
    done = CliRunner().invoke(main, ["alerts", "tail", "--timeout", "1s"], env={**env, "KAFKA_BOOTSTRAP": at})
    assert PASSWORD not in done.output
    return done


def test_every_way_in_works(secure: SecureBroker) -> None:
    at, by_certificate = secure.addresses, by_own_certificate(secure)
    ways = {
        "TLS and SCRAM": (secure.as_user("retention"), at["USERS"]),
        "TLS and PLAIN": (secure.as_user("worker", MECHANISM="plain"), at["USERS"]),
        "SCRAM alone": (without(secure.as_user("retention", PROTOCOL="sasl_plaintext"), "CA_FILE"), at["CLEAR"]),
        **({"a certificate": (by_certificate, at["CERTIFICATES"])} if by_certificate else {}),
    }
    for way, (env, address) in ways.items():
        done = tail(env, address)
        assert done.exit_code == 0, (way, done.output)


def by_own_certificate(secure: SecureBroker) -> dict[str, str]:
    """An environment with the client's own certificate; empty where there is no openssl to take its key out."""
    if shutil.which("openssl") is None:
        return {}
    files = {"CERT_FILE": str(secure.client), "KEY_FILE": str(make_key(secure.folder, "client"))}
    return without(secure.as_user("nobody", PROTOCOL="ssl", **files), "USER", "PASSWORD_FILE")


def test_what_keeps_one_out_is_said_in_one_line(secure: SecureBroker, tmp_path: Path) -> None:
    other, wrong = make_certificate(tmp_path, "other", "CN=other"), tmp_path / "wrong"
    wrong.write_text("tiger")
    at, user = secure.addresses, secure.as_user("retention")
    tls_alone = without({**user, "CHURNWATCH_KAFKA_PROTOCOL": "ssl"}, "USER", "PASSWORD_FILE")
    no_tls = without({**user, "CHURNWATCH_KAFKA_PROTOCOL": "sasl_plaintext"}, "CA_FILE")
    cases = [
        (secure.as_user("retention", CA_FILE=str(other)), at["USERS"], "not trusted", "CHURNWATCH_KAFKA_CA_FILE"),
        (user, at["USERS"].replace("127.0.0.1", "localhost"), "of another name", "KAFKA_BOOTSTRAP"),
        (secure.as_user("retention", PASSWORD_FILE=str(wrong)), at["USERS"], "not let user retention in", "PASSWORD"),
        (secure.as_user("worker", PASSWORD_FILE=str(wrong), MECHANISM="plain"), at["USERS"], "user worker", "PLAIN"),
        (secure.as_user("nobody"), at["USERS"], "not let user nobody in", "CHURNWATCH_KAFKA_USER"),
        (secure.as_user("worker", MECHANISM="scram-sha-256"), at["USERS"], "SCRAM-SHA-256", "KAFKA_MECHANISM"),
        ({}, at["USERS"], "speaks TLS", "CHURNWATCH_KAFKA_PROTOCOL"),
        (no_tls, at["USERS"], "speaks TLS", "CHURNWATCH_KAFKA_PROTOCOL=sasl_ssl"),
        (user, at["CLEAR"], "speaks no TLS", "CHURNWATCH_KAFKA_PROTOCOL"),
        (tls_alone, at["USERS"], "asks for a user", "CHURNWATCH_KAFKA_PROTOCOL=sasl_ssl"),
        ({}, at["CLEAR"], "asks for a user", "CHURNWATCH_KAFKA_PROTOCOL=sasl_plaintext"),
        (no_tls, secure.bootstrap, "asks for no user", "CHURNWATCH_KAFKA_PROTOCOL=plaintext"),
        (tls_alone, at["CERTIFICATES"], "asks for a certificate", "CHURNWATCH_KAFKA_CERT_FILE"),
    ]
    for env, address, *words in cases:
        done = tail(env, address)
        assert done.exit_code == 1, (words, done.output)
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"churnwatch: Kafka at {address} "), line
        assert all(word in line for word in words), (words, line)


@pytest.mark.timeout(240)
def test_a_worker_that_is_no_longer_let_in_stops_with_one_line(tmp_path: Path) -> None:
    with SecureBroker(tmp_path / "broker") as broker:
        trial = Trial(broker.bootstrap, tmp_path)
        asyncio.run(trial.create())
        layout = Layout(prefix=trial.settings.topic_prefix, app_id=trial.settings.app_id)
        broker.grant("worker", grants("worker", layout))

        async def go() -> None:
            worker = trial.start(**broker.as_user("worker"))
            try:
                await worker.ready()
                await asyncio.to_thread(broker.stop)
                await asyncio.to_thread(broker.become_another)
                await asyncio.to_thread(broker.start)
                assert "shows a certificate that is not trusted" in await worker.refused(90.0)
            finally:
                trial.end()

        asyncio.run(go())


def test_a_worker_that_is_kept_out_stops_with_one_line(secure: SecureBroker, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("tiger")
    cases = [
        (secure.as_user("worker", PASSWORD_FILE=str(wrong)), "does not let user worker in"),
        ({"KAFKA_BOOTSTRAP": secure.addresses["USERS"]}, "speaks TLS"),
    ]

    async def go() -> None:
        trial = Trial(secure.bootstrap, tmp_path)
        try:
            for env, words in cases:
                worker = trial.start(**env)
                assert words in await worker.refused(60.0)
                assert len(worker.text().splitlines()) == 1, worker.text()
                assert "tiger" not in worker.text()
        finally:
            trial.end()

    asyncio.run(go())
