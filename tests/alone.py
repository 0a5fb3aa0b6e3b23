"""Tests that measure have the machine to themselves: while one runs, the other workers of pytest-xdist wait between two tests."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

__all__ = ["forget", "turn"]


@contextmanager
def turn(run: str, *, alone: bool) -> Iterator[None]:
    """The place of one test of this run, beside others or alone. Who wants to be alone waits in the door, and nobody gets past."""
    with ExitStack() as place:
        with _locked(_file(run, "door"), fcntl.LOCK_EX):
            place.enter_context(_locked(_file(run, "room"), fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        yield


def forget(run: str) -> None:
    """Nobody of this run needs a place any more."""
    for name in ("door", "room"):
        with suppress(FileNotFoundError):
            _file(run, name).unlink()


def _file(run: str, name: str) -> Path:
    return Path(tempfile.gettempdir()) / f"algosync-tests-{run}.{name}"


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, kind)
        yield
    finally:
        # Not by closing it alone: a test may have left copies of all that was open.
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)
