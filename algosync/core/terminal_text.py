"""Text for a terminal: colours, and escapes for everything else that steers a terminal or a CI system."""

from __future__ import annotations

import re

from algosync.core.text import printable

__all__ = ["PAINT", "harmless", "harmless_json", "paint"]

_CODES = {"green": "32", "yellow": "33", "red": "31", "cyan": "36", "bold": "1", "dim": "2"}
PAINT = re.compile(r"(\x1b\[(?:0|(?:1|2|31|32|33|36)(?:;1)?)m)")
"""Matches what `paint` adds, and no other escape sequence."""

# The beginnings of commands to CI systems. GitHub (`::`, also after blanks) and GitLab read them at the beginning of a line, Azure
# and TeamCity anywhere in it.
_COMMAND = re.compile(r"^(?:\s|\x1b\[[\d;]+m)*(?::(?=:)|s(?=ection_(?:start|end):))|#(?=#(?:\[|[a-z]+\[))")


def paint(text: str, *styles: str) -> str:
    """The text in a colour, in bold, or both. KeyError: there is no such style."""
    return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"


def harmless(line: str, *, coloured: bool) -> str:
    """One line in which control characters and commands to CI systems are escaped. Its paint stays only if it is `coloured`."""
    if not (line.isascii() and line.isprintable()):
        pieces = PAINT.split(line)  # texts, and paint between them
        pieces[::2] = (printable(text.expandtabs(4)) for text in pieces[::2])
        line = "".join(pieces if coloured else pieces[::2])
    return _COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", line)


def harmless_json(text: str) -> str:
    """The same for an ASCII JSON text, with escapes that JSON has."""
    return _COMMAND.sub(r"\\u0023", text).replace("\x7f", "\\u007f")
