"""Signals: the first one breaks off what runs and has it recorded, the second one ends the process.

A thread reads the signals' numbers from a pipe, because a handler may run in the middle of anything, locks included. The handler
itself only raises in the main thread, which unwinds, records and unlocks. The journal is durable at every moment and the lock ends
with the process: so whatever does not unwind in time is not waited for.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from algosync.core.error import Interrupted

__all__ = ["Signalled", "exit_code", "install", "leave", "on_stop", "pause", "silently"]

_UNWIND_WITHIN = 1.6  # seconds; the promise is two

_signalled = 0
_stop = threading.Event()
_silent = threading.Event()
_stopping: list[Callable[[], None]] = []


class Signalled(BaseException):
    """SIGINT or SIGTERM; not KeyboardInterrupt, which the parser of the command line would take for its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def install() -> None:
    """From now on signals are ours. Doing it again does nothing."""
    if signal.getsignal(signal.SIGINT) is _handle:
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_serve, args=(reader,), name="signals", daemon=True).start()
    signal.signal(signal.SIGINT, _handle)
    signal.signal(signal.SIGTERM, _handle)


@contextmanager
def on_stop(call: Callable[[], None]) -> Iterator[None]:
    """`call` ends what the body waits for; it is called from another thread."""
    _stopping.append(call)
    try:
        yield
    finally:
        _stopping.remove(call)


@contextmanager
def silently() -> Iterator[None]:
    """The body only shows what others do: a signal ends the process there without a word on stopping anything."""
    _silent.set()
    try:
        yield
    except Signalled as signalled:
        leave(signalled.exit_code)
    finally:
        _silent.clear()


def pause(seconds: float) -> None:
    """Waits. Interrupted: a signal came."""
    if _stop.wait(seconds):
        raise Interrupted("interrupted")


def exit_code() -> int | None:
    """That of the signal that came, if one did. Whatever goes wrong after it is its consequence: a handler that raises may
    interrupt anything, the bookkeeping of locks included."""
    return 128 + _signalled if _signalled else None


def leave(code: int) -> NoReturn:
    """Ends the process, with the code of a signal if one came.

    Threads are not waited for: what they do is broken off, and nothing they could do is recorded any more.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(exit_code() or code)


def _handle(number: int, _frame: FrameType | None) -> None:
    global _signalled  # noqa: PLW0603  # no lock may be taken here: what was interrupted may hold it
    if not _signalled:  # the second one is the thread's business
        _signalled = number
        raise Signalled(number)


def _serve(reader: int) -> None:
    """Ends the process in time, whatever the others are stuck in: this thread waits for nothing else."""
    number = _next(reader)
    threading.Thread(target=_break_off, name="stopping", daemon=True).start()
    ready, _, _ = select.select([reader], [], [], _UNWIND_WITHIN)
    if ready:
        number = _next(reader)
    _say("\x1b[?25h" if os.isatty(2) else "")  # the cursor may be hidden
    os._exit(128 + number)


def _break_off() -> None:
    _stop.set()
    for call in tuple(_stopping):
        with contextlib.suppress(Exception):  # nothing that fails here may keep the others from being told
            call()
    if not _silent.is_set():
        _say("\nStopping what runs; a second signal stops at once.\n")


def _next(reader: int) -> int:
    """The next signal that ends us; other ones that have a handler come this way too."""
    while True:
        number = os.read(reader, 1)[0]
        if number in (signal.SIGINT, signal.SIGTERM):
            return number


def _say(text: str) -> None:
    """Unless nobody takes it: a pipe that is full, a terminal that was told to wait."""
    with contextlib.suppress(OSError, ValueError):
        if select.select([], [2], [], 0)[1]:
            os.write(2, text.encode())
