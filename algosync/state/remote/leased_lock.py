"""Leased lock: a lock in an object of a bucket. Its holder renews it, and who stops renewing it loses it.

The lock is taken, renewed and released by conditional writes of that object; a released one holds the mark "free". Whether a lease
has run out is judged by the server's clock alone, because the clocks of two machines may differ by hours.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from algosync.core.error import LockHeld, StateError
from algosync.state.holder import ANOTHER, Holder, lock_held, sign, utc_now
from algosync.state.periodic import Periodic
from algosync.state.remote.bucket import Bucket, StoredObject

__all__ = ["LEASE", "LeasedLock"]

LEASE = 60.0
"""Seconds after which a lock that was not renewed may be taken by another command."""

_FREE = json.dumps({"free": True}).encode()


def _running_time() -> float:
    """Seconds that include the time while the machine is suspended, where the system can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class LeasedLock:
    """The lock of the state `name`, in an object beside it. `command`: what messages name as its holder.

    It is renewed three times in a lease of `seconds`. `clock`: gives seconds, and never goes back.
    """

    def __init__(
        self, bucket: Bucket, name: str, command: str, seconds: float = LEASE, clock: Callable[[], float] = _running_time
    ) -> None:
        self._bucket, self._key, self._command = bucket, f"{name}.lock", command
        self._place = f"{bucket.where}/{name}"
        self._seconds, self._clock = seconds, clock
        self._guard = threading.Lock()
        self._held: Holder | None = None
        self._tag: str | None = None  # of the lock's object as this holder wrote it; None: somebody else has written it since
        self._renewed = 0.0
        self._renewer: Periodic | None = None

    @property
    def held(self) -> bool:
        """Whether this object took the lock and has not released it."""
        return self._held is not None

    def take(self) -> None:
        """Takes the lock without waiting. LockHeld: another command holds it. StateError: this object holds it already."""
        if self.held:
            raise StateError(f"{self._place} is already locked by this session")
        found = self._bucket.get(self._key)
        holder = _holder(found)
        if found is not None and holder is not None and not self._ran_out(found):
            raise self._taken(holder)
        started, own = self._clock(), sign(self._command)
        tag = self._bucket.put_if(self._key, self._note(own), None if found is None else found.tag)
        if tag is None:  # another command was faster
            raise self._taken(_holder(self._bucket.get(self._key)) or ANOTHER)
        self._held, self._tag, self._renewed = own, tag, started
        self._renewer = Periodic("lease", self._seconds / 3, self.renew)

    def renew(self) -> None:
        """Begins the lease anew. A failure is ignored: it is tried again, and `check` notices when the lease ends."""
        with self._guard:
            if self._held is None or self._tag is None:
                return
            started = self._clock()
            try:
                self._tag = self._put(self._note(self._held), self._held, self._tag)
            except StateError:
                return
            if self._tag is not None:
                self._renewed = started

    def check(self) -> None:
        """StateError: the lock was lost, or its lease is about to end. Sends no request."""
        if self._tag is None:
            raise StateError(f"{self._place}: another command has taken the lock", hint="run the command again when that is done")
        if self._clock() - self._renewed > self._seconds * 0.9:
            raise StateError(f"{self._place}: the lock could not be renewed for {self._seconds * 0.9:.0f} s")

    def release(self) -> None:
        """Releases the lock if this object holds it. If another command has taken it, that one keeps it."""
        if self._renewer is not None:
            self._renewer.stop()
            self._renewer = None
        tag, held, self._tag, self._held = self._tag, self._held, None, None
        if held is not None and tag is not None:
            self._put(_FREE, held, tag)

    def holder(self) -> Holder | None:
        """The command that holds the lock. None: nobody does, or the lease has run out."""
        found = self._bucket.get(self._key)
        return None if found is None or self._ran_out(found) else _holder(found)

    def seen_holder(self) -> Holder | None:
        """The same for readers, who write nothing: judged by the clocks of this machine and of the holder's, which may differ."""
        found = self._bucket.get(self._key)
        return None if found is None or _is_over(found, utc_now()) else _holder(found)

    def break_lock(self, lock_id: str) -> None:
        """Releases the lock of another command. StateError: that id does not hold it."""
        found = self._bucket.get(self._key)
        holder = _holder(found)
        same = found is not None and holder is not None and holder.lock_id == lock_id
        if found is None or not same or self._bucket.put_if(self._key, _FREE, found.tag) is None:
            raise StateError(f"{self._place} is not locked with that id")

    def _put(self, data: bytes, held: Holder, tag: str) -> str | None:
        """Writes the lock's object, and returns its new tag. None: another command has written it.

        An earlier renewal may have been written without a reply. Then the object has another tag, and still this holder's id.
        """
        written = self._bucket.put_if(self._key, data, tag)
        if written is not None:
            return written
        found = self._bucket.get(self._key)
        holder = _holder(found)
        same = found is not None and holder is not None and holder.lock_id == held.lock_id
        return self._bucket.put_if(self._key, data, found.tag) if found is not None and same else None

    def _ran_out(self, found: StoredObject) -> bool:
        """Writes a small object, because the server tells its clock only with the time of a write."""
        return self._bucket.put(f"{self._key}.clock", b"") - found.modified > timedelta(seconds=_lease(found))

    def _note(self, holder: Holder) -> bytes:
        until = utc_now() + timedelta(seconds=self._seconds)
        return holder.to_json(until=until.isoformat(timespec="milliseconds"), lease=str(self._seconds))

    def _taken(self, holder: Holder) -> LockHeld:
        hint = "Try again when that is done. If it was killed, its lock ends within a minute."
        return lock_held(self._place, holder, hint)


def _holder(found: StoredObject | None) -> Holder | None:
    return None if found is None or found.data == _FREE else Holder.from_json(found.data)


def _is_over(found: StoredObject, now: datetime) -> bool:
    """Whether its holder said that its lease ends before this time."""
    try:
        return datetime.fromisoformat(json.loads(found.data)["until"]) < now
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _lease(found: StoredObject) -> float:
    """The seconds for which its holder took the lock."""
    try:
        return min(float(json.loads(found.data)["lease"]), LEASE)
    except (ValueError, KeyError, TypeError, RecursionError):
        return LEASE
