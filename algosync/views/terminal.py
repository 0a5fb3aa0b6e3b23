"""Terminal: the two streams, colour where it is wanted, and nothing that can fail because nobody reads any more."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO, cast

from algosync.core.text import printable
from algosync.views.redaction import Redactor

if TYPE_CHECKING:
    from algosync.core.resource import Json

__all__ = ["Terminal", "standard"]

_CODES = {"green": "32", "yellow": "33", "red": "31", "cyan": "36", "bold": "1", "dim": "2"}
_PAINT = re.compile(r"(\x1b\[(?:0|(?:1|2|31|32|33|36)(?:;1)?)m)")  # what `paint` writes, and nothing else
# What makes CI systems obey a line: GitHub (`::`, also behind blanks), GitLab at its beginning; Azure and TeamCity anywhere in it.
_COMMAND = re.compile(r"^(?:\s|\x1b\[[\d;]+m)*(?::(?=:)|s(?=ection_(?:start|end):))|#(?=#(?:\[|[a-z]+\[))")


@dataclass(frozen=True, slots=True)
class Terminal:
    """`out` carries the result, `err` progress and errors. `coloured`: which of them are; `live`: progress may move the cursor.

    Everything passes here on its way out: what is hidden is written as `***`, whatever its disguise, and no text steers a terminal
    or a CI system, also where the view that made it forgot to see to that.
    """

    out: TextIO
    err: TextIO
    coloured: tuple[bool, bool]
    live: bool
    lost: list[str] = field(default_factory=list)  # why results could not be written
    left: list[TextIO] = field(default_factory=list)  # the streams that nobody reads any more
    _redactor: Redactor = field(default_factory=Redactor)

    def hide(self, text: str) -> None:
        self._redactor.hide(text)

    def redact(self, text: str) -> str:
        return self._redactor.redact(text)

    def redacted(self, value: Json) -> Json:
        return self._redactor.redacted(value)

    def result(self, text: str = "") -> None:
        self._write(self.out, self.shown(text, coloured=self.coloured[0]) + "\n")

    def document(self, value: Json) -> None:
        """One JSON document, ASCII-safe, members in the order they are given."""
        text = json.dumps(_finite(self.redacted(value)), indent=2, allow_nan=False)
        self._write(self.out, _COMMAND.sub(r"\\u0023", text).replace("\x7f", "\\u007f") + "\n")

    def verbatim(self, text: str) -> None:
        """A file's text that is piped on: nothing but what is hidden is changed."""
        self._write(self.out, self.redact(text) + "\n")

    def tell(self, text: str = "") -> None:
        self._write(self.err, self.shown(text, coloured=self.coloured[1]) + "\n")

    def screen(self) -> TextIO:
        """For what moves the cursor itself: `err` as it is, but for failing. What is written must be `shown` before."""
        return cast("TextIO", _Screen(self))

    def shown(self, text: str, *, coloured: bool) -> str:
        """The text as it may be written: its own line breaks and colours are all that is left to steer anything."""
        return "\n".join(_harmless(line, coloured=coloured) for line in self.redact(text).split("\n"))

    def paint(self, text: str, *styles: str) -> str:
        """For either stream: one without colour drops it when it is written."""
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"

    def _write(self, stream: TextIO, text: str) -> None:
        """The work goes on whatever becomes of the text: what follows goes nowhere. A reader who left (`| head`) wants it so."""
        try:
            stream.write(text)
            stream.flush()
        except OSError as error:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
            self.left.append(stream)
            if stream is self.out and not isinstance(error, BrokenPipeError):
                self.lost.append(error.strerror or type(error).__name__)


class _Screen(io.TextIOBase):
    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        self._terminal._write(self._terminal.err, text)
        return len(text)

    def isatty(self) -> bool:
        return self._terminal.err.isatty()

    def fileno(self) -> int:
        return self._terminal.err.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute here
        return self._terminal.err.encoding


def _harmless(line: str, *, coloured: bool) -> str:
    if not (line.isascii() and line.isprintable()):
        pieces = _PAINT.split(line)  # texts, and between them paint
        pieces[::2] = (printable(text.expandtabs(4)) for text in pieces[::2])
        line = "".join(pieces if coloured else pieces[::2])
    return _COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", line)


def _finite(value: Json) -> Json:
    """JSON has no words for what is no number or endless, which a server may have sent all the same."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {name: _finite(item) for name, item in value.items()}
        case list():
            return [_finite(item) for item in value]
        case _:
            return value


def standard(environ: Mapping[str, str]) -> Terminal:
    """The process's own streams; `NO_COLOR`, `CI` and `TERM=dumb` are honoured."""
    # A shell may close either (`1>&-`).
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # absent where a test replaced the stream
    dumb = environ.get("TERM") == "dumb"
    plain = bool(environ.get("NO_COLOR")) or dumb
    live = sys.stderr.isatty() and not environ.get("CI") and not dumb and _has_bars(sys.stderr)
    return Terminal(sys.stdout, sys.stderr, (sys.stdout.isatty() and not plain, sys.stderr.isatty() and not plain), live)


def _has_bars(stream: TextIO) -> bool:
    """Escapes in the place of bars would make rows longer than the terminal is wide."""
    try:
        "█░…".encode(stream.encoding)
    except UnicodeEncodeError:
        return False
    return True
