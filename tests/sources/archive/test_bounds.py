"""Sizes, decompression bombs, truncation and limits of archives."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from packing import SRC, base256, extended, header, member, packed, raw, read, refusal, tar

from algosync.core.error import SourceError
from algosync.core.tree import Blob
from algosync.sources.archive import ArchiveLimits

SIZES = {
    "negative": (base256(-1), "a size is negative"),
    "very-negative": (base256(-(2**63)), "a size is negative"),
    "negative-octal": (b"-0000000001\0", "a size is negative"),
    "2-63": (base256(2**63), "is larger than"),
    "over-the-limit": (base256(2**40), "is larger than"),
    "over-the-stream": (b"00000010000\0", "is cut off"),
    "no-number": (b"zzzzzzzzzzz\0", "is damaged"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [b"0", b"x", b"L", b"g"])
def test_an_impossible_size_is_refused_at_once(size: str, kind: bytes) -> None:
    field, reason = SIZES[size]
    data = gzip.compress(tar(SRC)[:1024] + header(b"src/x", field, kind) + b"x" * 512)
    wanted = reason if kind == b"0" or size in ("over-the-stream", "no-number") else "a header of"
    assert wanted in refusal(data)


@pytest.mark.parametrize("size", ["-1", "", "1e3", "9" * 19, " 1", "0x10", "٣"])
def test_an_impossible_size_in_a_pax_header_is_refused(size: str) -> None:
    info = member("src/x", b"x")
    info.pax_headers = {"size": size}
    with pytest.raises(SourceError, match=r"a size is not a number|is larger than"):
        read(packed((info, b"x")))


def test_a_size_in_a_pax_header_is_the_one_that_counts() -> None:
    record = b"12 size=700\n"
    extension = header(b"pax", b"%011o\0" % len(record), b"x") + record.ljust(512, b"\0")
    data = tar(SRC)[:1024] + extension + header(b"src/x") + b"y" * 700 + bytes(324) + bytes(1024)
    assert read(gzip.compress(data))["src/x"] == Blob(b"y" * 700)


def _bomb(size: int) -> bytes:
    """A tar with one file of zeros, which compresses about a thousandfold."""
    engine, out = zlib.compressobj(9, wbits=31), []
    out.append(engine.compress(tar(SRC)[:1024] + header(b"src/x", base256(size))))
    out.extend(engine.compress(bytes(1 << 20)) for _ in range(size >> 20))
    out.append(engine.compress(bytes(1024)))
    return b"".join([*out, engine.flush()])


def test_a_bomb_is_refused_early_and_in_little_memory() -> None:
    data = _bomb(200 << 20)
    assert len(data) < 1 << 20
    with peak(64 << 20):
        assert refusal(data) == "the source archive unpacks to more than 200 times its size"


@contextmanager
def peak(most: int) -> Iterator[None]:
    """Fails if the body allocates more than `most` bytes at once."""
    tracemalloc.start()
    try:
        yield
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert used < most


def test_a_large_file_is_in_memory_once() -> None:
    data = gzip.compress(tar(SRC, ("src/x", random.Random(1).randbytes(24 << 20))), 1)
    with peak(40 << 20):
        assert len(read(data)["src/x"].data) == 24 << 20


def test_many_long_paths_take_little_memory() -> None:
    """Each folder in a path is stored with its own path: without a limit of the length, 1 MB would become 8 GB."""
    many = (header(f"{number:05d}/{'d/' * 29}x".encode()) for number in range(4000))
    with peak(64 << 20):
        assert refusal(raw(*many)) == "the source has more than 20000 entries"


def _a_million_entries() -> bytes:
    some = gzip.compress(b"".join(header(b"src/%d" % number) for number in range(20_001)), 1)
    return gzip.compress(tar(SRC)[:1024]) + some * 50


BOMBS = {
    "a-million-entries": (_a_million_entries, "the source has more than 20000 entries"),
    "the-same-folder-again": (lambda: raw(header(b"src/", kind=b"5") * 20_001), "the source has more than 20000 entries"),
    "long-names-for-one-file": (lambda: raw(extended(b"L", b"x") * 60_001), "the source archive has more than 60000 headers"),
    "global-headers": (lambda: raw(extended(b"g", b"5 a=\n") * 60_001), "the source archive has more than 60000 headers"),
    "records": (lambda: raw(extended(b"x", b"5 a=\n" * 209_000) * 9), "the source archive has a header of 1045000 bytes"),
    "fifty-megabytes-for-a-name": (
        lambda: raw(extended(b"L", b"x" * (50 << 20))),
        "the source archive has a header of 52428800 bytes",
    ),
    "gzip-members": (
        lambda: gzip.compress(tar(SRC)[:512]) + gzip.compress(b"") * 20_001,
        "the source archive has too many gzip members",
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_after_little_work(bomb: str) -> None:
    make, message = BOMBS[bomb]
    assert refusal(make()) == message


def test_a_source_beyond_the_limit_is_refused_before_it_is_read() -> None:
    data = gzip.compress(tar(SRC, ("src/x", bytes(range(256)) * 8192)), 1)
    with pytest.raises(SourceError, match="is larger than"):
        read(data, ArchiveLimits(size=1 << 20))
    assert len(read(data, ArchiveLimits(size=4 << 20))["src/x"].data) == 2 << 20


def test_a_stream_larger_than_the_limit_is_refused_even_if_nothing_comes_of_it() -> None:
    empty = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0\0\0\xff\xff" * 500_000  # stored blocks of length zero
    with pytest.raises(SourceError, match="is larger than"):
        read(empty, ArchiveLimits(size=1 << 20))


def test_a_header_of_fifty_megabytes_is_refused() -> None:
    info = member("src/x", b"x")
    info.pax_headers = {"comment": "x" * (50 << 20)}
    data = packed((info, b"x"))
    assert len(data) < 100_000
    with pytest.raises(SourceError, match="a header of"):
        read(data)


def test_a_gzip_in_a_gzip_is_no_tar() -> None:
    with pytest.raises(SourceError) as caught:
        read(gzip.compress(packed()))
    assert caught.value.message.startswith("the source archive is gzip, but does not contain a tar (starts with '\\x1f")


def test_gzip_members_one_after_another_are_one_stream() -> None:
    whole = tar(SRC, ("src/x", b"x" * 3000))
    data = b"".join(gzip.compress(whole[place : place + 700]) for place in range(0, len(whole), 700))
    assert read(data) == {SRC[0]: Blob(SRC[1]), "src/x": Blob(b"x" * 3000)}


ENDINGS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "garbage-behind-gzip": (lambda data: data + b"garbage", "other data after its end"),
    "half-a-member-behind": (lambda data: data + b"\x1f\x8b\x08", "is cut off"),
    "garbage-behind-tar": (lambda data: gzip.compress(gzip.decompress(data) + b"x"), "other data after its end"),
    "no-end-mark": (lambda data: gzip.compress(tar(SRC)[:1024]), "damaged or cut off"),
    "half-an-end-mark": (lambda data: gzip.compress(tar(SRC)[:1024] + bytes(100)), "damaged or cut off"),
    "cut-in-a-file": (lambda data: gzip.compress(tar(SRC)[:520]), "is cut off"),
    "cut-in-padding": (lambda data: gzip.compress(tar(SRC)[:1000]), "is cut off"),
    "cut-in-a-header": (lambda data: gzip.compress(tar(SRC)[:1100]), "damaged or cut off"),
    "wrong-checksum-of-gzip": (lambda data: data[:-8] + b"\0\0\0\0" + data[-4:], "damaged data"),
    "wrong-length-of-gzip": (lambda data: data[:-4] + b"\0\0\0\0", "damaged data"),
    "a-damaged-second-header": (lambda data: gzip.compress(tar(SRC)[:1024] + b"\x01" * 512 + bytes(1024)), "damaged"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_that_does_not_end_as_it_should_is_refused(ending: str) -> None:
    make, reason = ENDINGS[ending]
    with pytest.raises(SourceError, match=reason):
        read(make(packed()))


@pytest.mark.parametrize("data", [packed() + bytes(1000), gzip.compress(tar(SRC) + bytes(9000)), gzip.compress(tar(SRC)[:1536])])
def test_zeros_behind_the_end_are_padding(data: bytes) -> None:
    assert read(data) == {SRC[0]: Blob(SRC[1])}


def test_every_truncation_is_noticed() -> None:
    data = packed(("src/x", bytes(range(256))), ("requirements.txt", b"numpy\n"))
    for length in range(len(data)):
        with pytest.raises(SourceError):
            read(data[:length])


def test_limits_are_what_they_say() -> None:
    deep = "/".join(["src", *["d"] * 31])
    longest = "src/" + "n" * 255
    assert set(read(packed((deep, b""), (longest, b"")))) == {SRC[0], deep, longest}
    few = replace(ArchiveLimits(), entries=3)
    assert len(read(packed(("src/x", b"")), few)) == 2  # and the folder
    assert refusal(packed(("src/x", b""), ("src/y", b"")), few) == "the source has more than 3 entries"
    assert refusal(packed(("src/d/x", b"")), few) == "the source has more than 3 entries"
    names = ["src", *["n" * 250] * 4, "x" * 17]
    assert len(read(packed(("/".join(names)[:-1], b"")))) == 2
    assert refusal(packed(("/".join(names), b""))).endswith("…' is longer than 1024 bytes")
