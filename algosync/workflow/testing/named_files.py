"""Named files: the files that the tests of a workflow name, in their folder or in a saved plan."""

from __future__ import annotations

import errno
import hashlib
import io
import stat
from collections.abc import Collection, Hashable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.core.testing.case import CaseFile
    from algosync.workflow.fault import Faults

__all__ = ["NamedFiles", "sha256_of"]

_BLOCK = 1 << 16


@dataclass(slots=True)
class NamedFiles:
    """Paths are as in the workflow: relative to `folder`.

    `saved`: contents that a saved plan holds, which are read in place of the files; None: the file was not there. `only`: the paths
    that may be opened; None: all. `digests`: the
    SHA-256 (hex) of the files that were read; None: not there. `checked`: what is known of files of cases, so that no file is read
    again when the same command loads the workflow again.
    """

    folder: Path
    saved: Mapping[str, bytes | None] = field(default_factory=dict, repr=False)
    only: Collection[str] | None = None
    digests: dict[str, str | None] = field(default_factory=dict)
    checked: dict[Hashable, tuple[CaseFile | None, Faults]] = field(default_factory=dict, repr=False)

    def open(self, path: str) -> BinaryIO:
        """Open a regular file: others could block, or never end. Raises OSError, and ValueError for a path with a NUL."""
        if self.only is not None and path not in self.only:
            raise PermissionError(errno.EACCES, "it is not in the saved plan", path)
        if path in self.saved:
            content = self.saved[path]
            if content is None:
                raise FileNotFoundError(path)
            return io.BytesIO(content)
        place = self.folder / path
        if not stat.S_ISREG(place.stat().st_mode):
            raise IsADirectoryError(f"{path} is not a file")
        return place.open("rb")

    def size(self, path: str) -> int:
        """The bytes of a file that is in the folder; 0 if it is not there."""
        try:
            return (self.folder / path).stat().st_size
        except OSError:
            return 0

    def content(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes and one more. Raises the errors of `open`."""
        try:
            with self.open(path) as file:
                data = file.read(limit + 1)
        except FileNotFoundError:
            self.digests[path] = None
            raise
        self.digests[path] = hashlib.sha256(data).hexdigest()
        return data


def sha256_of(file: BinaryIO) -> str:
    """The SHA-256 (hex) of the rest of a file."""
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()
