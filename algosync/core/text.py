"""Texts for people: what came from outside is made harmless; sizes, durations and digests are made short."""

from __future__ import annotations

import unicodedata

__all__ = ["duration", "plural", "printable", "printable_lines", "size"]

# Control, format (bidi, zero-width), surrogate, private use and unassigned; line and paragraph separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str, limit: int | None = None) -> str:
    """One harmless line: every character that could steer a terminal is shown as `\\x1b` or `\\u202e`.

    `limit` caps the length in characters; what is cut off is shown as `…`.
    """
    if limit is not None and len(text) > limit:
        text = text[: max(limit - 1, 0)] + "…"
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_ESCAPES)


def printable_lines(text: str, last: int | None = None) -> list[str]:
    """Each line made harmless, tabs widened; only the `last` ones where a number is given."""
    lines = text.expandtabs(4).splitlines()
    return [printable(line, 2000) for line in (lines if last is None else lines[-last:])]


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


class _Escapes(dict[int, str]):
    """What each character is shown as: looked up once, for a server may send millions."""

    def __missing__(self, number: int) -> str:
        character = chr(number)
        self[number] = shown = _escape(character) if unicodedata.category(character) in _UNSAFE else character
        return shown


_ESCAPES = _Escapes()


def size(count: int) -> str:
    """Bytes with a decimal unit: `212.0 MB`, `17 B`."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            break
    return f"{value:.1f} {unit}"


def duration(seconds: float) -> str:
    """`0.4s`, `12s`, `3m05s`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s"


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
