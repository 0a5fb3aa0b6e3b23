"""Archives made by code, as right or as wrong as a test wants them."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TypeAlias

from algosync.cluster.archive import Limits, read_archive
from algosync.core.tree import Blob

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


def header(name: bytes, size: bytes = b"00000000000\0", kind: bytes = b"0") -> bytes:
    """A ustar header with whatever in it, and a right checksum."""
    fields = [name.ljust(100, b"\0"), b"0000644\0", b"0000000\0" * 2, size, b"00000000000\0", b" " * 8, kind]
    block = b"".join(fields).ljust(257, b"\0") + b"ustar\x0000"
    block = block.ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def read(data: bytes, limits: Limits | None = None) -> dict[str, Blob]:
    return read_archive(io.BytesIO(data), limits or Limits())


def base256(number: int) -> bytes:
    return b"\x80" + number.to_bytes(11, "big") if number >= 0 else (number % (1 << 96)).to_bytes(12, "big")
