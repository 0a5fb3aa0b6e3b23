"""Managed files: what a source puts into an algorithm's repository, and which files of the repository algosync manages.

`ignored_files` has the rules about what is left out of a folder or archive.
"""

from __future__ import annotations

from collections.abc import Collection

from algosync.core.tree import Blob, Tree, folders_above
from algosync.sources.source_layout import source_layout

__all__ = ["is_always_managed", "managed", "merge", "with_marker"]

_CONFIGURATION = "algorithmia.conf"  # names the owner and algorithm of the repository, so each side keeps its own
_MARKER = ".adk"


def with_marker(source: Tree, algorithm: str) -> dict[str, Blob]:
    """The files that a source puts into the repository of `algorithm`.

    `algorithmia.conf` is left out. `.adk` is added if `src/NAME.py` creates an `ADK(…)`, and removed if it defines a plain `apply`,
    because such a module exits at once when the marker is present (PLATFORM.md §5, §7). A folder named `.adk` is removed in both
    cases. If the module is missing or its layout is unknown, `.adk` stays as the source has it.
    """
    files = {path: blob for path, blob in source.items() if not _is_within(path, _CONFIGURATION)}
    module = files.get(f"src/{algorithm}.py")
    layout = source_layout(module.data) if module else None
    if layout is None:
        return files
    others = {path: blob for path, blob in files.items() if not _is_within(path, _MARKER)}
    return others | {_MARKER: files.get(_MARKER, Blob(b""))} if layout == "adk" else others


def is_always_managed(path: str) -> bool:
    """Whether a path is part of every source: `src/` and `.adk`."""
    return _is_within(path, "src") or _is_within(path, _MARKER)


def managed(repository: Tree, desired: Collection[str], removed: Collection[str] = ()) -> dict[str, Blob]:
    """The part of a repository that algosync manages.

    It consists of `src/`, `.adk`, the desired paths, entries that block a desired path, and the paths to remove.
    """
    wanted, leaving = set(desired), set(removed)
    folders = {folder for path in wanted for folder in folders_above(path)}
    return {path: blob for path, blob in repository.items() if path in leaving or _is_managed(path, wanted, folders)}


def merge(repository: Tree, desired: Tree, removed: Collection[str] = ()) -> dict[str, Blob]:
    """The tree to push: the desired files, and the files of the repository that algosync does not manage."""
    ours = managed(repository, desired, removed)
    kept = {path: blob for path, blob in repository.items() if path not in ours}
    return kept | dict(desired)


def _is_managed(path: str, wanted: set[str], folders: set[str]) -> bool:
    if _is_within(path, _CONFIGURATION):
        return False
    if path in wanted or is_always_managed(path):
        return True
    return path in folders or any(folder in wanted for folder in folders_above(path))


def _is_within(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")
