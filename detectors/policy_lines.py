"""On which line of a TOML text each key stands: what the parser of the standard library does not tell.

Rules: the text has been parsed already, so it is TOML; what is inside a value (an inline table, an array) is on the
line on which the value begins.
"""

import re

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}=,.]|\n|[^\s"\'#\[\]{}=,.]+',
    re.DOTALL,
)


def lines_of(text: str) -> dict[Path, int]:
    """Path of every key and table → its line, from 1.

    >>> lines_of('[alerts]\\nenter = 0.3\\n[signals."tech.crashes"]\\nto = 1')[("signals", "tech.crashes", "to")]
    4
    """
    found: dict[Path, int] = {}
    table: Path = ()
    counts: dict[Path, int] = {}  # how often an array of tables went on
    for line, tokens in _statements(text):
        if tokens[0] == "[":
            is_array = tokens[1:2] == ["["]
            table = _inside(_key(t for t in tokens if t not in "[]"), counts)
            if is_array:
                counts[table] = counts.get(table, -1) + 1
                found.setdefault(table, line)
                table = (*table, counts[table])
            found.setdefault(table, line)
            continue
        path = (*table, *_key(tokens[: tokens.index("=")]))
        for end in range(len(table) + 1, len(path) + 1):
            found.setdefault(path[:end], line)
    return found


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """The line of a key, or of what it is in; None where the text does not say anything about it."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None


def _statements(text: str) -> list[tuple[int, list[str]]]:
    """Headers and assignments: their first line and their tokens; brackets and long strings may span lines."""
    out: list[tuple[int, list[str]]] = []
    tokens: list[str] = []
    line = first = 1
    depth = 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "\n":
            if tokens and not depth:
                out.append((first, tokens))
                tokens = []
        elif not token.startswith("#"):
            if not tokens:
                first = line
            tokens.append(token)
            depth += (token in "[{") - (token in "]}")
        line += token.count("\n")
    if tokens:
        out.append((first, tokens))
    return out


def _key(tokens: object) -> Path:
    """The parts of a dotted key; a bare one that holds no dot is one part."""
    return tuple(token[1:-1] if token[0] in "\"'" else token for token in tokens if token != ".")  # type: ignore[attr-defined]


def _inside(path: Path, counts: dict[Path, int]) -> Path:
    """A table's path, with the number of the array of tables that it is a part of."""
    out: Path = ()
    for i, part in enumerate(path):
        out = (*out, part)
        if out in counts and i < len(path) - 1:
            out = (*out, counts[out])
    return out
