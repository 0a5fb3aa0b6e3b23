"""Values that are computed once per key, such as the replies of a cluster that do not change during a command."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

__all__ = ["OncePerKey"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_MISSING = object()


class OncePerKey(Generic[K, V]):
    """Keeps one value per key. Safe to use from several threads: others wait while the first computes. An exception is not kept."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[K, threading.Lock] = {}
        self._values: dict[K, Any] = {}

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of `key`; `make` computes it at the first call."""
        found = self._values.get(key, _MISSING)  # most calls need no lock: a value stays once it is there
        if found is not _MISSING:
            return found  # type: ignore[no-any-return]  # a cast is a call, and this is the most frequent one of a plan
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._values:
                self._values[key] = make()
            with self._guard:
                self._locks.pop(key, None)  # whoever waits for it finds the value; the memory of a large plan has none of them
            return self._values[key]  # type: ignore[no-any-return]  # as above
