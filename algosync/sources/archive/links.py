"""Symbolic links of a source: each is replaced by what it points to, if that lies in the source.

git could store a link, but a folder that is copied, unpacked or checked out on another system often has files in its place. So a
link and a copy of its target are the same source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TypeAlias, Union

from algosync.core.error import SourceError
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.core.tree import Blob
from algosync.sources.archive.entries import ArchiveLimits, SourceEntries
from algosync.sources.archive.refusal import refused, too_large
from algosync.sources.ignored_files import IGNORE_FILE

__all__ = ["follow_links"]

_Entry: TypeAlias = Union["_Folder", Blob, str]
"""A folder, a file, or the target of a link."""
_Folder: TypeAlias = dict[str, _Entry]

_STEPS = 1_000_000  # names looked up for all links together; links to links can ask for exponentially many
_NESTING = 40  # links that one link may lead through, as on Linux


def follow_links(files: Mapping[str, Blob], links: Mapping[str, str], limits: ArchiveLimits) -> dict[str, Blob]:
    """The files, with each link replaced by its target: a file, or all files of a folder.

    SourceError: a link points outside the source, to nothing, or to a folder that contains it; or the result exceeds the limits.
    """
    if not links:
        return dict(files)
    top: _Folder = {}
    for path, blob in files.items():
        _put(top, path, blob)
    for path, target in links.items():
        _put(top, path, target)
    walk = _Walk(top, limits)
    walk.folder([top], "")
    return walk.found.files


def _put(top: _Folder, path: str, entry: Blob | str) -> None:
    *folders, name = path.split("/")
    for folder in folders:
        inner = top.setdefault(folder, {})
        if not isinstance(inner, dict):
            raise refused(path, "is below a file or link")
        top = inner
    top[name] = entry


@dataclass(slots=True)
class _Walk:
    """One walk over all entries. A `stack` holds the folders from the top down to the current one, without links."""

    top: _Folder
    limits: ArchiveLimits
    found: SourceEntries = field(init=False)
    _size: int = 0
    _steps: int = 0

    def __post_init__(self) -> None:
        self.found = SourceEntries(self.limits)

    def folder(self, stack: list[_Folder], prefix: str, inside: tuple[int, ...] = ()) -> None:
        """Adds the files below the last folder of the stack. `inside`: the ids of the folders that are being walked."""
        inside = (*inside, id(stack[-1]))
        for name, entry in sorted(stack[-1].items()):
            path = f"{prefix}{name}"
            if isinstance(entry, Blob):
                self._file(path, entry)
                continue
            below, end = (stack, entry) if isinstance(entry, dict) else self._target(stack, path, entry)
            if isinstance(end, Blob):
                self._file(path, end)
            elif id(end) in inside:
                raise refused(path, "is a link to a folder that contains it")
            else:
                self.folder([*below, end], f"{path}/", inside)

    def _file(self, path: str, blob: Blob) -> None:
        self.found.file(path)
        self.found.files[path] = blob
        self._size += len(blob.data)
        if self._size > self.limits.size:
            raise too_large(self.limits.size)

    def _target(self, stack: list[_Folder], path: str, target: str) -> tuple[list[_Folder], _Folder | Blob]:
        """The target of a link in the last folder of the stack, and the folders above it."""
        try:
            return self._look_up(stack, target, 0)
        except _Outside:
            reason = "which is outside the source"
        except LookupError:
            reason = "which is not in the source"
        hint = f"put the file itself there, or leave the link out by a line in {IGNORE_FILE}"
        message = f"the source's entry '{printable(path, 200)}' is a link to '{printable(target, 200)}', {reason}"
        raise SourceError(message, hint=hint)

    def _look_up(self, stack: list[_Folder], target: str, nesting: int) -> tuple[list[_Folder], _Folder | Blob]:
        if target.startswith("/"):
            raise _Outside
        if nesting > _NESTING:
            raise LookupError
        folders: list[_Folder] = list(stack)
        end: _Folder | Blob = folders.pop()
        for name in target.split("/"):
            self._count_step()
            if isinstance(end, Blob):
                raise LookupError
            if name in ("", "."):
                continue
            if name == "..":
                if not folders:
                    raise _Outside
                end = folders.pop()
                continue
            entry = end[name]
            if isinstance(entry, str):
                folders, end = self._look_up([*folders, end], entry, nesting + 1)
            else:
                folders, end = [*folders, end], entry
        return folders, end

    def _count_step(self) -> None:
        self._steps += 1
        if self._steps > _STEPS:
            raise SourceError("the source has too many links to links")


class _Outside(Exception):
    """The target is outside the source."""
