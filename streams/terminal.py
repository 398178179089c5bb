"""What others have written, such as the name of a plan, on a terminal: it is text there, and moves nothing."""


def printable(text: str) -> str:
    r"""The text, with what could move a terminal's cursor or colour it escaped; line ends and tabs stay.

    >>> print(printable("plan:pro\x1b[2J, 5 €"))
    plan:pro\x1b[2J, 5 €
    """
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)
