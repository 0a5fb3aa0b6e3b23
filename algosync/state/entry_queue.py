"""Entry queue: threads that record at the same time share one write.

While one thread records, the others wait. What has come meanwhile is recorded together, by one of those that wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from algosync.core.error import StateError
from algosync.state.entry import Entry, encode_entry

__all__ = ["EntryQueue", "QueuedEntry"]

_NOTICED = 0.5  # seconds: a signal that comes just before the main thread waits does not end its waiting


class QueuedEntry:
    """`payload`: the JSON of the entry. StateError: the entry may not be in the journal."""

    __slots__ = ("entry", "payload")

    def __init__(self, entry: Entry) -> None:
        try:
            self.payload = encode_entry(entry)
        except (ValueError, TypeError) as error:
            raise StateError(f"{entry.address} cannot be recorded: {error}") from error
        self.entry = entry


class _Group:
    """The entries that one thread wants to record together. `error`: why they may not be recorded."""

    __slots__ = ("_waits", "entries", "error", "was_told_to_lead")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = [QueuedEntry(entry) for entry in entries]
        self.error: BaseException | None = None
        self.was_told_to_lead = False
        self._waits = threading.Lock()
        self._waits.acquire()

    def wait(self) -> bool:
        """Waits until another thread has recorded the entries. True: this thread has to record what waits, also its own entries."""
        while not self._waits.acquire(timeout=_NOTICED):
            pass
        return self.was_told_to_lead

    def lead(self) -> None:
        """Wakes the thread, which is to record what waits."""
        self.was_told_to_lead = True
        self._waits.release()

    def end(self, error: BaseException | None) -> None:
        """Wakes the thread, because the entries are recorded, or may not be for this reason."""
        self.error = error
        self._waits.release()


class EntryQueue:
    """Safe to use from several threads. `take` records the entries of several threads durably, in their order."""

    def __init__(self, take: Callable[[Sequence[QueuedEntry]], None]) -> None:
        self._take = take
        self._guard = threading.Lock()
        self._waiting: list[_Group] = []
        self._recording = False  # whether a thread records

    def record(self, entries: Sequence[Entry]) -> None:
        """Returns when the entries are durable and in force. Raises what `take` raises."""
        if not entries:
            return
        own = _Group(entries)
        if self._leads(own):
            self._record_all(own)
        elif own.error is not None:
            raise own.error

    def _leads(self, own: _Group) -> bool:
        """Whether this thread has to record what waits. If not, its entries are recorded by now, or may not be.

        A signal that ends the waiting ends it for this thread only.
        """
        leads = False
        try:
            with self._guard:
                self._waiting.append(own)
                leads = not self._recording
                self._recording = True
            return leads or own.wait()
        except BaseException:
            with self._guard:
                self._waiting = [group for group in self._waiting if group is not own]
                if leads or own.was_told_to_lead:
                    self._lead_next()
            raise

    def _record_all(self, own: _Group) -> None:
        """Records all that waits, with the entries of this thread."""
        batch: list[_Group] = []
        error: BaseException | None = None
        try:
            with self._guard:
                batch, self._waiting = self._waiting, []
            self._take([each for group in batch for each in group.entries])
        except BaseException as failure:
            error = failure  # the other threads raise it, too
            raise
        finally:
            with self._guard:
                self._waiting = [group for group in self._waiting if group is not own]  # a signal came before they were taken
                self._lead_next()
            for group in batch:
                if group is not own:
                    group.end(error)

    def _lead_next(self) -> None:
        """Another thread records what waits. The caller holds the guard."""
        self._recording = bool(self._waiting)
        if self._waiting:
            self._waiting[0].lead()
