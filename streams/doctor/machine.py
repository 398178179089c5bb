"""What can be looked at without Kafka: settings, policy, versions, files and disk.

Rules: nothing is changed that is not put back; a secret is shown as being set, and in no other way.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from streams.doctor.found import Found, fine, odd, wrong
from streams.failures import Failure
from streams.settings import VARIABLES, Settings

SECRET: Final = re.compile(r"TOKEN|PASSWORD|SECRET|PRIVATE|CREDENTIAL")
PACKAGE: Final = "churnwatch"
SHOWN: Final = ("river", "msgspec", "orjson", "uvloop", "xxhash")  # decide over numbers and bytes, but are not pinned
FREE_LITTLE: Final = 200 * 1024 * 1024
FREE_NONE: Final = 16 * 1024 * 1024
FILES_BESIDES: Final = 128  # of the interpreter, its libraries, the ops server and what it answers
PYTHON: Final = (3, 11)


def shown(settings: Settings) -> dict[str, str]:
    """Every setting by its variable, as it may be shown.

    >>> told = shown(Settings(ops_token="hunter2", tick_ms=500, roles=("intake", "detector")))
    >>> told["CHURNWATCH_OPS_TOKEN"], told["CHURNWATCH_TICK_MS"], told["CHURNWATCH_ROLES"]
    ('(set, not shown)', '500', 'intake,detector')
    """
    told = {}
    for name, row in VARIABLES.items():
        value = getattr(settings, row.field)
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        told[name] = "(set, not shown)" if text and SECRET.search(name) else text
    return told


def settings_found(settings: Settings) -> Found:
    """Which settings differ from their defaults."""
    usual, told = shown(Settings()), shown(settings)
    own = [f"{name}={value}" for name, value in told.items() if value != usual[name]]
    return fine("settings", ", ".join(own) or "every setting has its default")


def policy_found(settings: Settings) -> Found:
    """Whether the policy file is there and can be used."""
    from streams.policy_file import load_policy

    if not settings.policy:
        return fine("policy", "the built-in policy, unless `policy apply` put another into the journal")
    try:
        policy = load_policy(settings.policy)
    except (Failure, OSError) as error:
        return wrong("policy", str(error), f"`churnwatch policy check {settings.policy}` says what to mend.")
    return fine("policy", f"{settings.policy}, version {policy.version}")


def versions_found(
    required: list[str] | None = None, python: tuple[int, ...] = sys.version_info[:3]
) -> Iterator[Found]:
    """Whether the packages whose private names the engine uses have the versions that it was tried with."""
    told = ".".join(map(str, python))
    if python[:2] < PYTHON:
        yield wrong("versions", f"Python {told}", "Use Python 3.11 or newer.")
    if required is None:
        try:
            required = metadata.requires(PACKAGE) or []
        except metadata.PackageNotFoundError:
            yield odd(
                "versions",
                f"Python {told}; the package {PACKAGE} is not installed.",
                "Which versions it needs is not known.",
            )
            return
    pinned = {name: version for each in required for name, version in [pin(each)] if version}
    differ = [
        f"{name} {there} (tried with {want})" for name, want in pinned.items() if (there := version_of(name)) != want
    ]
    if differ:
        yield wrong("versions", f"{', '.join(differ)}.", "Install from requirements.lock.")
        return
    all_of = ", ".join(f"{name} {version_of(name)}" for name in (PACKAGE, *pinned, *SHOWN))
    yield fine("versions", f"Python {told} ({platform.python_implementation()}), {all_of}")


def pin(requirement: str) -> tuple[str, str]:
    """The name and the version of a requirement that allows one alone; no version for any other.

    >>> pin("aiokafka[lz4,zstd]==0.14.0"), pin("click>=8.1"), pin('mypy==1.0; extra == "dev"')
    (('aiokafka', '0.14.0'), ('click', ''), ('mypy', ''))
    """
    named, _, _ = requirement.partition(";")
    found = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(?:==\s*([0-9][\w.]*))?", named)
    if found is None:
        return named.strip(), ""
    return found[1], "" if ";" in requirement else found[2] or ""


def version_of(name: str) -> str:
    """The version of a package that is installed, or `none`."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def files_found(lanes: int, brokers: int, limit: int | None = None) -> Found:
    """Whether so many lanes (one producer each) may hold the connections that they need.

    >>> files_found(28, 3, limit=1024).status, files_found(700, 3, limit=1024).status
    ('ok', 'failed')
    """
    if limit is None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    limit = sys.maxsize if limit == resource.RLIM_INFINITY else limit
    # A producer is connected to every broker it writes to, and to its coordinators; so are the consumers.
    needs = FILES_BESIDES + (lanes + 4) * (brokers + 1)
    detail = f"{'no limit to' if limit == sys.maxsize else limit} open files; all partitions on one worker need {needs}"
    do = f"Raise it: `ulimit -n {max(2 * needs, 4096)}`, LimitNOFILE= of systemd, or the container's limit."
    if limit < needs:
        return wrong("files", detail, do)
    return fine("files", detail) if limit >= 2 * needs else odd("files", detail, do)


def disk_found(folder: Path, free: int | None = None) -> Found:
    """Whether the data folder can be made and written, and has room; little is kept there, states are in Kafka."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    told = f"{folder}" if place == folder else f"{folder} (to be made in {place})"
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        reason = error.strerror or str(error)
        do = "Make room there, make it writable for the worker's user, or set CHURNWATCH_DATA_DIR."
        return wrong("disk", f"{told} cannot be written: {reason}.", do)
    if free is None:
        free = shutil.disk_usage(place).free
    detail = f"{told}: {free / 1_000_000:,.0f} MB free"
    if free < FREE_NONE:
        return wrong("disk", detail, "Make room there, or set CHURNWATCH_DATA_DIR.")
    return fine("disk", detail) if free >= FREE_LITTLE else odd("disk", detail, "Make room there.")


def memory_found(text: str | None = None) -> Iterator[Found]:
    """How much memory there is; nothing where the system does not say."""
    if text is None:
        text = ""
        with contextlib.suppress(OSError):
            text = Path("/proc/meminfo").read_text()
    sizes = {name: int(kb) * 1024 for name, kb in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    if "MemAvailable" in sizes and "MemTotal" in sizes:
        available, total = sizes["MemAvailable"], sizes["MemTotal"]
        detail = f"{available / 1_000_000:,.0f} of {total / 1_000_000:,.0f} MB are available"
        low = available < 300_000_000
        yield odd("memory", detail, "docs/scale.md says what a worker needs.") if low else fine("memory", detail)


def machine_found(settings: Settings) -> Iterator[Found]:
    """Everything that can be said without Kafka, but for the files, which depend on how many partitions there are."""
    yield settings_found(settings)
    yield policy_found(settings)
    yield from versions_found()
    yield disk_found(Path(settings.data_dir).absolute())
    yield from memory_found()


def read_settings(environment: Mapping[str, str]) -> tuple[Settings | None, list[Found]]:
    """The settings of an environment; none, and why, where one cannot be used."""
    try:
        return Settings.from_env(environment), []
    except Failure as error:
        return None, [wrong("settings", str(error), "docs/settings.md lists every setting.")]
