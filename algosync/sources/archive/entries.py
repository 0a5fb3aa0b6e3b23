"""The files read so far, and the rules that every further entry must meet."""

from __future__ import annotations

from dataclasses import dataclass, field

from algosync.core.error import SourceError
from algosync.core.text import printable, size
from algosync.core.tree import Blob
from algosync.sources.archive.path_rules import case_folded, path_fault

__all__ = ["DEFAULT", "ArchiveLimits", "SourceEntries", "refused", "too_large"]


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """The largest source that is accepted.

    `size`: bytes after unpacking, including headers. `ratio`: unpacked bytes per byte read, checked after the first `grace` bytes.
    `entries`: files and folders, including folders that occur only in paths, and repeated ones. `depth`: names in a path.
    `name`: bytes of one name. `path`: bytes of a path; memory use is a few copies of the path per entry.
    """

    size: int = 256 << 20
    ratio: int = 200
    grace: int = 16 << 20
    entries: int = 20_000
    depth: int = 32
    name: int = 255
    path: int = 1024


DEFAULT = ArchiveLimits()


@dataclass(slots=True)
class SourceEntries:
    """Collects files by path. Raises SourceError, which shows the name of the entry, for an entry that breaks a rule."""

    limits: ArchiveLimits
    files: dict[str, Blob] = field(default_factory=dict)
    _count: int = 0
    _folders: set[str] = field(default_factory=set)
    _spellings: dict[str, str] = field(default_factory=dict)

    def folder(self, path: str) -> None:
        """Adds a folder. The same folder may be added again."""
        self._check(path)
        if path in self._folders:
            self._count_one()
        self._add_folders(path)

    def file(self, path: str) -> None:
        """Checks the path of a file before its bytes are read. The caller then puts the content into `files`."""
        self._check(path)
        self._add_folders(path.rpartition("/")[0])
        if path in self.files:
            raise refused(path, "occurs twice")
        if path in self._folders:
            raise refused(path, "is both a file and a folder")
        self._check_spelling(path)
        self._count_one()

    def _check(self, path: str) -> None:
        reason = path_fault(path, self.limits.name, self.limits.depth, self.limits.path)
        if reason:
            raise refused(path, reason)

    def _count_one(self) -> None:
        self._count += 1
        if self._count > self.limits.entries:
            raise SourceError(f"the source has more than {self.limits.entries} entries")

    def _add_folders(self, path: str) -> None:
        """Adds the folder `path` and all folders above it."""
        part = ""
        for name in path.split("/") if path and path not in self._folders else ():
            part = f"{part}/{name}" if part else name
            if part in self._folders:
                continue
            if part in self.files:
                raise refused(part, "is both a file and a folder")
            self._check_spelling(part)
            self._folders.add(part)
            self._count_one()

    def _check_spelling(self, path: str) -> None:
        spelling = self._spellings.setdefault(case_folded(path), path)
        if spelling != path:
            raise refused(path, f"cannot be distinguished from '{printable(spelling, 100)}' on every file system")


def refused(path: str, reason: str) -> SourceError:
    return SourceError(f"the source's entry '{printable(path, 200)}' {reason}")


def too_large(limits: ArchiveLimits) -> SourceError:
    return SourceError(f"the source is larger than {size(limits.size)}")
