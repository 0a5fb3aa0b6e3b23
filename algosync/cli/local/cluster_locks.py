"""The locks in a local cluster's folder.

`users.lock`: every command holds it shared while it uses the cluster. A cluster that a command has started waits for the exclusive
lock, and ends when it gets it. It therefore also ends if the commands are killed. `start.lock`: held exclusively by a command that
starts, ends or changes the cluster, so that there is never more than one server. Commands take the locks in this order.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from algosync.cli.local.location import make_root
from algosync.core.error import UsageError
from algosync.core.text import printable
from algosync.state.file_lock import file_lock, open_lock_file, try_lock

__all__ = ["USERS", "cluster_in_use", "exclusive_use", "start_lock"]

USERS = "users.lock"
_START = "start.lock"
_UNUSED_WITHIN = 2.0  # seconds; the server of a command that has ended releases its lock within half a second
_RELEASED_WITHIN = 0.1  # seconds; a command that has released one lock is about to release the other
_POLL_EVERY = 0.02  # seconds


@contextmanager
def cluster_in_use(root: Path) -> Iterator[None]:
    """Create the folder if it is missing, and keep a running cluster from ending by itself while the body runs.

    UsageError: the extra `local` is not installed, or the folder cannot be used.
    """
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        raise UsageError("the local cluster is not installed", hint="pip install 'algosync[local]'")
    try:
        make_root(root)
        os.close(open_lock_file(root / USERS))
    except OSError as error:
        raise UsageError(f"the local cluster cannot be kept in {printable(str(root))}: {error.strerror}") from None
    with file_lock(root / USERS, exclusive=False):
        yield


@contextmanager
def start_lock(root: Path) -> Iterator[None]:
    """Keep other commands from starting, ending or changing the cluster while the body runs."""
    with file_lock(root / _START, exclusive=True):
        yield


@contextmanager
def exclusive_use(root: Path) -> Iterator[bool]:
    """Hold the start lock while the body runs, and the users lock too, if no command uses the cluster: then yields True.

    Waits a moment for commands that are about to end. It does not hold the start lock meanwhile, so another command can start the
    cluster. That is why it tries the users lock again afterwards.
    """
    users = open_lock_file(root / USERS)
    try:
        unused = _lock_within(users, _UNUSED_WITHIN)
        with start_lock(root):
            yield unused or _lock_within(users, _RELEASED_WITHIN)
    finally:
        os.close(users)


def _lock_within(descriptor: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not try_lock(descriptor, exclusive=True):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_EVERY)
    return True
