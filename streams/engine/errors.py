"""Whose fault it is when a worker cannot go on.

Rules: a Refusal needs a human and ends the process with exit code 1; everything else is cured by starting again from
the last commit.
"""

from __future__ import annotations

from collections.abc import Iterator

from aiokafka import errors

from streams.failures import Failure

DENIED = (
    errors.TopicAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.ClusterAuthorizationFailedError,
    errors.TransactionalIdAuthorizationFailed,
)
FENCED = (errors.ProducerFenced, errors.InvalidProducerEpoch)


class Refusal(Failure):
    """The worker must not run like this; the message names what to change."""


class OrderLostError(Exception):
    """Records that should have come did not: the worker starts again from its last commit."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, then what it was raised from, outermost first.

    >>> [str(e) for e in causes(ValueError("no"))]
    ['no']
    """
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        here = here.__cause__ or here.__context__


def refusal_in(error: BaseException) -> Refusal | None:
    """The refusal behind an error, if there is one; an access that the broker denied is one too.

    >>> refusal_in(errors.TopicAuthorizationFailedError("churn.alerts"))
    Refusal('The broker denies access (TopicAuthorizationFailed) to churn.alerts: grant it.')
    >>> refusal_in(OSError("away")) is None
    True
    """
    for cause in causes(error):
        if isinstance(cause, Refusal):
            return cause
        if isinstance(cause, DENIED):
            kind = type(cause).__name__.removesuffix("Error")
            return Refusal(f"The broker denies access ({kind}) to {denied_names(cause)}: grant it.")
    return None


def denied_names(error: BaseException) -> str:
    """What an access was denied to, as the client says it: names, or sets of names.

    >>> denied_names(errors.TopicAuthorizationFailedError({"b", "a"}))
    'a, b'
    """
    parts = [sorted(map(str, part)) if isinstance(part, set | frozenset) else [str(part)] for part in error.args]
    return ", ".join(name for names in parts for name in names) or "something that it does not name"


def is_fenced(error: BaseException) -> bool:
    """Whether another worker has taken over what this one still held.

    >>> is_fenced(errors.ProducerFenced())
    True
    """
    return any(isinstance(cause, FENCED) for cause in causes(error))
