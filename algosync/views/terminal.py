"""Terminal: the two streams, colour where it is wanted, and nothing that can fail because nobody reads any more."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.core.resource import Json

__all__ = ["Terminal", "standard"]

_CODES = {"green": "32", "yellow": "33", "red": "31", "cyan": "36", "bold": "1", "dim": "2"}
_PAINT = re.compile(r"\x1b\[[0-9;]+m")
_SHORTEST = 4  # characters: what is shorter hides nothing, and redacting it would tear up every number


@dataclass(frozen=True, slots=True)
class Terminal:
    """`out` carries the result, `err` progress and errors. `coloured`: which of them are; `live`: progress may move the cursor.

    Whatever is hidden is written as `***`, in every form in which it is shown.
    """

    out: TextIO
    err: TextIO
    coloured: tuple[bool, bool]
    live: bool
    lost: list[str] = field(default_factory=list)  # why results could not be written
    _hidden: set[str] = field(default_factory=set)

    def hide(self, text: str) -> None:
        for part in {text, *text.splitlines()}:
            forms = {part, printable(part), json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]}
            self._hidden.update(form for form in forms if len(form) >= _SHORTEST)

    def redact(self, text: str) -> str:
        for hidden in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(hidden, "***")
        return text

    def redacted(self, value: Json) -> Json:
        """A JSON value with its texts redacted; numbers stay what they are."""
        match value:
            case str():
                return self.redact(value)
            case Mapping():
                return {self.redact(str(name)): self.redacted(item) for name, item in value.items()}
            case Sequence():
                return [self.redacted(item) for item in value]
            case _:
                return value

    def result(self, text: str = "") -> None:
        self._write(self.out, self.redact(text), coloured=self.coloured[0])

    def document(self, value: Json) -> None:
        """One JSON document, ASCII-safe, members in the order they are given."""
        self._write(self.out, json.dumps(self.redacted(value), indent=2), coloured=False)

    def tell(self, text: str = "") -> None:
        self._write(self.err, self.redact(text), coloured=self.coloured[1])

    def paint(self, text: str, *styles: str) -> str:
        """For either stream: one without colour drops it when it is written."""
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"

    def _write(self, stream: TextIO, text: str, *, coloured: bool) -> None:
        """The work goes on whatever becomes of the text: what follows goes nowhere. A reader who left (`| head`) wants it so."""
        try:
            stream.write((text if coloured else _PAINT.sub("", text)) + "\n")
            stream.flush()
        except OSError as error:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
            if stream is self.out and not isinstance(error, BrokenPipeError):
                self.lost.append(error.strerror or type(error).__name__)


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
    live = sys.stderr.isatty() and not environ.get("CI") and not dumb
    return Terminal(sys.stdout, sys.stderr, (sys.stdout.isatty() and not plain, sys.stderr.isatty() and not plain), live)
