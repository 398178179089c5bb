"""Which dead letters of a partition were sent again, as runs of offsets, small enough for a committed offset's note.

Rules: a run covers every letter between its ends; what lies between two letters and is none (the mark of a
transaction) parts no run. Letters that Kafka has deleted are forgotten.
"""

from __future__ import annotations

import base64
import zlib
from bisect import bisect_right
from itertools import pairwise

NOTE_BYTES_MAX = 4096
"""What a broker takes beside a committed offset, unless told otherwise (`offset.metadata.max.bytes`)."""
UNPACKED_MAX = 1_000_000


class Runs:
    """A set of offsets.

    >>> runs = Runs()
    >>> for first, last in ((3, 3), (9, 12), (4, 5)):
    ...     runs.add(first, last)
    >>> runs.spans, 5 in runs, 6 in runs, Runs.read(runs.note()).spans == runs.spans
    ([(3, 5), (9, 12)], True, False, True)
    """

    def __init__(self, spans: list[tuple[int, int]] | None = None) -> None:
        self.spans: list[tuple[int, int]] = spans or []

    def __contains__(self, offset: int) -> bool:
        at = bisect_right(self.spans, (offset, 1 << 63)) - 1
        return at >= 0 and offset <= self.spans[at][1]

    def add(self, first: int, last: int) -> None:
        """Take in all from `first` to `last`."""
        begin = bisect_right(self.spans, (first, -1))
        while begin and self.spans[begin - 1][1] >= first - 1:
            begin -= 1
        end = begin
        while end < len(self.spans) and self.spans[end][0] <= last + 1:
            first, last = min(first, self.spans[end][0]), max(last, self.spans[end][1])
            end += 1
        self.spans[begin:end] = [(first, last)]

    def forget(self, below: int) -> None:
        """Drop what lies below an offset."""
        self.spans = [(max(first, below), last) for first, last in self.spans if last >= below]

    @property
    def next_offset(self) -> int:
        """One past the last of them; 0 if there is none."""
        return self.spans[-1][1] + 1 if self.spans else 0

    def note(self) -> str:
        """The set as text: the steps between its ends, packed."""
        edges = [0, *(edge for span in self.spans for edge in span)]
        steps = " ".join(str(after - before) for before, after in pairwise(edges))
        return base64.b64encode(zlib.compress(steps.encode(), 9)).decode()

    @classmethod
    def read(cls, note: str) -> Runs:
        """The set of a note; raises ValueError for a text that is none."""
        packed = zlib.decompressobj()
        try:
            unpacked = packed.decompress(base64.b64decode(note, validate=True), UNPACKED_MAX)
        except zlib.error as error:
            raise ValueError(f"not a note of runs: {error}") from error
        if not packed.eof:
            raise ValueError("not a note of runs: it is cut off")
        edges, at = [], 0
        for step in unpacked.split():
            at += int(step)
            edges.append(at)
        if len(edges) % 2 or any(before > after for before, after in pairwise(edges)):
            raise ValueError("not a note of runs: its edges are not in order")
        return cls(list(zip(edges[::2], edges[1::2], strict=True)))
