"""Signals: the first one ends waiting and starts nothing new, the second one ends the process."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

from algosync.core.error import AlgosyncError

__all__ = ["Interrupted", "install", "pause"]

_stop = threading.Event()


class Interrupted(AlgosyncError):
    """A signal came while something was waited for."""


class Terminated(BaseException):
    """SIGTERM, as KeyboardInterrupt is SIGINT."""


def install() -> None:
    """The journal is durable at every moment, so a second signal may end the process at once."""
    signal.signal(signal.SIGINT, _handle)
    signal.signal(signal.SIGTERM, _handle)


def pause(seconds: float) -> None:
    """Waits. Interrupted: a signal came."""
    if _stop.wait(seconds):
        raise Interrupted("interrupted")


def _handle(number: int, _frame: FrameType | None) -> None:
    if _stop.is_set():
        os._exit(128 + number)
    _stop.set()
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated
