"""A policy as people write it: one TOML file, of which only what differs from the defaults need be there."""

import re
import tomllib
from typing import NamedTuple

from detectors.policy import Policy
from detectors.policy_check import Problem, oddities, read_policy
from detectors.policy_lines import line_of, lines_of

_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


class PolicyError(ValueError):
    """The policy text says something that cannot be meant; the message names every line and key."""


class Found(NamedTuple):
    """A problem of a policy text, or an oddity, with its line from 1; None where no line says it."""

    line: int | None
    problem: Problem

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}" if self.line is not None else str(self.problem)


class Checked(NamedTuple):
    """A policy text as it was read: a policy or problems, and what is odd."""

    policy: Policy | None
    problems: list[Found]
    oddities: list[Found]


def check_policy(text: str) -> Checked:
    """Read a policy from TOML; keys that are not given keep their default.

    >>> print(check_policy("[alerts]\\nentre = 0.3").problems[0])
    line 2: alerts.entre: there is no such key; is `enter` meant?
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        at = _AT_LINE.search(said)
        line = int(at.group(1)) if at else text.count("\n") + 1
        return Checked(None, [Found(line, Problem((), _AT_LINE.sub("", said)))], [])
    lines = lines_of(text)
    policy, problems = read_policy(given)
    odd = list(oddities(policy)) if policy is not None else []

    def placed(found: list[Problem]) -> list[Found]:
        placed = [Found(line_of(lines, problem.path), problem) for problem in found]
        return sorted(placed, key=lambda found: found.line or 0)

    return Checked(policy, placed(problems), placed(odd))


def parse_policy(text: str) -> Policy:
    """Read a policy from TOML; keys that are not given keep their default.

    Raises:
        PolicyError: the text is not TOML, names an unknown key, or holds a number out of range.

    >>> parse_policy("[alerts]\\nenter = 0.3").alerts.enter
    0.3
    """
    checked = check_policy(text)
    if checked.policy is None:
        raise PolicyError("; ".join(map(str, checked.problems)))
    return checked.policy
