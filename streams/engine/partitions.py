"""Where a key goes: Kafka's default partitioner, remembered, because murmur2 is pure Python here."""

from __future__ import annotations

from typing import Final

from aiokafka.partitioner import murmur2

REMEMBERED_MAX: Final = 500_000


def partition_of(key: bytes, count: int) -> int:
    """The partition that any Kafka producer gives a key by default, of `count`.

    >>> partition_of(b"foobar", 1_000)
    166
    """
    return int((murmur2(key) & 0x7FFFFFFF) % count)


class Places:
    """Customer id → (key, partition), for one partition count; bounded.

    >>> places = Places(4)
    >>> places["c-1"] == (b"c-1", partition_of(b"c-1", 4))
    True
    """

    def __init__(self, count: int, most: int = REMEMBERED_MAX) -> None:
        self.count, self.most = count, most
        self._places: dict[str, tuple[bytes, int]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, customer_id: str) -> tuple[bytes, int]:
        place = self._places.get(customer_id)
        if place is None:
            if len(self._places) >= self.most:
                self._places.clear()
            key = customer_id.encode()
            place = self._places[customer_id] = key, partition_of(key, self.count)
        return place
