"""Terminal: writes to the two streams of the process. A closed stream does not end the command."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field
from typing import TYPE_CHECKING, TextIO, TypeVar, cast

from algosync.core.lean import dataclass
from algosync.core.redaction import Redactor
from algosync.core.text import harmless_text, paint, printable

if TYPE_CHECKING:
    from algosync.cli.notify.news import News
    from algosync.cli.reporting.github import GitHub
    from algosync.core.resource import Json
    from algosync.views.subject import DriftedAll, Subject

__all__ = ["Terminal", "standard"]

_Subject = TypeVar("_Subject")
_Shown = TypeVar("_Shown")


@dataclass(frozen=True, slots=True)
class Terminal:
    """`out` carries results, `err` progress and errors.

    `coloured`: which of the two have colours. `live`: progress may move the cursor. `github`: the step of a job there that the
    command runs in. All output of a command passes through this class. It writes secrets as `***`, in any encoding, and escapes
    control sequences for terminals and CI systems, even if a view has not done so.
    """

    out: TextIO
    err: TextIO
    coloured: tuple[bool, bool]
    live: bool
    lost: list[str] = field(default_factory=list)  # the reasons why results could not be written
    left: list[TextIO] = field(default_factory=list)  # the streams closed by their readers
    reported: list[str] = field(default_factory=list)  # the places of `--report` that have the result
    news: list[News] = field(default_factory=list)  # for a message
    workflows: dict[str, str] = field(default_factory=dict)  # the files that the command works on, with their titles
    endings: list[Callable[[int], None]] = field(default_factory=list)  # called with the exit code when the command has ended
    github: GitHub | None = None
    _redactor: Redactor = field(default_factory=Redactor)

    def hide(self, text: str) -> None:
        self._redactor.hide(text)

    def hide_value(self, value: str) -> None:
        self._redactor.hide_value(value)

    def redact(self, text: str) -> str:
        return self._redactor.redact(text)

    def redacted(self, value: Json) -> Json:
        return self._redactor.redacted(value)

    def holds(self, value: Json) -> bool:
        """Whether a value contains a secret, also inside of a word."""
        return self._redactor.holds(value)

    def may_hold(self, text: str) -> bool:
        """Whether the JSON text of a value may contain a secret. False is certain."""
        return self._redactor.may_hold(text)

    def result(self, text: str = "") -> None:
        """Writes text to `out`."""
        self._write(self.out, self.shown(text, coloured=self.coloured[0]) + "\n")

    def result_lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.result(line)

    def show(self, subject: Subject, name: str) -> None:
        """Writes a subject to `out` in the format of this name. KeyError: `views.FORMATS` has none."""
        self._write(self.out, self.formatted(subject, name, coloured=self.coloured[0]))

    def formatted(self, subject: Subject, name: str, *, coloured: bool) -> str:
        """A subject in the format of this name, with secrets hidden. It has colours if `coloured` and the format has some."""
        from algosync.views import COLOURED, FORMATS

        return harmless_text(FORMATS[name](subject, self._redactor), coloured=coloured and name in COLOURED)

    def site(self, subject: DriftedAll) -> Iterator[tuple[str, str]]:
        """The name and the text of each file of a site, with secrets hidden."""
        from algosync.views.formats.site import site

        yield from ((name, harmless_text(text, coloured=False)) for name, text in site(subject, self._redactor))

    def viewed(self, view: Callable[[_Subject, Redactor], _Shown], subject: _Subject) -> _Shown:
        """What a view makes of a subject, with secrets hidden."""
        return view(subject, self._redactor)

    def machine(self, text: str) -> None:
        """Writes lines for another program to `out`. They come from a view: their secrets are hidden, and they are in ASCII."""
        self._write(self.out, text)

    def annotate(self, command: str) -> None:
        """Writes a command to GitHub to `err`. It comes from a view, which escaped every text of others in it."""
        self._write(self.err, f"{printable(command)}\n")

    def document(self, value: Json) -> None:
        """Writes one JSON document to `out`, in ASCII."""
        self._write(self.out, self.document_text(value))

    def document_text(self, value: Json) -> str:
        """A JSON document as ASCII text, with secrets hidden."""
        from algosync.views.document import json_text

        return json_text(value, self._redactor)

    def verbatim(self, text: str) -> None:
        """Writes the text of a file to `out`, for another program. Only secrets are replaced."""
        self._write(self.out, self.redact(text) + "\n")

    def tell(self, text: str = "") -> None:
        """Writes text to `err`."""
        self._write(self.err, self.shown(text, coloured=self.coloured[1]) + "\n")

    def tell_lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.tell(line)

    def screen(self) -> TextIO:
        """A stream to `err` that never fails, for a library that moves the cursor itself. Pass its texts through `shown` first."""
        return cast("TextIO", _Screen(self))

    def reading(self, what: str) -> AbstractContextManager[object]:
        """Shows an activity indicator while the body runs. Does nothing if stderr is not a terminal."""
        if not self.live:
            return nullcontext()
        from rich.console import Console

        return Console(file=self.screen(), highlight=False).status(f"Reading {what}...", spinner="line")

    def shown(self, text: str, *, coloured: bool) -> str:
        """The text with secrets hidden, and without control characters except line breaks and the colours of `paint`."""
        return harmless_text(self.redact(text), coloured=coloured)

    def paint(self, text: str, *styles: str) -> str:
        """The text with colours, for either stream: a stream without colours drops them."""
        return paint(text, *styles)

    def _write(self, stream: TextIO, text: str) -> None:
        """Writes and flushes. After a failure the stream is redirected to the null device, and the command goes on (`| head`)."""
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


def standard(environ: Mapping[str, str]) -> Terminal:
    """The terminal on the streams of the process. It honours `NO_COLOR`, `CI` and `TERM=dumb`."""
    from algosync.cli.reporting.github import GitHub

    # A shell may close either of them (`1>&-`).
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  # open until the process ends
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115  # open until the process ends
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # absent where a test replaced the stream
    dumb = environ.get("TERM") == "dumb"
    plain = bool(environ.get("NO_COLOR")) or dumb
    live = sys.stderr.isatty() and not environ.get("CI") and not dumb and _has_bars(sys.stderr)
    coloured = (sys.stdout.isatty() and not plain, sys.stderr.isatty() and not plain)
    return Terminal(sys.stdout, sys.stderr, coloured, live, github=GitHub.of(environ))


def _has_bars(stream: TextIO) -> bool:
    """Whether the stream can encode bars. Escapes in their place would make rows wider than the terminal."""
    try:
        "█░…".encode(stream.encoding)
    except UnicodeEncodeError:
        return False
    return True
