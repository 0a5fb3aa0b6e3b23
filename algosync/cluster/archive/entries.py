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
    `entries`: files and folders. `depth`: names in a path. `name`: bytes of one name.
    """

    size: int = 256 << 20
    ratio: int = 200
    grace: int = 16 << 20
    entries: int = 20_000
    depth: int = 32
    name: int = 255


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
        self._admit(path)
        self._open(path)

    def file(self, path: str) -> None:
        """An entry for a file: refused by its name before its bytes are read, and then put into `files`."""
        self._admit(path)
        parent = path.rpartition("/")[0]
        if parent:
            self._open(parent)
        if path in self.files:
            raise refused(path, "is there twice")
        if path in self._folders:
            raise refused(path, "is a file and a folder at once")

    def _admit(self, path: str) -> None:
        self._count += 1
        if self._count > self.limits.entries:
            raise SourceError(f"the source has more than {self.limits.entries} entries")
        reason = fault(path, self.limits.name, self.limits.depth)
        if reason:
            raise refused(path, reason)
        names = path.split("/")
        for depth in range(len(names)):
            part = "/".join(names[: depth + 1])
            spelling = self._spellings.setdefault(folded(part), part)
            if spelling != part:
                raise refused(path, f"cannot be told from {printable(spelling, 100)!r} on every file system")

    def _open(self, path: str) -> None:
        """`path` is a folder, and all above it."""
        names = path.split("/")
        for depth in range(len(names), 0, -1):
            part = "/".join(names[:depth])
            if part in self.files:
                raise refused(part, "is a file and a folder at once")
            self._folders.add(part)


def refused(path: str, reason: str) -> SourceError:
    return SourceError(f"the source's entry '{printable(path, 200)}' {reason}")


def too_large(limits: Limits) -> SourceError:
    return SourceError(f"the source is larger than {size(limits.size)}")
