"""Let tests that measure time run alone: the other workers of pytest-xdist wait between two tests meanwhile."""

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
    """Hold a slot for one test of this run, shared or exclusive. A waiting exclusive test blocks all later ones, so it is not
    starved.
    """
    with ExitStack() as place:
        with _locked(_file(run, "door"), fcntl.LOCK_EX):
            place.enter_context(_locked(_file(run, "room"), fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        yield


def forget(run: str) -> None:
    """Remove the lock files of this run."""
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
        # Unlock explicitly. Closing the file is not enough: a test may have left processes with copies of the descriptor.
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)
