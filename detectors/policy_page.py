"""The policy as one commented TOML file: deploy/policy.toml is what this makes of the code.

Rules: every key is there with its default and its reason; the reasons are the descriptions of the Structs' fields and
the signals' own words, so a new number says its reason or fails a test; what is empty by default is shown by an
example in comments; the text reads back as the policy that it was made of.
"""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import msgspec

from detectors.catalogue import SignalPolicy
from detectors.policy import Match, Policy
from detectors.signals import CATALOGUE

WIDTH: Final = 118
UNMEASURED: Final = "Not measured yet."
HEAD: Final = """\
# The policy: every number that shapes a decision, with its default and its reason. A file of your own needs only what
# is different. `churnwatch policy check FILE` finds what is wrong with it, `churnwatch policy diff OLD NEW EVENTS…`
# shows what it would change, `churnwatch policy apply FILE` puts it into force. Made from the code by
# `churnwatch policy default`; a test says so.
"""
EXAMPLES: Final[Mapping[str, str]] = {
    "stage_weights": '[stage_weights.onboarding]\n"value.silence" = 2.0\n',
    "profiles": '[[profiles]]\nmatch = { plan = "basic", stage = "mature" }\nweights = { "value.silence" = 0.0 }\n',
}
"""For what is empty by default."""


def policy_page(policy: Policy) -> str:
    """The file."""
    hints = get_type_hints(Policy, include_extras=True)
    plain, tables = [HEAD], []
    for field in msgspec.structs.fields(Policy):
        value, name = getattr(policy, field.name), field.encode_name
        reason = reason_of(hints[field.name])
        if name in EXAMPLES and not value:
            tables.append(f"{_comment(reason)}{_more(name)}{textwrap.indent(EXAMPLES[name], '# ')}")
        elif isinstance(value, msgspec.Struct | dict):
            tables.append(f"{_comment(reason)}{''.join(_table((name,), value, hints[field.name]))}")
        else:
            plain.append("".join(_line(name, value, reason)))
    return "\n".join([*plain, *tables])


def reason_of(kind: Any) -> str:
    """The reason of a field, from its annotation; of a table of its own, what its Struct says; empty for none."""
    if get_origin(kind) is Annotated:
        said = [meta.description for meta in kind.__metadata__ if isinstance(meta, msgspec.Meta) and meta.description]
        return said[0] if said else ""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return (kind.__doc__ or "").split("\n")[0].strip()
    return next(filter(None, map(reason_of, get_args(kind))), "")


def fields_of(kind: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    """Key and reason of every field of a Struct."""
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        yield field.encode_name, reason_of(hints[field.name])


def _table(path: tuple[str, ...], value: Any, kind: Any) -> Iterator[str]:
    """A table with its keys; tables within it come behind them."""
    yield f"[{'.'.join(map(_key, path))}]\n"
    rows = _rows(value, kind)
    if any(isinstance(inside, SignalPolicy) for _, inside, _, _ in rows):
        for name, reason in fields_of(SignalPolicy):
            yield f"# {name}: {reason}\n"
    later = []
    for name, inside, reason, inside_kind in rows:
        if isinstance(inside, SignalPolicy):
            yield from _signal(name, inside)
        elif isinstance(inside, msgspec.Struct | dict):
            later.append((name, inside, reason, inside_kind))
        else:
            yield from _line(name, inside, reason)
    for name, inside, reason, inside_kind in later:
        yield f"\n{_comment(reason)}"
        yield from _table((*path, name), inside, inside_kind)


def _rows(value: Any, kind: Any) -> list[tuple[str, Any, str, Any]]:
    """Key, value, reason and kind of everything in a table."""
    if isinstance(value, dict):
        plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        return [(name, inside, "", get_args(plain)[1]) for name, inside in value.items()]
    hints = get_type_hints(type(value), include_extras=True)
    return [
        (field.encode_name, getattr(value, field.name), reason_of(hints[field.name]), hints[field.name])
        for field in msgspec.structs.fields(value)
    ]


def _signal(code: str, row: SignalPolicy) -> Iterator[str]:
    found = CATALOGUE.get(code)
    yield "\n" + _comment(" ".join(found.doc.split()) if found is not None else UNMEASURED)
    inside = ", ".join(f"{name} = {_value(value)}" for name, value, _, _ in _rows(row, SignalPolicy))
    yield f"{_key(code)} = {{ {inside} }}\n"


def _more(name: str) -> str:
    """What else is to be said of a table that is shown by an example."""
    if name != "profiles":
        return ""
    return "".join(_comment(f"match.{key}: {reason}") for key, reason in fields_of(Match))


def _line(name: str, value: Any, reason: str) -> Iterator[str]:
    line = f"{_key(name)} = {_value(value)}"
    if len(line) > WIDTH:
        items = "".join(f"    {_value(item)},\n" for item in value)
        line = f"{_key(name)} = [\n{items}]"
    elif reason and len(line) + len(reason) + 4 <= WIDTH:
        yield f"{line}  # {reason}\n"
        return
    yield f"{_comment(reason)}{line}\n"


def _comment(text: str) -> str:
    if not text:
        return ""
    return textwrap.fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False) + "\n"


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _value(name)


def _value(value: Any) -> str:
    """A value as TOML writes it: JSON's writing of texts, numbers and truth is TOML's too."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return msgspec.json.encode(value).decode()
