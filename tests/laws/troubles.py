"""What goes wrong in one run: one call fails, the process dies before or after a call, or somebody else works between two calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from algosync.core.error import AlgosyncError, Denied, Throttled, Unexpected, Unreachable

__all__ = ["FAULTS", "DiedError", "Troubled", "Troubles"]

T = TypeVar("T")


class DiedError(BaseException):
    """The process ends here."""


def _unsent() -> AlgosyncError:
    error = Unreachable("the connection was refused")
    error.sent = False
    return error


FAULTS: Mapping[str, Callable[[], AlgosyncError]] = {
    "500": lambda: Unexpected("it failed", status=500),
    "503": lambda: Throttled("busy", status=503),
    "403": lambda: Denied("the key may not do this", status=403),
    "unsent": _unsent,
    "lost": lambda: Unreachable("the answer was lost"),
}
"""Failures of a call. `lost`: it was carried out. The others: it was not."""


@dataclass
class Troubles:
    """`fault`: the name of a failure, at the call of the number `at`. "dies before", "dies after": the process ends there.
    "meanwhile": `meanwhile` is called before that call.

    `on_death` is called first. From then on every call raises DiedError, so that nothing that still runs has an effect.
    """

    fault: str | None = None
    at: int = 0
    on_death: Callable[[], None] = lambda: None
    meanwhile: Callable[[], None] = lambda: None
    count: int = 0
    dead: bool = False

    def call(self, act: Callable[[], T], *, remote: bool = True) -> T:
        """`remote` is False for a call that cannot fail; the process may die there all the same."""
        if self.dead:
            raise DiedError
        if not remote and self.fault in FAULTS:
            return act()
        self.count += 1
        if self.fault is None or self.count != self.at:
            return act()
        if self.fault == "meanwhile":
            self.meanwhile()
            return act()
        if self.fault in ("dies after", "lost"):
            act()
        if self.fault.startswith("dies"):
            self.dead = True
            self.on_death()
            raise DiedError
        raise FAULTS[self.fault]()


class Troubled:
    """An object whose methods are calls with troubles."""

    def __init__(self, target: object, troubles: Troubles) -> None:
        self._target, self._troubles = target, troubles

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        return (lambda *given, **named: self._troubles.call(lambda: found(*given, **named))) if callable(found) else found
