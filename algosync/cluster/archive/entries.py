"""The files found so far, and the rules that each further one has to keep."""

from __future__ import annotations

from dataclasses import dataclass, field

from algosync.cluster.archive.names import fault, folded
from algosync.core.error import SourceError
from algosync.core.text import printable, size
from algosync.core.tree import Blob

__all__ = ["DEFAULT", "Entries", "Limits", "refused", "too_large"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a source may be; more is refused.

    `size`: bytes when unpacked, headers included. `ratio`: unpacked bytes for each byte read, beyond the first `grace`.
    `entries`: files and folders, also the folders that are only named in paths, and those that come again. `depth`: names in
    a path. `name`: bytes of one name. `path`: bytes of all of them; what is kept for each entry is some copies of its path.
    """

    size: int = 256 << 20
    ratio: int = 200
    grace: int = 16 << 20
    entries: int = 20_000
    depth: int = 32
    name: int = 255
    path: int = 1024


DEFAULT = Limits()


@dataclass(slots=True)
class Entries:
    """Collects files by path. Every fault is a SourceError that shows the entry's name."""

    limits: Limits
    files: dict[str, Blob] = field(default_factory=dict)
    _count: int = 0
    _folders: set[str] = field(default_factory=set)
    _spellings: dict[str, str] = field(default_factory=dict)

    def folder(self, path: str) -> None:
        """An entry for a folder; the same folder may come again."""
        self._check(path)
        if path in self._folders:
            self._add()
        self._open(path)

    def file(self, path: str) -> None:
        """An entry for a file: refused by its name before its bytes are read, and then put into `files`."""
        self._check(path)
        self._open(path.rpartition("/")[0])
        if path in self.files:
            raise refused(path, "is there twice")
        if path in self._folders:
            raise refused(path, "is a file and a folder at once")
        self._spell(path)
        self._add()

    def _check(self, path: str) -> None:
        reason = fault(path, self.limits.name, self.limits.depth, self.limits.path)
        if reason:
            raise refused(path, reason)

    def _add(self) -> None:
        self._count += 1
        if self._count > self.limits.entries:
            raise SourceError(f"the source has more than {self.limits.entries} entries")

    def _open(self, path: str) -> None:
        """`path` is a folder, and all above it."""
        part = ""
        for name in path.split("/") if path and path not in self._folders else ():
            part = f"{part}/{name}" if part else name
            if part in self._folders:
                continue
            if part in self.files:
                raise refused(part, "is a file and a folder at once")
            self._spell(part)
            self._folders.add(part)
            self._add()

    def _spell(self, path: str) -> None:
        spelling = self._spellings.setdefault(folded(path), path)
        if spelling != path:
            raise refused(path, f"cannot be told from '{printable(spelling, 100)}' on every file system")


def refused(path: str, reason: str) -> SourceError:
    return SourceError(f"the source's entry '{printable(path, 200)}' {reason}")


def too_large(limits: Limits) -> SourceError:
    return SourceError(f"the source is larger than {size(limits.size)}")
