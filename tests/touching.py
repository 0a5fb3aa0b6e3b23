"""Check that code touches nothing outside memory, by Python's audit events."""

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
    """Fail if this thread opens a file in the body, or asks the system to change, start or connect anything."""
    seen: list[str] = []
    _here.seen = seen
    try:
        yield
    finally:
        _here.seen = None
    assert seen == [], f"touched {seen}"
