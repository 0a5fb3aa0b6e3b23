"""File changes: how two trees differ, file by file."""

from __future__ import annotations

from typing import Literal

from algosync.core.lean import dataclass
from algosync.core.tree import Blob, Tree, git_mode
from algosync.sources.line_counts import count_lines

__all__ = ["FileChange", "compare"]


@dataclass(frozen=True, slots=True, order=True)
class FileChange:
    """One changed path, with the number of lines added and removed. Both are None for a binary file.

    `mode`: git's mode before and after, if it differs between two files: `100644` or, if it is executable, `100755`.
    """

    path: str
    action: Literal["create", "update", "delete"]
    added: int | None
    removed: int | None
    mode: tuple[str, str] | None = None


def compare(before: Tree, after: Tree) -> tuple[FileChange, ...]:
    """The changes from one tree to the other, sorted by path. A renamed file is a deletion and a creation."""
    changed = (path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path))
    return tuple(_change(path, before.get(path), after.get(path)) for path in changed)


def _change(path: str, before: Blob | None, after: Blob | None) -> FileChange:
    same = before is not None and after is not None and before.data == after.data
    counts = (0, 0) if same else count_lines(before.data if before else b"", after.data if after else b"")
    added, removed = counts or (None, None)
    mode = (git_mode(before), git_mode(after)) if before and after and git_mode(before) != git_mode(after) else None
    return FileChange(path, "create" if not before else "update" if after else "delete", added, removed, mode)
