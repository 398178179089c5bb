"""A customer goes where any Kafka client would send the same key."""

from __future__ import annotations

import pytest

from streams.engine.partitions import Places, partition_of

# From the tests of Kafka's own Utils.murmur2 (Java).
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", JAVA)
def test_the_partition_is_that_of_the_java_producer(key: bytes) -> None:
    for count in (1, 3, 4, 12, 100):
        assert partition_of(key, count) == (JAVA[key] & 0x7FFFFFFF) % count


def test_a_place_is_the_customers_key_and_partition_as_often_as_it_is_asked() -> None:
    places = Places(4)
    assert [places["kündin"] for _ in range(2)] == [("kündin".encode(), partition_of("kündin".encode(), 4))] * 2


def test_what_is_remembered_is_bounded() -> None:
    places = Places(4, most=10)
    answers = [places[f"c-{i}"] for i in range(100)]
    assert answers == [(b"c-%d" % i, partition_of(b"c-%d" % i, 4)) for i in range(100)]
    assert len(places) <= 10
