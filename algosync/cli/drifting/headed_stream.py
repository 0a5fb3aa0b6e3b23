"""A headed stream: the notes and warnings of several workflows, with the workflow's name above its first one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO, cast

from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal

__all__ = ["headed"]


@contextmanager
def headed(terminal: Terminal) -> Iterator[tuple[Terminal, Callable[[str], None]]]:
    """A terminal for notes, and a function that sets the heading above the next one. Results are written as before.

    A live terminal has no headings, because it moves its cursor.
    """
    stream = _HeadedStream(terminal.err)

    def set_heading(name: str) -> None:
        stream.heading = printable(terminal.redact(name), 300)

    yield (terminal if terminal.live else replace(terminal, err=cast("TextIO", stream))), set_heading


class _HeadedStream:
    """`heading`: written once before the next text; empty: none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.heading = ""

    def write(self, text: str) -> int:
        if self.heading:
            self._stream.write(f"{self.heading}:\n")
            self.heading = ""
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
