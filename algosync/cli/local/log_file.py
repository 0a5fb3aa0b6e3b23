"""A log file that grows while it is read, and its lines as text for people."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal

__all__ = ["LogFile", "show_new_lines"]

_BLOCK = 1024 * 1024  # bytes
_LONGEST = 2000  # characters of a line


class LogFile:
    """The complete lines of a file, and those that are added later.

    A file that was truncated is read from its beginning. If another file takes its place, the old one's remaining lines come first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._partial_line = b""

    def new_lines(self) -> Iterator[str]:
        """The lines that have not been read yet."""
        while True:
            # Look before reading: nothing is added to a file after it was replaced.
            replaced = self._file is None or not self._is_current(self._file)
            if self._file:
                yield from self._added(self._file)
            if not replaced or not self._reopen():
                return

    def close(self) -> None:
        """Close the file. No more lines can be read."""
        if self._file:
            self._file.close()

    def _is_current(self, file: BinaryIO) -> bool:
        try:
            return os.path.samestat(self.path.stat(), os.fstat(file.fileno()))
        except FileNotFoundError:
            return True

    def _reopen(self) -> bool:
        self.close()
        try:
            self._file, self._partial_line = self.path.open("rb"), b""
        except FileNotFoundError:
            self._file = None
        return self._file is not None

    def _added(self, file: BinaryIO) -> Iterator[str]:
        if os.fstat(file.fileno()).st_size < file.tell():
            file.seek(0)
            self._partial_line = b""
        while block := file.read(_BLOCK):
            *lines, self._partial_line = (self._partial_line + block).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)


def show_new_lines(file: LogFile, terminal: Terminal) -> None:
    """Write the lines that have not been read yet to the terminal."""
    for line in file.new_lines():
        shown = _request_line(line) if file.path.suffix == ".jsonl" else line
        terminal.result(printable(shown, _LONGEST))


def _request_line(line: str) -> str:
    """A logged request as text; the line itself if it is not one."""
    try:
        entry = json.loads(line)
        parts = [entry["time"], entry["status"], entry["caller"] or "-", entry["method"], entry["path"], f"{entry['bytes']} B"]
        parts += ["the client had left"] if entry.get("left") is True else []
        parts += [f"{name}: {entry[name]}" for name in ("fault", "error", "needs", "key", "id") if name in entry]
    except (ValueError, KeyError, TypeError):
        return line
    return "  ".join(map(str, parts))
