"""Debug output: log lines of libraries, tracebacks and warnings, on stderr."""

from __future__ import annotations

import io
import os
import traceback

from algosync.cli.terminal import Terminal
from algosync.core.text import printable_lines

__all__ = ["enable", "enabled", "show_traceback"]

_switched_on = False


def enabled() -> bool:
    """Whether debug output is enabled, by `--debug` or by `ALGOSYNC_DEBUG` (which also works for commands without the option)."""
    return _switched_on or bool(os.environ.get("ALGOSYNC_DEBUG"))


def enable(terminal: Terminal) -> None:
    """Write log lines of every level to the terminal from now on."""
    import logging

    global _switched_on  # noqa: PLW0603  # `main` reads it after the command's frame is gone
    _switched_on = True
    handler = logging.StreamHandler(_LogStream(terminal))
    logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s", handlers=[handler])


def show_traceback(terminal: Terminal, error: BaseException) -> None:
    """Write the error's traceback if debug output is enabled."""
    if enabled():
        terminal.tell("".join(traceback.format_exception(error)))


class _LogStream(io.TextIOBase):
    """A stream that writes to the terminal, which removes secrets."""

    def __init__(self, terminal: Terminal) -> None:
        self._tell = terminal.tell

    def write(self, text: str) -> int:
        for line in printable_lines(text):
            self._tell(line)
        return len(text)
