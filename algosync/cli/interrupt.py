"""Signals: the first one ends waiting and starts nothing new, the second one ends the process."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from types import FrameType

from algosync.core.error import AlgosyncError

__all__ = ["Interrupted", "Signalled", "install", "pause"]

_stop = threading.Event()


class Interrupted(AlgosyncError):
    """A signal came while something was waited for."""


class Signalled(BaseException):
    """SIGINT or SIGTERM; not KeyboardInterrupt, which the parser of the command line would take for its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def install() -> None:
    """The journal is durable at every moment, so a second signal may end the process at once."""
    signal.signal(signal.SIGINT, _handle)
    signal.signal(signal.SIGTERM, _handle)


def pause(seconds: float) -> None:
    """Waits. Interrupted: a signal came."""
    if _stop.wait(seconds):
        raise Interrupted("interrupted")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, text.encode())


def _handle(number: int, _frame: FrameType | None) -> None:
    if _stop.is_set():
        _say("\x1b[?25h\n" if os.isatty(2) else "")  # the cursor may be hidden
        os._exit(128 + number)
    _stop.set()
    _say("\nStopping: what runs is ended and recorded; a second signal stops at once.\n")
    raise Signalled(number)
