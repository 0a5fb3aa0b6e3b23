"""Session: the recorded state while a command works on it. It implements `Ledger`.

A change is durably in the journal before it is acknowledged. Threads that record at the same time share one fsync. The state is
saved when the session closes, when the journal has become long, and as often as the backend asks for it. After a crash at any
moment, state and journal together hold every acknowledged change. The state's serial says how many changes of the journal it
already contains, so an old journal beside a newer state does no harm.

If a write has no known outcome, because of a crash or a failure, the record of its address loses its destination stamp: the content
at the destination has to be read again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from algosync.core.address import Address
from algosync.core.codec import encode_state
from algosync.core.error import AlgosyncError, Conflict, Denied, NotFound, Stale, StateError
from algosync.core.resource import Record
from algosync.core.state import LiveRecords, State
from algosync.state.backend import Backend, fingerprint
from algosync.state.durable import remove_file, reported
from algosync.state.entry import Entry, Forget, Intent, JournalHeader, Result
from algosync.state.entry_queue import EntryQueue, QueuedEntry
from algosync.state.failpoint import failpoint, is_testing
from algosync.state.holder import Holder
from algosync.state.journal import Journal, set_aside
from algosync.state.patience import AT_ONCE, Patience
from algosync.state.periodic import Periodic
from algosync.state.recovery import Found, find, find_beside_writers
from algosync.state.work_in_progress import WorkInProgress, work_in_progress

__all__ = ["Session"]


def _random_lineage() -> str:
    from uuid import uuid4

    return str(uuid4())


class Session:
    """Open from construction until `close`. Threads may share it.

    `exclusive`: it can write, and holds the lock. Otherwise it reads, and neither waits for writers nor makes them wait.
    `journal`: a local path, wherever the backend keeps the state. `wait`: how long to wait for the lock. `new_lineage`: makes the
    lineage of a new state. LockHeld: the lock is held elsewhere. Corrupt: state or journal is damaged. StateError: they cannot
    be read or written.
    """

    fold_every = 1000
    """Entries of the journal after which the state is saved. With more records than this it is saved after as many entries as there
    are records, so that the cost of saving grows with the number of entries and not with its square.
    """

    def __init__(
        self,
        backend: Backend,
        journal: Path,
        *,
        exclusive: bool,
        wait: Patience = AT_ONCE,
        new_lineage: Callable[[], str] = _random_lineage,
    ) -> None:
        self._backend = backend
        self._journal_path = journal
        self._exclusive = exclusive
        self._new_lineage = new_lineage
        self._mutex = threading.RLock()
        self._closed = False
        self._complete = False
        self._file: str | None = None
        self._wrote = False
        self._entries = EntryQueue(self._record)
        self._announced: dict[Address, str] = {}  # writes that have not begun
        # Without a journal, the saved state equals the one in memory.
        self._journal: Journal | None = None
        self._saver: Periodic | None = None
        self._overwritten: Stale | None = None
        self._unanswered: set[str | None] = set()  # the fingerprints of saves that failed, and may have been written
        self._found = Found()  # as a reader found it
        self._running: Holder | None = None
        if exclusive:
            wait.take(backend.lock)
        try:
            self._start(self._find())
        except BaseException:
            self._release()
            raise
        if exclusive and backend.save_every is not None:
            self._saver = Periodic("state", backend.save_every, self.save)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._complete = kind is None
        self.close()

    @property
    def where(self) -> str:
        """The place of the state in messages."""
        return self._backend.where

    @property
    def backup(self) -> str | None:
        """The place of the state before its last save, in messages."""
        return self._backend.backup

    @property
    def lineage(self) -> str | None:
        """None until the first record."""
        return self._lineage

    @property
    def serial(self) -> int:
        return self._serial

    @property
    def state(self) -> State | None:
        """The whole state now. None: nothing was ever recorded."""
        return None if self._lineage is None else State(self._lineage, self._serial, dict(self._records), self._file)

    @property
    def records(self) -> Mapping[Address, Record]:
        return LiveRecords(self._records)

    @property
    def file(self) -> str | None:
        """The workflow file that the state belongs to. None: a new state, or one of an older version."""
        return self._file

    @file.setter
    def file(self, file: str) -> None:
        """Is saved with the next change, or when the `with` statement of a writer ends without an error."""
        self._file = file

    @property
    def running(self) -> Holder | None:
        """The command that was working on the state when this reader opened it, as far as the backend can tell."""
        return self._running

    def in_progress(self) -> WorkInProgress:
        """The changes of other commands since this reader opened the state. Reads it again."""
        return work_in_progress(self._backend, self._journal_path, self._found, self._running)

    @property
    def wrote(self) -> bool:
        """Whether a remote write of this session succeeded, or may have succeeded."""
        return self._wrote

    @contextmanager
    def writing(self, address: Address, verb: str) -> Iterator[None]:
        """Surrounds ONE remote write. Its outcome is unknown until a record of its address is committed or forgotten.

        Denied, NotFound, Conflict and a request that was never sent mean that nothing was written, unless an earlier try of the
        same request may have worked. Throttled does not mean that: a gateway may answer 503 for a backend that wrote.
        """
        self._require_writable()
        if self._announced.pop(address, None) != verb:  # the mutex is not taken, because it is held while others record
            self._entries.record([Intent(address, verb)])
        failpoint(f"{verb}.before", address)
        try:
            yield
        except AlgosyncError as error:
            refused = isinstance(error, (Denied, NotFound, Conflict)) or not error.sent
            self._wrote = self._wrote or error.repeated or not refused
            raise
        except BaseException:
            self._wrote = True
            raise
        self._wrote = True
        failpoint(f"{verb}.after", address)

    def announce(self, writes: Sequence[tuple[Address, str]]) -> None:
        """Records the intents of several writes with one fsync. One that does not follow has no effect, unless there is a crash."""
        fresh = [(address, verb) for address, verb in writes if address not in self._pending]
        self._entries.record([Intent(address, verb) for address, verb in fresh])
        self._announced.update(fresh)

    def commit(self, record: Record) -> None:
        """Records durably. StateError: it may not be recorded, and the run must stop."""
        self.commit_all([record])

    def forget(self, address: Address) -> None:
        """Removes a record durably. It need not exist."""
        self._entries.record([Forget(address)])

    def commit_all(self, records: Iterable[Record], forgotten: Iterable[Address] = ()) -> None:
        """Records and forgets durably, with one fsync. StateError: as of `commit`."""
        results = [*map(Result, records)]
        self._pass_by("record.before", results)
        self._entries.record([*results, *map(Forget, forgotten)])
        self._pass_by("record.after", results)

    def _pass_by(self, place: str, results: Iterable[Result]) -> None:
        if not is_testing():
            return
        with reported(self._journal_path, "written"):
            for result in results:
                failpoint(place, result.address)

    def replace_records(self, gone: Iterable[Address], new: Iterable[Record]) -> None:
        """Forgets some and records others, in one step: after a crash all of it is in force, or nothing."""
        entries: list[Entry] = [*map(Forget, gone), *map(Result, new)]
        self._record([QueuedEntry(entry) for entry in entries])

    def save(self) -> None:
        """Saves the state if the journal has changes that it lacks. After a failure the journal keeps them for the next save.

        If somebody else has changed the state, the next change raises Stale.
        """
        with self._mutex:
            if self._closed or self._journal is None:
                return
            try:
                self._fold()
            except Stale as error:
                self._overwritten = error
            except StateError:  # such as a server that cannot be reached now
                return

    def close(self) -> None:
        """Saves the state, removes the journal and unlocks. StateError: the state could not be saved; the journal stays."""
        if self._saver is not None:
            self._saver.stop()  # before the mutex is taken: `save` needs it
        with self._mutex:
            if self._closed:
                return
            try:
                if self._exclusive:
                    self._finish()
            finally:
                self._release()

    def _find(self) -> Found:
        if self._exclusive:
            return find(self._backend, self._journal_path)
        self._running = self._backend.seen_holder()
        self._found = find_beside_writers(self._backend, self._journal_path)
        if self._found.pending and self._running is None:  # it may have begun meanwhile
            self._running = self._backend.seen_holder()
        return self._found

    def _start(self, found: Found) -> None:
        self._kept = found.kept
        self._lineage = None if found.state is None else found.state.lineage
        self._serial = 0 if found.state is None else found.state.serial
        self._records = {} if found.state is None else dict(found.state.records)
        self._file = None if found.state is None else found.state.file
        self._pending = dict(found.pending)
        if self._exclusive and found.overtaken:
            set_aside(self._journal_path)
        if self._exclusive and found.journal:
            self._save()
        self._settle()

    def _settle(self) -> None:
        for address in tuple(self._pending):
            record = self._records.get(address)
            if record is None or record.destination_stamp is None or address in self._announced:
                del self._pending[address]
            else:
                self._change([QueuedEntry(Result(replace(record, destination_stamp=None)))])

    def _finish(self) -> None:
        self._settle()
        if self._journal is not None:
            self._fold()
        elif self._complete and self._kept is not None:
            self._save()
        with reported(self._journal_path, "removed"):
            remove_file(self._journal_path)
            failpoint("journal.removed", "state")

    def _release(self) -> None:
        self._closed = True
        if self._journal is not None:
            self._journal.close()
        self._backend.unlock()

    def _record(self, queued: Sequence[QueuedEntry]) -> None:
        with self._mutex:
            self._require_writable()
            self._change(self._news(queued))

    def _news(self, queued: Sequence[QueuedEntry]) -> Sequence[QueuedEntry]:
        """Those that change something. The last of several entries of one address may equal what was recorded before the first."""
        news, changed = [], set[Address]()
        for each in queued:
            if each.entry.address in changed or self._is_news(each.entry):
                news.append(each)
                changed.add(each.entry.address)
        return news

    def _is_news(self, entry: Entry) -> bool:
        match entry:
            case Intent():
                return True
            case Result(record):
                return record.address in self._pending or self._records.get(record.address) != record
            case Forget(address):
                return address in self._pending or address in self._records

    def _change(self, news: Sequence[QueuedEntry]) -> None:
        if not news:
            return
        if self._exclusive:  # a reader shows what a writer would record after a crash
            self._append([queued.payload for queued in news])
        for queued in news:
            self._take(queued.entry)
        if self._journal is not None and self._journal.length >= max(self.fold_every, len(self._records)):
            self._fold()

    def _take(self, entry: Entry) -> None:
        if isinstance(entry, Intent):
            self._pending[entry.address] = entry.verb
            return
        if isinstance(entry, Result):
            self._records[entry.address] = entry.record
        else:
            self._records.pop(entry.address, None)
        self._serial += 1
        self._pending.pop(entry.address, None)
        self._announced.pop(entry.address, None)  # the intent is closed, so the write needs another one

    def _append(self, payloads: Sequence[bytes]) -> None:
        if self._journal is not None and self._journal.broken:
            self._fold()
        if self._journal is None:
            self._journal = self._begin_journal()
        self._journal.append(payloads)

    def _begin_journal(self) -> Journal:
        """Replaces an older journal. The saved state contains its changes, so only its open intents are carried over."""
        if self._lineage is None:
            self._lineage = self._new_lineage()
        if self._kept is None:
            self._save()
        intents = [Intent(address, verb) for address, verb in self._pending.items()]
        return Journal(self._journal_path, JournalHeader(self._lineage, self._serial), intents)

    def _fold(self) -> None:
        """Saves the state. The journal's file stays until the next one replaces it or the session closes."""
        self._save()
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        with reported(self._journal_path, "folded"):
            failpoint("state.after", "state")

    def _save(self) -> None:
        data = encode_state(State(self._lineage or "", self._serial, self._records, self._file))
        if fingerprint(data) == self._kept:
            return
        try:
            failpoint("state.before", "state")
            self._write(data)
            failpoint("state.after_write", "state")
        except (StateError, OSError) as error:
            raise self._unsaved(error) from error

    def _write(self, data: bytes) -> None:
        if self._unanswered and (found := fingerprint(self._backend.read())) in self._unanswered:
            self._kept = found
        try:
            self._backend.write(data, expect=self._kept)
        except Stale:
            raise
        except StateError:
            self._unanswered.add(fingerprint(data))
            raise
        self._kept = fingerprint(data)
        self._unanswered.clear()

    def _unsaved(self, error: Exception) -> StateError:
        kept = f"Nothing is lost: {self._journal_path} holds what was done, and the next command goes on from there."
        kind = Stale if isinstance(error, Stale) else StateError
        return kind(str(error), hint=kept if self._journal_path.exists() else None)

    def _require_writable(self) -> None:
        if self._closed or not self._exclusive:
            raise StateError(f"{self._backend.where} is {'closed' if self._closed else 'open for reading only'}")
        if self._overwritten is not None:
            raise self._overwritten
        self._backend.check_lock()
