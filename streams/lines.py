"""Files of lines, as they come in and go out: plain, `.gz`, `.zst`, or `-` for a standard stream.

Which compression applies is told by the file's first bytes, so that a pipe works too; on the way out by its name.
"""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

import zstandard

from streams.failures import Failure
from streams.progress import Progress, Silent

STANDARD_STREAM: Final = "-"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_BUFFER_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 1 << 17


class _Counted(io.RawIOBase):
    """A file that reports every byte that is read from it, before it is unpacked."""

    def __init__(self, file: io.BufferedReader, progress: Progress) -> None:
        self._file, self._progress = file, progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        # read1: a slow pipe hands over what it has, and is not waited for until the buffer is full.
        data = self._file.read1(len(view))
        view[: len(data)] = data
        self._progress.advance(len(data))
        return len(data)


class _Unpacked(io.RawIOBase):
    """What one or several zstd frames unpack to.

    The library's own reader takes a file that was cut short for one that has ended; this one raises ZstdError.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._packed = b""
        self._unpacked = memoryview(b"")
        self._frame_begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        while not self._unpacked:
            packed = self._packed or self._file.read(_CHUNK_BYTES)
            if not packed:
                if self._frame_begun:
                    raise zstandard.ZstdError("the file is cut short")
                return 0
            self._unpacked, self._packed = memoryview(self._frame.decompress(packed)), b""
            self._frame_begun = True
            if self._frame.eof:
                self._packed, self._frame_begun = self._frame.unused_data, False
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        size = min(len(view), len(self._unpacked))
        view[:size], self._unpacked = self._unpacked[:size], self._unpacked[size:]
        return size


def total_bytes(paths: Iterable[str]) -> int | None:
    """The size of all files together, None if one is a standard stream; raises Failure for a missing file."""
    total = 0
    for path in paths:
        if path == STANDARD_STREAM:
            return None
        try:
            total += Path(path).stat().st_size
        except OSError as error:
            raise Failure(f"cannot read {path}: {error.strerror}") from error
    return total


@contextmanager
def open_input(path: str, progress: Progress | None = None) -> Iterator[BinaryIO]:
    """The unpacked bytes of a file, told to `progress` as it is read; raises Failure if it cannot be opened."""
    try:
        # Closed below; a context manager here would close standard input too.
        file = sys.stdin.buffer if path == STANDARD_STREAM else Path(path).open("rb")  # noqa: SIM115
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from error
    try:
        raw = io.BufferedReader(_Counted(cast("io.BufferedReader", file), progress or Silent()), _BUFFER_BYTES)
        start = raw.peek(4)[:4]
        if start.startswith(_GZIP_MAGIC):
            yield io.BufferedReader(gzip.GzipFile(fileobj=raw), _BUFFER_BYTES)
        elif start == _ZSTD_MAGIC:
            yield io.BufferedReader(_Unpacked(raw), _BUFFER_BYTES)
        else:
            yield raw
    finally:
        if path != STANDARD_STREAM:
            file.close()


def read_lines(path: str, progress: Progress | None = None) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers from 1, without line ends; empty lines are left out.

    Raises Failure, naming the file, if it cannot be opened or unpacked.
    """
    with open_input(path, progress) as file:
        number = 0
        try:
            for number, line in enumerate(file, start=1):
                bare = line.rstrip(b"\r\n")
                if bare:
                    yield number, bare
        except (EOFError, gzip.BadGzipFile, zstandard.ZstdError) as error:
            raise Failure(f"cannot unpack {path} after line {number}: {error}") from error


@contextmanager
def open_output(path: str) -> Iterator[BinaryIO]:
    """A file to write bytes to, packed if its name ends in `.gz` or `.zst`; raises Failure if it cannot be opened."""
    if path == STANDARD_STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        # Opened apart from `with file`, so that only a failure to open is told as one.
        file = Path(path).open("wb")  # noqa: SIM115
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from error
    with file:
        if path.endswith(".gz"):
            # No name and no time in the header: the same content gives the same bytes.
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
                yield cast("BinaryIO", packed)
        elif path.endswith(".zst"):
            writer = zstandard.ZstdCompressor(level=3).stream_writer(file)
            with io.BufferedWriter(cast("io.RawIOBase", writer)) as packed:
                yield packed
        else:
            yield file
