"""The 512-byte header of a tar member, read as far as a source needs it.

Owners and times are ignored. `tarfile` is not used: it reads every field in Python, with rules that differ between
Python versions. Formats: V7, ustar, pax and GNU.
"""

from __future__ import annotations

import re

from algosync.core.lean import dataclass

__all__ = ["BLOCK", "TarHeader", "read_header"]

BLOCK = 512  # bytes
_USTAR = b"ustar\0"  # GNU writes `ustar  `, and has times where ustar has the prefix of a long name
_OCTAL = re.compile(rb" *(-?[0-7]*)[ \0]*")


@dataclass(frozen=True, slots=True)
class TarHeader:
    """The fields as written, not validated. In `name`, bytes that are not UTF-8 are surrogate escapes. `size` may be negative."""

    name: str
    size: int
    kind: bytes
    executable: bool
    link: str


def read_header(block: bytes) -> TarHeader:
    """ValueError: the block is not a 512-byte tar header, or it is damaged."""
    if len(block) != BLOCK or not _has_right_checksum(block):
        raise ValueError("not a tar header")
    name, kind = _text(block[:100]), block[156:157]
    if block[257:263] == _USTAR and (prefix := _text(block[345:500])):
        name = f"{prefix}/{name}"
    if kind == b"\0":  # V7 has no types: the name of a folder ends with a slash
        kind = b"5" if name.endswith("/") else b"0"
    executable = bool(_number(block[100:108]) & 0o100)
    return TarHeader(name, _number(block[124:136]), kind, executable, _text(block[157:257]))


def _has_right_checksum(block: bytes) -> bool:
    """The sum of all bytes, with the checksum field counted as spaces. Some old systems summed signed bytes."""
    stored = _number(block[148:156])
    total = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if total == stored:
        return True
    rest = block[:148] + block[156:]
    return stored == total - 256 * sum(byte > 127 for byte in rest)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """Octal digits, or a signed binary number if the first bit is set."""
    if field[0] in (0x80, 0xFF):
        return int.from_bytes(field[1:], "big", signed=False) - (0 if field[0] == 0x80 else 256 ** (len(field) - 1))
    digits = _OCTAL.fullmatch(field)
    if digits is None or digits[1] == b"-":
        raise ValueError("not a number in a tar header")
    return int(digits[1] or b"0", 8)
