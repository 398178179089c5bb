"""Whose fault it is decides what becomes of the worker."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import errors

from streams.engine.errors import OrderLostError, Refusal, causes, denied_names, is_fenced, refusal_in
from streams.engine.transactions import all_of


def raised_from(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    "error",
    [
        errors.TopicAuthorizationFailedError({"churn.alerts"}),
        errors.GroupAuthorizationFailedError("churn.alerts"),
        errors.ClusterAuthorizationFailedError("churn.alerts"),
        errors.TransactionalIdAuthorizationFailed("churn.alerts"),
        raised_from(RuntimeError("deep"), errors.TopicAuthorizationFailedError("churn.alerts")),
    ],
)
def test_a_denied_access_is_a_refusal_that_names_it(error: BaseException) -> None:
    assert "churn.alerts" in str(refusal_in(error))


@pytest.mark.parametrize("error", [errors.KafkaConnectionError(), OSError(), OrderLostError("gap"), KeyError(1)])
def test_what_a_new_start_cures_is_no_refusal(error: BaseException) -> None:
    assert refusal_in(error) is None
    assert not is_fenced(error)


@pytest.mark.parametrize("error", [errors.ProducerFenced(), errors.InvalidProducerEpoch()])
def test_both_names_of_a_fence_are_known(error: BaseException) -> None:
    assert is_fenced(error)
    assert is_fenced(raised_from(RuntimeError("around it"), error))


def test_a_ring_of_causes_ends() -> None:
    first, second = ValueError(1), ValueError(2)
    first.__cause__, second.__cause__ = second, first
    assert list(causes(first)) == [first, second]


def test_names_are_said_as_names() -> None:
    assert denied_names(errors.TopicAuthorizationFailedError({"b", "a"}, "c")) == "a, b, c"
    assert denied_names(errors.TopicAuthorizationFailedError()) == "something that it does not name"


async def _fails(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


@pytest.mark.parametrize("last", [Refusal("grant it"), errors.ProducerFenced()])
def test_of_several_errors_the_telling_one_is_raised(last: Exception) -> None:
    with pytest.raises(type(last)):
        asyncio.run(all_of([_fails(errors.InvalidTxnState()), _fails(last)]))


def test_without_a_telling_one_the_first_is_raised() -> None:
    with pytest.raises(KeyError):
        asyncio.run(all_of([_fails(KeyError(1)), _fails(ValueError(2))]))
