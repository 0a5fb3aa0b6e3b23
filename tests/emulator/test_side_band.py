"""The build log that git shows to its user: complete lines without control characters, in packets of git's protocol."""

import asyncio
import io
import re
from pathlib import Path
from typing import cast

import pytest
from dulwich.protocol import Protocol
from hypothesis import given
from hypothesis import strategies as st

from algosync.emulator.git.side_band import KEEP_ALIVE, LONGEST, Remarks, packets
from algosync.emulator.records.builds import BuildRecord
from algosync.emulator.running import build_log
from algosync.emulator.running.builder import Builder

BUILD = BuildRecord(1, "id", "algorithm", "0" * 40, "version", "in-progress", "now", None)
ALLOWED = re.compile(r"[\n\t\x20-\x7e\xa0-\U0010ffff]*")


def shown(framed: bytes) -> str:
    """The text of packets, which must all be in the channel of remarks."""
    read = list(Protocol(io.BytesIO(framed + b"0000").read, lambda _: None).read_pkt_seq())
    assert {packet[:1] for packet in read} <= {b"\2"}
    return b"".join(packet[1:] for packet in read).decode()


def all_of(blocks: list[bytes]) -> str:
    remarks = Remarks()
    return shown(b"".join([*map(remarks.packets, blocks), remarks.packets(b"", final=True)]))


@given(st.lists(st.binary()))
def test_any_output_becomes_lines_without_control_characters(blocks: list[bytes]) -> None:
    text = all_of(blocks)
    assert ALLOWED.fullmatch(text)
    assert text[-1:] in ("", "\n")
    assert text == all_of([b"".join(blocks)])


@given(st.text(st.characters(categories=["L", "N", "P"]) | st.sampled_from("\t\n "), max_size=200))
def test_harmless_text_is_kept(text: str) -> None:
    assert all_of([text.encode()]) == (text if text.endswith("\n") or not text else text + "\n")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"\x1b]0;owned\x07\x1b[2Jx\n", "\ufffd]0;owned\ufffd\ufffd[2Jx\n"),
        (b"50%\r100%\r\ndone\r", "50%\n100%\ndone\n"),
        (b"a\0b\x7fc\xc2\x9bd", "a\ufffdb\ufffdc\ufffdd\n"),
        ("safe\u202elive\u2028x".encode(), "safe\ufffdlive\ufffdx\n"),
        (b"0000000fno packet\n", "0000000fno packet\n"),
    ],
)
def test_control_characters_are_replaced(output: bytes, expected: str) -> None:
    assert all_of([output]) == expected
    assert all_of([output[at : at + 1] for at in range(len(output))]) == expected


def test_an_endless_line_is_split() -> None:
    remarks = Remarks()
    said = [remarks.packets("\u20ac".encode() * 100_000) for _ in range(3)]
    assert all(said)
    lines = (shown(b"".join(said)) + shown(remarks.packets(b"", final=True))).splitlines()
    assert "".join(lines) == "\u20ac" * 300_000
    assert {len(line) for line in lines[:-1]} == {LONGEST}


def test_packets_have_the_maximum_size_of_git() -> None:
    framed = packets(1, bytes(200_000))
    read = list(Protocol(io.BytesIO(framed + b"0000").read, lambda _: None).read_pkt_seq())
    assert [len(packet) for packet in read] == [65516, 65516, 65516, 200_000 - 3 * 65515 + 1]
    assert framed[:4] == b"fff0"
    assert packets(2, b"") == b""
    assert KEEP_ALIVE == b"0005\2"


class Paced:
    """A builder of one build that ends after as many polls as there are steps. Each step may append to the log."""

    def __init__(self, log: Path, steps: list[bytes | None]) -> None:
        self._log, self._steps = log, steps

    async def ends(self, build: BuildRecord, within: float) -> bool:
        assert (build, within) == (BUILD, build_log.POLL_SECONDS)
        if added := self._steps.pop(0):
            with self._log.open("ab") as log:
                log.write(added)
        return not self._steps

    def log_file(self, build: BuildRecord) -> Path:
        assert build == BUILD
        return self._log


def followed(log: Path, steps: list[bytes | None], *, stops: bool = False) -> list[bytes]:
    async def collect() -> list[bytes]:
        builder = cast("Builder", Paced(log, steps))
        stop = (lambda: len(steps) < 3) if stops else (lambda: False)
        return [said async for said in build_log.log_packets(builder, BUILD, stop)]

    return asyncio.run(collect())


def test_lines_are_sent_as_they_are_written(tmp_path: Path) -> None:
    said = followed(tmp_path / "log", [None, b"one\ntw", b"o\n", None, b"end"])
    assert [shown(each) for each in said] == ["one\n", "two\n", "end\n"]


def test_a_silent_build_keeps_the_connection_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_log, "KEEP_ALIVE_SECONDS", 0.0)
    said = followed(tmp_path / "log", [None, b"one\n", b"half", None])
    assert said[:1] == [KEEP_ALIVE]
    assert [shown(each) for each in said if each != KEEP_ALIVE] == ["one\n", "half\n"]
    monkeypatch.undo()
    assert followed(tmp_path / "other", [None] * 50) == []


def test_a_stopping_server_tells_the_client(tmp_path: Path) -> None:
    said = followed(tmp_path / "log", [b"one\n", b"two\n", b"three\n", b"four\n"], stops=True)
    assert [shown(each) for each in said] == [
        "one\n",
        "\nThe local cluster is stopping. It will build this commit again when it starts.\n",
    ]
