"""Trying again: one policy for every request, with one budget for a run.

Waits are drawn evenly between nothing and a bound that doubles (full jitter), so that workers that failed together do not come
back together. What a server asks for in `Retry-After` goes before that, up to a limit.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from algosync.core.error import (
    AlgosyncError,
    ClusterError,
    Conflict,
    Denied,
    NotFound,
    Throttled,
    TimedOut,
    TransferError,
    Unexpected,
    Unreachable,
    Untrusted,
)

__all__ = ["Retry", "is_transient"]

T = TypeVar("T")

_FIRST, _CAP = 0.25, 30.0  # seconds: bounds of a wait
_LONGEST_ASKED = 120.0  # seconds that a server may ask for
_TOLD = 2.0  # seconds: who waits longer wants to know


def is_transient(error: AlgosyncError) -> bool:
    """Whether the same request may succeed in a moment. A host that had its full time to answer, a certificate, a key: not."""
    match error:
        case TimedOut() | Untrusted():
            return False
        case Throttled() | Unreachable() | TransferError():
            return True
        case Unexpected(status=status):
            # An answer that is none, or a failure of the server's; what it says of our request stays true.
            # Of a 404 that is Unexpected, it is not the platform that answered.
            return status is None or status < 300 or status >= 500 or status in (404, 408)
        case _:
            return False


@dataclass(slots=True)
class Retry:
    """`tries` of one request at most; `budget` seconds of waiting in the whole run; `tell` hears of long waits.

    Safe to use from several threads.
    """

    tries: int = 6
    budget: float = 300.0
    pause: Callable[[float], None] = time.sleep
    draw: Callable[[float, float], float] = random.uniform
    tell: Callable[[str], None] = lambda _: None
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(self, call: Callable[[], T], again: Callable[[AlgosyncError], bool] = is_transient) -> T:
        """For what may be done twice. Raises the last failure, which tells whether an earlier try may have been carried out."""
        attempt, doubt = 1, False
        while True:
            try:
                return call()
            except AlgosyncError as error:
                error.repeated = error.repeated or doubt
                if not isinstance(error, (ClusterError, TransferError)) or not again(error):
                    raise
                doubt = error.repeated or error.sent
                self._wait(error, attempt)
            attempt += 1

    def settle(self, act: Callable[[], T], look: Callable[[], T | None]) -> T:
        """For what must not be done twice. After a failure it waits, looks whether it was done, and only then tries again.

        Denied, NotFound and Conflict say that nothing was done, and so does what was never sent; a Conflict after a lost answer
        may be with ourselves. Where it cannot be told what was done, it raises the failure that left it open.
        """
        attempt = 1
        lost: ClusterError | None = None
        while True:
            try:
                return act()
            except ClusterError as error:
                if lost is None and isinstance(error, (Denied, NotFound, Conflict)):
                    raise
                error.repeated = error.repeated or lost is not None
                lost = lost or (error if error.sent or error.repeated else None)
                over = self._waited(error, attempt)
                if lost is not None:
                    done = _seen(look, lost)
                    if done is not None:
                        return done
                if over is not None:
                    raise over if is_transient(error) or lost is None else lost from None
            attempt += 1

    def _waited(self, error: ClusterError, attempt: int) -> AlgosyncError | None:
        """None when it is time to try again; else what to raise."""
        if not is_transient(error):
            return error
        try:
            self._wait(error, attempt)
        except ClusterError as over:
            return over
        return None

    def _wait(self, error: AlgosyncError, attempt: int) -> None:
        """Returns when it is time. Raises `error`, with what was tried, where there is no more."""
        asked = error.retry_after if isinstance(error, ClusterError) else None
        seconds = self.draw(0, min(_CAP, _FIRST * 2 ** (attempt - 1)))
        if asked is not None:
            seconds += asked
        if asked is not None and asked > _LONGEST_ASKED:
            raise _given_up(error, f"it asks to wait {asked:.0f} s, longer than a run waits")
        if attempt >= self.tries:
            raise _given_up(error, f"tried {attempt} times")
        with self._guard:
            if seconds > self.budget:
                raise _given_up(error, "this run has waited as long as it may")
            self.budget -= seconds
        if seconds >= _TOLD:
            self.tell(f"{error.message}: trying again in {seconds:.0f} s")
        self.pause(seconds)


def _seen(look: Callable[[], T | None], lost: ClusterError) -> T | None:
    try:
        return look()
    except ClusterError:
        raise lost from None


def _given_up(error: AlgosyncError, why: str) -> AlgosyncError:
    error.message = f"{error.message} ({why})"
    error.args = (error.message,)
    return error
