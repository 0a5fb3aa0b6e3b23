"""Builds archives, valid and invalid ones."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TypeAlias

import pytest
from fuzzing import bounded
from touching import untouched

import algosync.sources.archive.gunzip
import algosync.sources.archive.tar  # noqa: F401  # imported when the first archive is read, and that opens files
from algosync.core.error import SourceError
from algosync.core.tree import Blob
from algosync.sources.archive import ArchiveLimits, read_archive

Member: TypeAlias = "tuple[tarfile.TarInfo, bytes] | tuple[str, bytes]"

SRC = ("src/Hello.py", b"def apply(input):\n    return input\n")


def member(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, mode: int = 0o644, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode, link, len(data)
    info.pax_headers = {}
    return info


def tar(*members: Member, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, errors="surrogateescape") as archive:
        for info, data in members:
            entry = info if isinstance(info, tarfile.TarInfo) else member(info, data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def packed(*members: Member) -> bytes:
    return gzip.compress(tar(SRC, *members))


def header(name: bytes, size: bytes = b"00000000000\0", kind: bytes = b"0", front: bytes = b"") -> bytes:
    """A ustar header with these fields and a valid checksum."""
    fields = [name.ljust(100, b"\0"), b"0000644\0", b"0000000\0" * 2, size, b"00000000000\0", b" " * 8, kind]
    block = b"".join(fields).ljust(257, b"\0") + b"ustar\x0000"
    block = (block.ljust(345, b"\0") + front).ljust(512, b"\0")
    return sealed(block)


def sealed(block: bytes) -> bytes:
    return block[:148] + b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 256) + block[156:]


def extended(kind: bytes, data: bytes, name: bytes = b"extension") -> bytes:
    """An extension header with a body, for example for a long name."""
    return header(name, b"%011o\0" % len(data), kind) + data + bytes(-len(data) % 512)


def record(key: str, value: str | bytes) -> bytes:
    """One record of a pax header. Its length includes the digits of the length."""
    rest = b" %s=%s\n" % (key.encode(), value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value)
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length += 1
    return b"%d" % length + rest


def raw(*blocks: bytes) -> bytes:
    """A compressed source with raw blocks after its module."""
    return gzip.compress(tar(SRC)[:1024] + b"".join(blocks) + bytes(1024), 1)


def read(data: bytes, limits: ArchiveLimits | None = None) -> dict[str, Blob]:
    """The files of an archive. Fails if reading takes too much work or touches anything outside memory."""
    with untouched(), bounded("the archive", 10_000_000):
        return read_archive(io.BytesIO(data), limits or ArchiveLimits()).files


def refusal(data: bytes, limits: ArchiveLimits | None = None) -> str:
    """The message of the refusal, which is one printable line."""
    with pytest.raises(SourceError) as caught:
        read(data, limits)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400
    return caught.value.message


def base256(number: int) -> bytes:
    return b"\x80" + number.to_bytes(11, "big") if number >= 0 else (number % (1 << 96)).to_bytes(12, "big")
