"""The 512 bytes before each member of a tar: checked, and read only as far as a source needs them.

Owners, times and link targets are not looked at. `tarfile` could read them, but reads every field, in Python, and with rules
that differ from one interpreter to the next. Formats: V7, ustar, pax and GNU.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["BLOCK", "Header", "read_header"]

BLOCK = 512  # bytes
_USTAR = b"ustar\0"  # GNU writes `ustar  `, and times where the others have the front of a long name
_OCTAL = re.compile(rb" *(-?[0-7]*)[ \0]*")


@dataclass(frozen=True, slots=True)
class Header:
    """As it stands there, and nothing believed yet: `name` has what is not UTF-8 as surrogate escapes, `size` may be negative."""

    name: str
    size: int
    kind: bytes
    executable: bool


def read_header(block: bytes) -> Header:
    """ValueError: these are not the 512 bytes of a header, or they are damaged."""
    if len(block) != BLOCK or not _has_right_sum(block):
        raise ValueError("no header of a tar")
    name, kind = _text(block[:100]), block[156:157]
    if block[257:263] == _USTAR and (front := _text(block[345:500])):
        name = f"{front}/{name}"
    if kind == b"\0":  # V7 has no kinds: a folder is told by its name
        kind = b"5" if name.endswith("/") else b"0"
    return Header(name, _number(block[124:136]), kind, executable=bool(_number(block[100:108]) & 0o100))


def _has_right_sum(block: bytes) -> bool:
    """The sum of all bytes, its own field counted as spaces; some old systems had signed bytes."""
    said = _number(block[148:156])
    total = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if total == said:
        return True
    rest = block[:148] + block[156:]
    return said == total - 256 * sum(byte > 127 for byte in rest)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """Octal digits, or where the first bit is set a binary number with its sign."""
    if field[0] in (0x80, 0xFF):
        return int.from_bytes(field[1:], "big", signed=False) - (0 if field[0] == 0x80 else 256 ** (len(field) - 1))
    digits = _OCTAL.fullmatch(field)
    if digits is None or digits[1] == b"-":
        raise ValueError("no number of a tar")
    return int(digits[1] or b"0", 8)
