"""Queued entry: an entry that a thread wants to record, and what became of it."""

from __future__ import annotations

from algosync.core.error import StateError
from algosync.state.entry import Entry, encode_entry

__all__ = ["QueuedEntry"]


class QueuedEntry:
    """`payload`: the JSON of the entry. StateError: the entry may not be in the journal.

    `ended`: the entry is recorded, or `error` says why it may not be.
    """

    __slots__ = ("ended", "entry", "error", "payload")

    def __init__(self, entry: Entry) -> None:
        try:
            self.payload = encode_entry(entry)
        except (ValueError, TypeError) as error:
            raise StateError(f"{entry.address} cannot be recorded: {error}") from error
        self.entry = entry
        self.ended = False
        self.error: BaseException | None = None

    def end(self, error: BaseException | None = None) -> None:
        self.error = error
        self.ended = True
