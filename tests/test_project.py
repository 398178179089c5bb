"""Rules of the project that a reader would otherwise have to keep in mind."""

from __future__ import annotations

import ast
import importlib
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CODE = ("schemas", "detectors", "streams", "deploy", "benchmarks", "tests")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINES_PER_FILE = 400
LINES_PER_FUNCTION = 70
MADE = {
    ".git",
    ".venv",
    ".venv-bench",
    ".venv-audit",
    ".run",
    ".tools",
    ".jars",
    ".data",
    "__pycache__",
    ".hypothesis",
    "build",
    "dist",
}
# Where a package comes from is the business of the machine that installs it.
PLACES = re.compile(
    r"(pypi|pythonhosted|npmjs|maven|ghcr|quay)\.(org|com|io)|--(extra-)?index-url|--find[-]links|(?<![\w.~-])/(work|root|home)/"
)
LOCKS = {
    "requirements.lock": (),
    "requirements-tracing.lock": ("tracing",),
    "requirements-dev.lock": ("dev", "tracing"),
    "requirements-bench.lock": ("bench",),
}


def python_files() -> Iterator[Path]:
    for folder in CODE:
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if not MADE & set(path.parts))


def text_files() -> Iterator[tuple[Path, str]]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE and not name.endswith(("_cache", ".egg-info"))]
        for name in set(names) - MADE:  # in a linked worktree, .git is a file
            path = Path(folder, name)
            try:
                yield path, path.read_text(encoding="utf-8")
            except (UnicodeDecodeError, FileNotFoundError):
                continue


def test_no_file_is_longer_than_a_person_reads_at_once() -> None:
    long = {str(path.relative_to(ROOT)): n for path in python_files() if (n := lines(path)) > LINES_PER_FILE}
    assert long == {}


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_every_function_fits_on_a_screen() -> None:
    long = {}
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LINES_PER_FUNCTION:
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = length
    assert long == {}


@pytest.mark.parametrize("name", ["schemas", "detectors", "streams"])
def test_a_package_is_this_checkouts_listed_for_the_wheel_and_marked_as_typed(name: str) -> None:
    package = importlib.import_module(name)
    assert [Path(place).resolve() for place in package.__path__] == [ROOT / name]
    assert name in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert (ROOT / name / "py.typed").exists()


def test_tests_use_no_mocks() -> None:
    mocks = re.compile(r"unittest\.mock|from unittest import|mocker\b|monkeypatch\.(setattr|delattr)\(")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if mocks.search(line) and path != Path(__file__)
    ]
    assert found == []


def test_the_server_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert commands[-1] == "exec make test"
    assert os.access(script, os.X_OK)
    readme = (ROOT / "README.md").read_text()
    assert "make run" in readme
    assert "make test" in readme


def test_no_file_says_where_packages_come_from_or_where_somebody_keeps_files() -> None:
    found = [f"{path.relative_to(ROOT)}: {match[0]}" for path, text in text_files() for match in PLACES.finditer(text)]
    assert found == []


def test_the_project_cannot_be_uploaded_by_mistake() -> None:
    assert "Private :: Do Not Upload" in PYPROJECT["project"]["classifiers"]


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_a_lock_holds_every_requirement_at_a_version_that_satisfies_it(lock: str, extras: tuple[str, ...]) -> None:
    locked = locked_versions(ROOT / lock)
    project = PYPROJECT["project"]
    wanted = [*project["dependencies"], *(each for name in extras for each in project["optional-dependencies"][name])]
    wrong = []
    for requirement in map(Requirement, wanted):
        if requirement.name == project["name"]:
            continue  # names another of its extras
        versions = locked.get(canonicalize_name(requirement.name), set())
        if not versions or not all(requirement.specifier.contains(version) for version in versions):
            wrong.append(f"{requirement}: {sorted(versions) or 'not locked'}; run `make lock`")
    assert wrong == []


def locked_versions(path: Path) -> dict[str, set[str]]:
    """Name to versions (several where they differ by platform); each with a hash."""
    versions: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=[a-z0-9])", path.read_text()):
        if found := re.match(r"([a-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", entry):
            assert "--hash=sha256:" in entry, f"{found[0]} in {path.name} has no hash"
            versions.setdefault(canonicalize_name(found[1]), set()).add(found[2])
    return versions


def test_what_is_installed_for_tests_is_what_is_installed_for_use() -> None:
    runtime, traced, dev = (locked_versions(ROOT / name) for name in list(LOCKS)[:3])
    assert {name: traced.get(name) for name in runtime} == runtime
    assert {name: dev.get(name) for name in traced} == traced
