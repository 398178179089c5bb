"""Which stored forms of a state this release reads: today's, and those of the releases whose golden files are kept.

Rules: who changes the stored form raises `detectors.customer.VERSION`, lets `load` take the old form too, adds the old
version here, and leaves the golden file of the old one as it is; a form that no release has stored needs none of it.
"""

from collections.abc import Iterable
from typing import Final

from detectors.customer import VERSION

READABLE: Final = frozenset({VERSION})
AT: Final = 16  # where a header has its version, after the fence and the deadline


def unreadable(states: Iterable[bytes]) -> set[int]:
    """The versions among some states that this release does not read, from their headers.

    >>> from detectors.customer import Customer, dump
    >>> state = dump(Customer())
    >>> unreadable([state]), unreadable([state, state[:AT] + bytes([99]) + state[AT + 1 :]])
    (set(), {99})
    """
    return {state[AT] for state in states} - READABLE
