"""File identity: the path by which a state knows its workflow file, equal in every checkout and for every spelling of the path."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FileIdentity", "file_identity"]


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """`path` is relative to the folder `top`, with `/` between its parts, in Unicode's form NFC."""

    path: str
    top: Path

    def matches(self, path: str) -> bool:
        """Whether the path is that of this file. Case does not count, because some file systems ignore it."""
        return _folded(path) == _folded(self.path)

    def finds(self, path: str) -> bool:
        """Whether there is a file at the path, in any spelling of its names. False if that cannot be found out."""
        folder = self.top
        try:
            for part in path.split("/"):
                folder = folder / part if (folder / part).exists() else _spelled(folder, part)
            return folder.is_file()
        except (OSError, ValueError, LookupError):
            return False


def file_identity(file: Path, folder: Path) -> FileIdentity:
    """The identity of a file, with symbolic links resolved. `folder`: the path starts there if the file is in no repository."""
    resolved = file.resolve()
    top = next((each for each in resolved.parents if (each / ".git").exists()), folder.resolve())
    path = os.path.relpath(resolved, top).replace(os.sep, "/")
    return FileIdentity(unicodedata.normalize("NFC", path), top)


def _spelled(folder: Path, part: str) -> Path:
    """Raises LookupError if no name in the folder is a spelling of this one."""
    spellings = [each for each in folder.iterdir() if _folded(each.name) == _folded(part)]
    return spellings[0]


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
