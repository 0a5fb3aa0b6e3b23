"""Failpoint: a named place in the program where a test can make the process die or fail.

`ALGOSYNC_FAILPOINT=publish.after@version.Hello:kill` names a place and an action: `kill` (SIGKILL), `stop` (SIGSTOP, until
SIGCONT), `exit` (immediately, status 70) or `error` (OSError). `;` separates several. `ALGOSYNC_FAILPOINT_LOG=FILE` logs each place
that is passed, one a line. Both need `ALGOSYNC_TESTING=1`. Places are named by their target, not by a number, so that threads do
not make them ambiguous.
"""

from __future__ import annotations

import errno
import os
import signal
import threading

from algosync.core.address import Address

__all__ = ["failpoint", "is_testing"]


def is_testing() -> bool:
    """Whether failpoints have an effect. To be asked once before many of them."""
    return os.environ.get("ALGOSYNC_TESTING") == "1"


def failpoint(name: str, target: Address | str) -> None:
    """Marks the place `name@target`. OSError: a test asks for it."""
    if not is_testing():
        return
    place = f"{name}@{target}"
    if log := os.environ.get("ALGOSYNC_FAILPOINT_LOG"):
        _write_down(log, place)
    for entry in os.environ.get("ALGOSYNC_FAILPOINT", "").split(";"):
        wanted, _, action = entry.rpartition(":")
        if wanted == place:
            _act(action, place)


def _write_down(log: str, place: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, f"{place}\n".encode(errors="backslashreplace"))
    finally:
        os.close(descriptor)


def _act(action: str, place: str) -> None:
    match action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            # To this thread, so that it does not run on until another one has received the signal.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        case "exit":
            os._exit(70)
        case "error":
            raise OSError(errno.EIO, f"failpoint {place}")
        case _:
            raise ValueError(f"ALGOSYNC_FAILPOINT: {action!r} is none of kill, stop, exit, error")
