"""A broker that asks who one is: TLS and users, nobody may do what is not granted, and a back door for the test itself.

The back door is the plain port: whoever comes in there has no name, and may do everything. Certificates are made by
keytool, which every Java has; the key of a client's own certificate takes openssl, since keytool gives no key away.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from deploy.kafka.client import ALLOW
from deploy.kafka.kafka import HOST, Broker, free_port
from streams.manifests import USERS, Grant

KINDS: Final = {"topic": 2, "group": 3, "transactionalId": 5}
OPERATIONS: Final = {"Read": 3, "Write": 4, "Describe": 8, "DescribeConfigs": 10}
LITERAL, PREFIXED = 3, 4
STORE_PASSWORD: Final = "changeit"
PASSWORD: Final = "kept-out-of-every-log"
OWN_CERTIFICATE: Final = "CN=tools"
SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"
Rule = tuple[int, str, int, str, str, int, int]


def make_certificate(folder: Path, name: str, subject: str, *names: str) -> Path:
    """A key and a certificate of its own in `name`.p12, and the certificate alone in the PEM file that is returned."""
    store, pem = folder / f"{name}.p12", folder / f"{name}.pem"
    common = ["-keystore", str(store), "-storepass", STORE_PASSWORD, "-storetype", "PKCS12", "-alias", "own"]
    kind = ["-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2", "-dname", subject]
    alternatives = ["-ext", f"san={','.join(names)}"] if names else []
    _run("keytool", "-genkeypair", *common, *kind, *alternatives)
    _run("keytool", "-exportcert", "-rfc", *common, "-file", str(pem))
    return pem


def make_key(folder: Path, name: str) -> Path:
    """The key of a certificate that `make_certificate` made, as PEM without a passphrase."""
    key, secret = folder / f"{name}.key", f"pass:{STORE_PASSWORD}"
    store = str(folder / f"{name}.p12")
    _run("openssl", "pkcs12", "-in", store, "-passin", secret, "-nocerts", "-nodes", "-out", str(key))
    return key


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (command[:2], done.stdout, done.stderr)


class SecureBroker(Broker):
    """A broker with a port for users over TLS, one for client certificates, one for users without TLS."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.ca = make_certificate(folder, "broker", "CN=broker", f"ip:{HOST}")
        self.client = make_certificate(folder, "client", OWN_CERTIFICATE)
        trusted = ["-keystore", str(folder / "trusted.p12"), "-storepass", STORE_PASSWORD, "-storetype", "PKCS12"]
        _run("keytool", "-importcert", "-noprompt", *trusted, "-alias", "client", "-file", str(self.client))
        self.password = folder / "password"
        self.password.write_text(PASSWORD + "\n")
        users = [f"SCRAM-SHA-512=[name={user},password={PASSWORD}]" for user in USERS]
        formatting = [word for user in users for word in ("--add-scram", user)]
        super().__init__(folder / "kafka", heap="512m", formatting=formatting)
        ports = {name: free_port() for name in ("USERS", "CERTIFICATES", "CLEAR")}
        self.addresses = {name: f"{HOST}:{port}" for name, port in ports.items()}
        own = {"PLAINTEXT": self.bootstrap, **self.addresses}
        listeners = [f"{name}://{address}" for name, address in own.items()]
        store = {"location": folder / "broker.p12", "password": STORE_PASSWORD, "type": "PKCS12"}
        trust = {"location": folder / "trusted.p12", "password": STORE_PASSWORD, "type": "PKCS12"}
        self.settings = {
            "listeners": ",".join([*listeners, f"CONTROLLER://{HOST}:{self.controller_port}"]),
            "advertised.listeners": ",".join(listeners),
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,USERS:SASL_SSL,"
            "CERTIFICATES:SSL,CLEAR:SASL_PLAINTEXT",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.users.scram-sha-512.sasl.jaas.config": SCRAM,
            "listener.name.users.plain.sasl.jaas.config": f'{PLAIN} user_worker="{PASSWORD}";',
            "listener.name.clear.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.clear.scram-sha-512.sasl.jaas.config": SCRAM,
            "listener.name.certificates.ssl.client.auth": "required",
            **{f"ssl.keystore.{name}": str(value) for name, value in store.items()},
            **{f"ssl.truststore.{name}": str(value) for name, value in trust.items()},
        }

    def become_another(self) -> None:
        """Have another key and certificate from the next start on, that `ca` knows nothing of."""
        (self.folder / "broker.p12").unlink()
        trusted = self.ca.read_bytes()
        make_certificate(self.folder, "broker", "CN=broker", f"ip:{HOST}")
        self.ca.write_bytes(trusted)

    def as_user(self, user: str, **instead: str) -> dict[str, str]:
        """The environment of a user's client, with what `instead` says (without CHURNWATCH_KAFKA_)."""
        said = {
            "PROTOCOL": "sasl_ssl",
            "CA_FILE": str(self.ca),
            "USER": user,
            "PASSWORD_FILE": str(self.password),
            **instead,
        }
        ours = {f"CHURNWATCH_KAFKA_{name}": value for name, value in said.items()}
        return {"KAFKA_BOOTSTRAP": self.addresses["USERS"], **ours}

    def grant(self, user: str, found: Iterable[Grant]) -> None:
        """Grant a user (or, with `=` in it, whoever has that certificate) something, and wait until it counts."""
        asyncio.run(self.granted(user, found))

    async def granted(self, user: str, found: Iterable[Grant]) -> None:
        """The same, in a loop."""
        wanted: list[Rule] = [
            (KINDS[g.kind], g.name, PREFIXED if g.prefix else LITERAL, f"User:{user}", "*", OPERATIONS[each], ALLOW)
            for g in found
            for each in g.operations
        ]
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            for rule in wanted:
                ((error, message),) = (await admin._send_to_controller(CreateAclsRequest(*rule))).creation_responses
                if error:
                    raise for_code(error)(message)
            while not (await admin._send_to_controller(DescribeAclsRequest(*wanted[-1]))).resources:
                await asyncio.sleep(0.05)
        finally:
            await admin.close()


def without(env: Mapping[str, str], *names: str) -> dict[str, str]:
    """An environment without some of Kafka's security."""
    return {name: value for name, value in env.items() if name.removeprefix("CHURNWATCH_KAFKA_") not in names}
