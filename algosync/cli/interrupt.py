"""Signals: the first one stops the command, which records its work; the second one ends the process at once.

The signal handler only raises an exception in the main thread, which then records the work and unlocks the state. The handler can
interrupt any code, including code that holds a lock. A thread therefore does all other work: it reads signal numbers from a pipe.
The process ends after a time limit even if the main thread has not finished: the journal is always durable, and the kernel releases
the state's lock.
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

_UNWIND_WITHIN = 1.6  # seconds; the documented limit is two

_signalled = 0
_stop = threading.Event()
_silent = threading.Event()
_stopping: list[Callable[[], None]] = []


class Signalled(BaseException):
    """SIGINT or SIGTERM arrived. This is not KeyboardInterrupt, because the command line's parser would catch that."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def install() -> None:
    """Handle SIGINT and SIGTERM from now on. A second call does nothing."""
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
    """If a signal arrives while the body runs, another thread calls `call`, which should end whatever the body waits for."""
    _stopping.append(call)
    try:
        yield
    finally:
        _stopping.remove(call)


@contextmanager
def silently() -> Iterator[None]:
    """While the body runs, a signal ends the process without a message. For commands that only show the work of other processes."""
    _silent.set()
    try:
        yield
    except Signalled as signalled:
        leave(signalled.exit_code)
    finally:
        _silent.clear()


def pause(seconds: float) -> None:
    """Sleep. Interrupted: a signal arrived."""
    if _stop.wait(seconds):
        raise Interrupted("interrupted")


def exit_code() -> int | None:
    """The exit code for the signal that arrived; None if none did.

    Errors after a signal are treated as its consequence, because the handler's exception can interrupt any code.
    """
    return 128 + _signalled if _signalled else None


def leave(code: int) -> NoReturn:
    """End the process with this exit code, or with that of a signal if one arrived. Does not wait for threads."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(exit_code() or code)


def _handle(number: int, _frame: FrameType | None) -> None:
    global _signalled  # noqa: PLW0603  # no lock may be taken here: the interrupted code may hold it
    if not _signalled:  # the thread handles the second one
        _signalled = number
        raise Signalled(number)


def _serve(reader: int) -> None:
    """End the process after the first signal's time limit, or at the second signal, even if all other threads hang."""
    number = _next_signal(reader)
    threading.Thread(target=_stop_work, name="stopping", daemon=True).start()
    ready, _, _ = select.select([reader], [], [], _UNWIND_WITHIN)
    if ready:
        number = _next_signal(reader)
    _write_stderr("\x1b[?25h" if os.isatty(2) else "")  # show the cursor, which a progress display may have hidden
    os._exit(128 + number)


def _stop_work() -> None:
    _stop.set()
    for call in tuple(_stopping):
        with contextlib.suppress(Exception):  # one failure must not keep the other calls from being made
            call()
    if not _silent.is_set():
        _write_stderr("\nStopping; a second signal stops at once.\n")


def _next_signal(reader: int) -> int:
    """Wait for SIGINT or SIGTERM. Ignores the numbers of other signals that have a handler."""
    while True:
        number = os.read(reader, 1)[0]
        if number in (signal.SIGINT, signal.SIGTERM):
            return number


def _write_stderr(text: str) -> None:
    """Write to stderr, unless that would block: a pipe can be full, and a terminal can be paused."""
    with contextlib.suppress(OSError, ValueError):
        if select.select([], [2], [], 0)[1]:
            os.write(2, text.encode())
