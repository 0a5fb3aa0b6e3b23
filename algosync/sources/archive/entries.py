"""The files read so far, and the rules that every further entry must meet."""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.core.tree import Blob
from algosync.sources.archive.path_rules import case_folded, path_fault
from algosync.sources.archive.refusal import PACK_AGAIN, RENAME, refused, too_many
from algosync.sources.ignored_files import ignored_by_name

__all__ = ["DEFAULT", "ArchiveLimits", "Content", "SourceEntries"]


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

Content: TypeAlias = Blob | str | None
"""A file, the target of a symbolic link, or None for a folder."""


@dataclass(slots=True)
class SourceEntries:
    """Collects files by path. Raises SourceError, which shows the name of the entry, for an entry that breaks a rule.

    `links`: the targets of symbolic links by path. `folders`: every folder, including those that occur only in paths. `aside`:
    entries of an archive that are ignored by default, until the whole archive was read and its ignore file is known. Their paths
    are not checked. `left_out`: ignored paths that were not read.
    """

    limits: ArchiveLimits
    files: dict[str, Blob] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    aside: list[tuple[str, Content]] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    _contents: dict[str, Content] = field(default_factory=dict)
    _count: int = 0
    _spellings: dict[str, str] = field(default_factory=dict)

    def check(self, path: str) -> None:
        """Checks the path of an archive's file before its bytes are read."""
        if not _is_ignored(path):
            self._check(path)

    def add(self, path: str, content: Content) -> None:
        """Adds an entry of an archive, or sets it aside."""
        self._contents[path] = content
        if _is_ignored(path):
            self.aside.append((path, content))
        else:
            self.take_back(path, content)

    def take_back(self, path: str, content: Content) -> None:
        """Adds an entry, even if it is ignored by default."""
        if content is None:
            self.folder(path)
            return
        self.file(path)
        if isinstance(content, str):
            self.links[path] = content
        else:
            self.files[path] = content

    def content(self, path: str) -> Content:
        """The content of an earlier file or link. None: there is no such entry."""
        return self._contents.get(path)

    def folder(self, path: str) -> None:
        """Adds a folder. The same folder may be added again."""
        self._check(path)
        if path in self.folders:
            self._count_one()
        self._add_folders(path)

    def file(self, path: str) -> None:
        """Checks the path of a file or link. The caller then puts its content into `files` or `links`."""
        self._check(path)
        self._add_folders(path.rpartition("/")[0])
        if path in self.files or path in self.links:
            raise refused(path, "occurs twice", PACK_AGAIN)
        if path in self.folders:
            raise refused(path, "is both a file and a folder", PACK_AGAIN)
        self._check_spelling(path)
        self._count_one()

    def _check(self, path: str) -> None:
        reason = path_fault(path, self.limits.name, self.limits.depth, self.limits.path)
        if reason:
            raise refused(path, reason, PACK_AGAIN if "outside" in reason or "plain" in reason else RENAME)

    def _count_one(self) -> None:
        self._count += 1
        if self._count > self.limits.entries:
            raise too_many(f"the source has more than {self.limits.entries} entries")

    def _add_folders(self, path: str) -> None:
        """Adds the folder `path` and all folders above it."""
        part = ""
        for name in path.split("/") if path and path not in self.folders else ():
            part = f"{part}/{name}" if part else name
            if part in self.folders:
                continue
            if part in self.files or part in self.links:
                raise refused(part, "is both a file and a folder", PACK_AGAIN)
            self._check_spelling(part)
            self.folders.add(part)
            self._count_one()

    def _check_spelling(self, path: str) -> None:
        spelling = self._spellings.setdefault(case_folded(path), path)
        if spelling != path:
            raise refused(path, f"cannot be distinguished from '{printable(spelling, 100)}' on every file system", RENAME)


def _is_ignored(path: str) -> bool:
    return any(map(ignored_by_name, path.split("/")))
