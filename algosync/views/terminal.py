"""Terminal: the two streams, colour where it is wanted, and nothing that can fail because nobody reads any more."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TextIO

__all__ = ["Terminal", "standard"]

_CODES = {"green": "32", "yellow": "33", "red": "31", "cyan": "36", "bold": "1", "dim": "2"}


@dataclass(frozen=True, slots=True)
class Terminal:
    """`out` carries the result, `err` progress and errors. `live`: progress may move the cursor on `err`.

    Whatever is hidden is written as `***`.
    """

    out: TextIO
    err: TextIO
    colour: bool
    live: bool
    _hidden: set[str] = field(default_factory=set)

    def hide(self, text: str) -> None:
        if text:
            self._hidden.add(text)

    def redact(self, text: str) -> str:
        for hidden in self._hidden:
            text = text.replace(hidden, "***")
        return text

    def result(self, text: str = "") -> None:
        _write(self.out, self.redact(text))

    def tell(self, text: str = "") -> None:
        _write(self.err, self.redact(text))

    def paint(self, text: str, *styles: str) -> str:
        if not self.colour or not styles:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"


def standard(environ: Mapping[str, str]) -> Terminal:
    """The process's own streams; `NO_COLOR`, `CI` and `TERM=dumb` are honoured."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # absent where a test replaced the stream
    dumb = environ.get("TERM") == "dumb"
    colour = sys.stdout.isatty() and not environ.get("NO_COLOR") and not dumb
    live = sys.stderr.isatty() and not environ.get("CI") and not dumb
    return Terminal(sys.stdout, sys.stderr, colour, live)


def _write(stream: TextIO, text: str) -> None:
    """A reader that has gone away (`| head`) does not stop the work: what follows goes nowhere."""
    try:
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
