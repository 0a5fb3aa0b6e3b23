"""Journal: a file with the entries since the state was last saved. They are on the disk when `append` returns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from algosync.core.error import Corrupt, StateError
from algosync.state.durable import EVERYTHING, make_folder, read_file, replace_file, reported, write_all
from algosync.state.entry import Entry, JournalHeader, Log, decode_log, encode_entry, encode_line

__all__ = ["Journal", "read_journal", "set_aside"]

_AFTER_DAMAGE = (
    "Move it away to go on from the state as it was last saved. What the last command did since is then found at the destination, "
    "and compared and recorded again."
)


def read_journal(path: Path) -> Log | None:
    """The content of a journal. None: the file does not exist. Corrupt: it has damage other than a torn last line."""
    with reported(path, "read"):
        data = read_file(path)
    if data is None:
        return None
    try:
        return decode_log(data)
    except Corrupt as error:
        raise type(error)(f"{path} {error.message}", hint=error.hint or _AFTER_DAMAGE) from error


def set_aside(path: Path) -> None:
    """Renames a journal that the state has overtaken to `….overtaken`, for those who want to know what that command did."""
    with reported(path, "renamed"):
        path.replace(path.with_name(path.name + ".overtaken"))


class Journal:
    """A journal while it is written, by one thread at a time.

    A new journal replaces an older one atomically, with its header and first entries. After a failed write the journal is `broken`
    and takes no more entries, because the content of the disk is unknown after a failed fsync.
    """

    def __init__(self, path: Path, header: JournalHeader, entries: Iterable[Entry] = ()) -> None:
        text, self._checksum, self.length = b"", 0, 0
        for entry in (header, *entries):
            line, self._checksum = encode_line([encode_entry(entry)], self._checksum)
            text += line
        self._path = path
        self.broken = False
        with reported(path, "written"):
            make_folder(path.parent, EVERYTHING)  # a folder of states is there already: its lock created it
            replace_file(path, text)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)

    def append(self, entries: Sequence[bytes]) -> None:
        """Adds entries, as `encode_entry` gives them, with one fsync. After a crash all of them are there, or none."""
        if self.broken:
            raise StateError(f"{self._path} is broken since an earlier entry could not be written")
        line, checksum = encode_line(entries, self._checksum)
        self.broken = True
        with reported(self._path, "written"):
            write_all(self._descriptor, line)
            os.fsync(self._descriptor)
        self.broken = False
        self._checksum = checksum
        self.length += len(entries)

    def close(self) -> None:
        """Closes the file, and keeps it."""
        os.close(self._descriptor)
