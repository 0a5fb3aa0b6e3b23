"""Proof that code touches nothing outside of memory: Python's audit events while it runs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["untouched"]

_PREFIXES = ("os.", "shutil.", "tempfile.", "subprocess.", "socket.", "ctypes.", "mmap.")
_here = threading.local()


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    seen: list[str] | None = getattr(_here, "seen", None)
    if seen is not None and (event == "open" or event.startswith(_PREFIXES)):
        seen.append(f"{event} {arguments!r}")


sys.addaudithook(_audit)  # for the life of the process: hooks cannot be removed


@contextmanager
def untouched() -> Iterator[None]:
    """Fails where this thread opens a file, or asks the system to change or start or connect anything, in the body."""
    _here.seen = seen = []
    try:
        yield
    finally:
        _here.seen = None
    assert seen == [], f"touched {seen}"
