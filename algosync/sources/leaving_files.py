"""Leaving files: files outside `src/` that algosync pushed and that the source no longer has.

Files below `src/` are managed as a whole. Outside of it an algorithm's repository also holds files that were never part of the
source: those of the platform's template, and those that people add. So a file leaves only if it is still as algosync pushed it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from types import MappingProxyType

from algosync.core.lean import dataclass
from algosync.core.tree import Blob, Tree, blob_id
from algosync.sources.managed_files import is_always_managed, managed

__all__ = ["NONE_LEAVING", "LeavingFiles", "leaving_files", "outside_blobs"]

_REQUIREMENTS = "requirements.txt"  # a build installs it, so every repository has one


@dataclass(frozen=True, slots=True)
class LeavingFiles:
    """`pushed`: the blob ids of the leaving paths, as they were pushed. `before`: the tree before algosync's first commit."""

    pushed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    before: Tree = field(default_factory=lambda: MappingProxyType({}))

    def removed(self, repository: Tree) -> frozenset[str]:
        """The leaving paths that are still as they were pushed."""
        return frozenset(p for p, number in self.pushed.items() if p in repository and blob_id(repository[p]) == number)

    def put_back(self, repository: Tree, desired: Tree) -> dict[str, Blob]:
        """The files that replace the removed paths: their content before algosync's first commit.

        `requirements.txt` is never absent. A file that would block a desired path is not put back.
        """
        earlier = {path: blob for path in self.removed(repository) if (blob := self._earlier(path)) is not None}
        blocking = managed(earlier, desired)
        return {path: blob for path, blob in earlier.items() if path not in blocking}

    def edited(self, repository: Tree) -> Iterator[str]:
        """The leaving paths that somebody has changed since. They stay as they are."""
        removed = self.removed(repository)
        for path in sorted(self.pushed):
            if path in repository and path not in removed and repository[path] != self._earlier(path):
                yield path

    def _earlier(self, path: str) -> Blob | None:
        return self.before.get(path, Blob(b"") if path == _REQUIREMENTS else None)


NONE_LEAVING = LeavingFiles()


def outside_blobs(tree: Tree) -> dict[str, str]:
    """The blob ids of the files that may leave later: those outside `src/`."""
    return {path: blob_id(blob) for path, blob in sorted(tree.items()) if not is_always_managed(path)}


def leaving_files(pushed: Mapping[str, str], desired: Collection[str]) -> dict[str, str]:
    """The part of what was pushed that the source no longer has."""
    return {path: number for path, number in pushed.items() if path not in desired and not is_always_managed(path)}
