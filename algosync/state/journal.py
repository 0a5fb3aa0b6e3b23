"""Journal: the entries since the state was last saved, each on the disk before `append` returns."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from algosync.core.error import Corrupt, StateError
from algosync.state.durable import make_folder, read_file, replace_file, reported, write_all
from algosync.state.entry import Entry, JournalHeader, Log, decode_log, encode_line

__all__ = ["Journal", "read_journal"]


def read_journal(path: Path) -> Log | None:
    """None: there is none. Corrupt, which names the file: it is damaged elsewhere than in a last line that was torn."""
    with reported(path, "read"):
        data = read_file(path)
    if data is None:
        return None
    try:
        return decode_log(data)
    except Corrupt as error:
        raise Corrupt(f"{path} {error.message}", hint=error.hint) from error


class Journal:
    """A journal that is being written, by one thread at a time.

    It appears whole, with its header and first entries, in the place of an older one. Once an entry could not be written for
    certain the file is `broken` and takes no more: after a failed fsync nobody knows what is on the disk.
    """

    def __init__(self, path: Path, header: JournalHeader, entries: Iterable[Entry] = ()) -> None:
        text, self._checksum, self.length = b"", 0, 0
        for entry in (header, *entries):
            line, self._checksum = encode_line(entry, self._checksum)
            text += line
        self._path = path
        self.broken = False
        with reported(path, "written"):
            make_folder(path.parent)
            replace_file(path, text)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)

    def append(self, entry: Entry) -> None:
        """Durable when it returns. StateError: it is not in the journal, or may or may not be."""
        try:
            line, checksum = encode_line(entry, self._checksum)
        except (ValueError, TypeError) as error:
            raise StateError(f"{entry.address} cannot be recorded: {error}") from error
        if self.broken:
            raise StateError(f"{self._path} is broken since an earlier entry could not be written")
        self.broken = True
        with reported(self._path, "written"):
            write_all(self._descriptor, line)
            os.fsync(self._descriptor)
        self.broken = False
        self._checksum = checksum
        self.length += 1

    def close(self) -> None:
        """The file stays."""
        os.close(self._descriptor)
