"""Text for terminals and reports: escapes untrusted text, colours, and formats sizes, durations and counts."""

from __future__ import annotations

import re
import unicodedata

__all__ = [
    "PAINT",
    "clauses",
    "duration",
    "harmless",
    "harmless_json",
    "harmless_text",
    "latency",
    "middle_cut",
    "paint",
    "plural",
    "printable",
    "printable_lines",
    "size",
]

# Control, format (bidi, zero-width), surrogate, private use and unassigned characters; line and paragraph separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str, limit: int | None = None) -> str:
    r"""Return the text as one line without characters that could control a terminal; they appear as `\\x1b` or `\\u202e`.

    The result is cut to `limit` characters, with `…` as its last one.
    """
    if limit is not None and len(text) > limit:
        text = text[: max(limit - 1, 0)] + "…"
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_ESCAPES)


def middle_cut(text: str, limit: int) -> str:
    """The text in at most `limit` characters, with `…` in its middle if something is left out. `limit` is at least 3.

    Hide secrets first: the second half of one is not recognised any more.
    """
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def printable_lines(text: str, last: int | None = None) -> list[str]:
    """Return each line escaped, with tabs expanded; only the `last` lines if a number is given."""
    lines = text.expandtabs(4).splitlines()
    return [printable(line, 2000) for line in (lines if last is None else lines[-last:])]


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


class _Escapes(dict[int, str]):
    """Replacement for each character. Cached, because a server may send millions of them."""

    def __missing__(self, number: int) -> str:
        character = chr(number)
        self[number] = shown = _escape(character) if unicodedata.category(character) in _UNSAFE else character
        return shown


_ESCAPES = _Escapes()


def size(count: int) -> str:
    """Format bytes with a decimal unit: `212.0 MB`, `17 B`."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            break
    return f"{value:.1f} {unit}"


def duration(seconds: float) -> str:
    """Format seconds: `0.4s`, `12s`, `3m05s`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s"


def latency(seconds: float) -> str:
    """Format the time of one call: `2.5 ms`, `12 ms`, `1.25 s`."""
    if seconds >= 0.9995:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.2g} ms" if seconds < 0.00995 else f"{seconds * 1000:.0f} ms"


def plural(count: int, noun: str) -> str:
    """Return `1 file`, `2 files`, `10,000 files`."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


_CODES = {"green": "32", "yellow": "33", "red": "31", "cyan": "36", "bold": "1", "dim": "2"}
PAINT = re.compile(r"(\x1b\[(?:0|(?:1|2|31|32|33|36)(?:;1)?)m)")
"""Matches what `paint` adds, and no other escape sequence."""

# The beginnings of commands to CI systems. GitHub (`::`, also after blanks) and GitLab read them at the beginning of a line, Azure
# and TeamCity anywhere in it.
_COMMAND_PARTS = ("::", "section_", "##")
_COMMAND = r"^(?:\s|\x1b\[[\d;]+m)*(?::(?=:)|s(?=ection_(?:start|end):))|#(?=#(?:\[|[a-z]+\[))"


def paint(text: str, *styles: str) -> str:
    """The text in a colour, in bold, or both. KeyError: there is no such style."""
    return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"


def harmless(line: str, *, coloured: bool) -> str:
    """One line in which control characters and commands to CI systems are escaped. Its paint stays only if it is `coloured`."""
    if not (line.isascii() and line.isprintable()):
        pieces = PAINT.split(line)  # texts, and paint between them
        pieces[::2] = (printable(text.expandtabs(4)) for text in pieces[::2])
        line = "".join(pieces if coloured else pieces[::2])
    if not any(part in line for part in _COMMAND_PARTS):  # nearly always, and much faster than the pattern
        return line
    return re.sub(_COMMAND, lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", line)


def harmless_text(text: str, *, coloured: bool) -> str:
    """Lines, each as of `harmless`. A plan has many thousands, and in nearly all texts there is nothing to escape."""
    plain = PAINT.sub("", text)
    characters = plain.replace("\n", "")
    shown = text if coloured else plain
    if characters.isascii() and characters.isprintable() and not any(part in shown for part in _COMMAND_PARTS):
        return shown
    return "\n".join(harmless(line, coloured=coloured) for line in text.split("\n"))


def harmless_json(text: str) -> str:
    """Like `harmless` for an ASCII JSON text, with the escapes of JSON."""
    return re.sub(_COMMAND, r"\\u0023", text).replace("\x7f", "\\u007f")


def clauses(*parts: str | None) -> str:
    """The parts of a hint as one line. A semicolon separates them, but none follows a question mark."""
    given = [part for part in parts if part]
    return "; ".join(given).replace("?; ", "? ")
