"""The retry policy: the same for every request, with one budget of waiting time for a run.

Each wait is random between zero and a bound that doubles (full jitter), so that workers that failed together do not retry together.
A server's `Retry-After` is added to it, up to a limit.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import field
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
from algosync.core.lean import dataclass

__all__ = ["Retry", "is_transient"]

T = TypeVar("T")

_FIRST, _CAP = 0.25, 30.0  # seconds: bounds of a wait
_LONGEST_ASKED = 120.0  # seconds that a server may ask for
_PASSING = (404, 408, 421, 425)  # not the platform's 404; a late, misdirected or early request is refused before it is carried out
_REPORTED = 2.0  # seconds: longer waits are reported


def is_transient(error: AlgosyncError) -> bool:
    """Whether the same request may succeed soon. A timeout, a certificate or a key does not change by itself."""
    match error:
        case TimedOut() | Untrusted():
            return False
        case Throttled() | Unreachable() | TransferError():
            return True
        case Unexpected(status=status):
            # An invalid reply or a failure of the server may pass; its judgement of our request does not. A 404 that is Unexpected
            # did not come from the platform.
            return status is None or status < 300 or status >= 500 or status in _PASSING
        case _:
            return False


@dataclass(slots=True)
class Retry:
    """At most `tries` attempts of one request and `budget` seconds of waiting in a run. `tell` is called before long waits.

    Safe to use from several threads.
    """

    tries: int = 6
    budget: float = 300.0
    pause: Callable[[float], None] = time.sleep
    draw: Callable[[float, float], float] = random.uniform
    tell: Callable[[str], None] = lambda _: None
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(self, call: Callable[[], T], again: Callable[[AlgosyncError], bool] = is_transient) -> T:
        """Run a call that may be repeated. Raises the last failure; its `repeated` says whether an earlier attempt may have taken
        effect.
        """
        attempt, doubt = 1, False
        while True:
            try:
                return call()
            except AlgosyncError as error:
                error.repeated = error.repeated or doubt
                if not isinstance(error, (ClusterError, TransferError)) or not again(error):
                    raise
                doubt = error.repeated or error.sent
                self.wait(error, attempt)
            attempt += 1

    def run_once(
        self, act: Callable[[], T], look: Callable[[], T | None], again: Callable[[ClusterError], bool] = is_transient
    ) -> T:
        """Run a call that must not be repeated. After a failure: wait, call `look` to see whether it took effect, and only then try
        again.

        Denied, NotFound and Conflict mean that nothing was done, and so does an error with `sent` False. But a Conflict after a
        lost reply may be caused by our own request. If the outcome stays unknown, raises the failure that left it open.
        `again` says after which failures to try again.
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
                final = self._waited(error, attempt, again)
                if lost is not None:
                    done = _look_up(look, lost)
                    if done is not None:
                        return done
                if final is not None:
                    raise final if again(error) or lost is None else lost from None
            attempt += 1

    def _waited(self, error: ClusterError, attempt: int, again: Callable[[ClusterError], bool]) -> AlgosyncError | None:
        """Wait. Return None to try again, or the error to raise."""
        if not again(error):
            return error
        try:
            self.wait(error, attempt)
        except ClusterError as final:
            return final
        return None

    def wait(self, error: AlgosyncError, attempt: int) -> None:
        """Wait before the next attempt. Raises `error`, with the reason added, if there is none."""
        asked = error.retry_after if isinstance(error, ClusterError) else None
        seconds = self.draw(0, min(_CAP, _FIRST * 2 ** (attempt - 1)))
        if asked is not None:
            seconds += asked
        if asked is not None and asked > _LONGEST_ASKED:
            raise _with_reason(error, f"it asks to wait {asked:.0f} s, longer than a run waits")
        if attempt >= self.tries:
            raise _with_reason(error, f"tried {attempt} times")
        with self._guard:
            if seconds > self.budget:
                raise _with_reason(error, "this run has used up its waiting time")
            self.budget -= seconds
        if seconds >= _REPORTED:
            self.tell(f"{error.message}: trying again in {seconds:.0f} s")
        self.pause(seconds)


def _look_up(look: Callable[[], T | None], lost: ClusterError) -> T | None:
    try:
        return look()
    except ClusterError:
        raise lost from None


def _with_reason(error: AlgosyncError, why: str) -> AlgosyncError:
    error.message = f"{error.message} ({why})"
    error.args = (error.message,)
    return error
