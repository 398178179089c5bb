"""What is remembered of the sources of events, to tell their events apart quickly."""

import xxhash

SOURCES_MAX = 10_000


class Seeds(dict[str, int]):
    """A source's part of an event's identity; there are few sources, so it is remembered.

    >>> seeds = Seeds()
    >>> seeds["/billing"] == seeds["/billing"] != seeds["/shop"], len(seeds)
    (True, 2)
    """

    def __missing__(self, source: str) -> int:
        if len(self) > SOURCES_MAX:
            self.clear()
        seed = self[source] = xxhash.xxh3_64_intdigest(source.encode())
        return seed
