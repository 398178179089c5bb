"""Files of lines in and out."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from streams.failures import Failure
from streams.lines import open_output, read_lines, total_bytes

CONTENT = b'{"a":1}\n\n{"b":2}\r\n{"c":3}'
LINES = [(1, b'{"a":1}'), (3, b'{"b":2}'), (4, b'{"c":3}')]


class Recorder:
    """Remembers what was reported to it."""

    def __init__(self) -> None:
        self.done = 0

    def expect(self, total: int) -> None:
        self.total = total

    def advance(self, amount: int) -> None:
        self.done += amount


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gz", "zst"])
def test_lines_come_with_their_numbers_whatever_the_packing(tmp_path: Path, pack: type[bytes]) -> None:
    """The packing is told by the content: the name says nothing here."""
    path = tmp_path / "events"
    path.write_bytes(pack(CONTENT))
    assert list(read_lines(str(path))) == LINES


def test_several_packed_parts_in_one_file_are_all_read(tmp_path: Path) -> None:
    for name, pack in (("a.gz", gzip.compress), ("a.zst", zstandard.compress)):
        path = tmp_path / name
        path.write_bytes(pack(b"one\n") + pack(b"two\n"))
        assert [line for _, line in read_lines(str(path))] == [b"one", b"two"]


def test_progress_counts_the_bytes_of_the_file_and_not_what_they_unpack_to(tmp_path: Path) -> None:
    path = tmp_path / "events.gz"
    path.write_bytes(gzip.compress(b"x\n" * 100_000))
    recorder = Recorder()
    assert sum(1 for _ in read_lines(str(path), recorder)) == 100_000
    assert recorder.done == path.stat().st_size == total_bytes([str(path)])


@given(st.lists(st.binary().filter(lambda line: not set(line) & set(b"\r\n")).map(b"{".__add__), max_size=20))
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_what_is_written_can_be_read(tmp_path_factory: pytest.TempPathFactory, name: str, lines: list[bytes]) -> None:
    path = str(tmp_path_factory.mktemp("lines") / name)
    with open_output(path) as file:
        file.writelines(line + b"\n" for line in lines)
    assert [line for _, line in read_lines(path)] == lines


@pytest.mark.parametrize("name", ["out.gz", "out.zst"])
def test_the_same_content_packs_to_the_same_bytes(tmp_path: Path, name: str) -> None:
    packed = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        with open_output(str(tmp_path / folder / name)) as file:
            file.write(b"content\n" * 1_000)
        packed.append((tmp_path / folder / name).read_bytes())
    assert packed[0] == packed[1]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
def test_a_damaged_file_is_named(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "events"
    whole = pack(b"".join(b"%d\n" % number for number in range(100_000)))
    path.write_bytes(whole[: len(whole) // 2] + b"\x00" * 100)
    with pytest.raises(Failure, match=f"cannot unpack {path} after line"):
        list(read_lines(str(path)))


def test_a_standard_stream_has_no_size() -> None:
    assert total_bytes(["-"]) is None


def test_a_missing_file_is_named() -> None:
    with pytest.raises(Failure, match=r"cannot read nowhere\.jsonl: No such file"):
        total_bytes(["nowhere.jsonl"])
