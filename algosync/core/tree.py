"""Source trees: files by their paths, their git ids, and the part of an algorithm's repository that algosync manages.

Nothing here knows how a tree is stored or sent. Ids are git's own (SHA-1), so that the same files give the same id
whether they came from an archive, a folder or a repository.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from algosync.core.layout import layout
from algosync.core.line_counts import count_lines

__all__ = [
    "Blob",
    "FileChange",
    "Tree",
    "blob_id",
    "compare",
    "desired",
    "fill_owner",
    "managed",
    "merge",
    "subtrees",
    "tree_id",
]

OWNER = b"<user>"
CONFIGURATION = "algorithmia.conf"  # names the repository's own owner and algorithm: each side keeps its own
MARKER = ".adk"
_FOLDER = "40000"


@dataclass(frozen=True, slots=True)
class Blob:
    """What stands at one path.

    `data` is a file's bytes, a symbolic link's target, or the 40 hex digits of the commit that a submodule pins. Links
    and submodules come from repositories only, never from archives; they are carried so that a push does not lose them.
    """

    data: bytes
    executable: bool = False
    kind: Literal["file", "symlink", "submodule"] = "file"


Tree: TypeAlias = Mapping[str, Blob]
"""Paths with `/` between names, relative to the top; names that are not UTF-8 carry surrogate escapes."""


@dataclass(frozen=True, slots=True, order=True)
class FileChange:
    """One changed path. The counts are lines; None where the file is binary."""

    path: str
    action: Literal["create", "update", "delete"]
    added: int | None
    removed: int | None


def blob_id(blob: Blob) -> str:
    """Git's id of what stands at one path: 40 hex digits."""
    return blob.data.decode("ascii") if blob.kind == "submodule" else _object_id("blob", blob.data)


def tree_id(tree: Tree) -> str:
    """Git's id of the whole tree: 40 hex digits. ValueError: as for `subtrees`."""
    return subtrees(tree)[0]


def subtrees(tree: Tree) -> tuple[str, dict[str, bytes]]:
    """The id of the whole tree, and the git tree objects it consists of: bodies by id.

    ValueError: a path is a file and a folder at once, or has an empty name, `.` or `..` in it.
    """
    folders: dict[str, _Folder] = {"": {}}
    for path, blob in tree.items():
        if not {"", ".", ".."}.isdisjoint(path.split("/")):
            raise ValueError(f"not a path in a tree: {path!r}")
        for folder in _folders(path):
            folders.setdefault(folder, {})
        _put(folders, path, _mode(blob), blob_id(blob))
    bodies: dict[str, bytes] = {}
    for folder in sorted(folders, key=_depth, reverse=True):
        body = _body(folders[folder])
        number = _object_id("tree", body)
        bodies[number] = body
        if folder:
            _put(folders, folder, _FOLDER, number)
    return number, bodies


def fill_owner(tree: Tree, owner: str) -> dict[str, Blob]:
    """The tree with `<user>` in text files replaced by `owner`. Text is valid UTF-8 without NUL; the rest is as it was."""
    name = owner.encode()
    return {
        path: replace(blob, data=blob.data.replace(OWNER, name)) if OWNER in blob.data and _is_text(blob) else blob
        for path, blob in tree.items()
    }


def desired(archive: Tree, name: str) -> dict[str, Blob]:
    """What an archive wants in the repository of the algorithm `name`.

    That is everything but `algorithmia.conf`, with `.adk` made to fit how `src/NAME.py` wants to be run (platform.md §5,
    §7): it is there for code that makes an `ADK(…)`, and is not for a plain `apply`, which would exit at once beside it.
    A folder of that name is in the marker's way and is left out. Where the module is missing or its layout cannot be told,
    the archive's own choice stands.
    """
    files = {path: blob for path, blob in archive.items() if not _within(path, CONFIGURATION)}
    module = files.get(f"src/{name}.py")
    wanted = layout(module.data) if module else None
    if wanted is None:
        return files
    others = {path: blob for path, blob in files.items() if not _within(path, MARKER)}
    return others | {MARKER: files.get(MARKER, Blob(b""))} if wanted == "adk" else others


def managed(destination: Tree, desired: Collection[str]) -> dict[str, Blob]:
    """What algosync answers for in a repository: the desired paths and what stands in their way, `src/`, `.adk`."""
    wanted = set(desired)
    folders = {folder for path in wanted for folder in _folders(path)}
    return {path: blob for path, blob in destination.items() if _is_managed(path, wanted, folders)}


def merge(destination: Tree, desired: Tree) -> dict[str, Blob]:
    """The tree to push: the desired files, and of the destination's what algosync does not manage."""
    ours = managed(destination, desired)
    kept = {path: blob for path, blob in destination.items() if path not in ours}
    return kept | dict(desired)


def compare(before: Tree, after: Tree) -> tuple[FileChange, ...]:
    """What changes from one tree to the other, sorted by path; renames are told as a deletion and a creation."""
    changed = (path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path))
    return tuple(_change(path, before.get(path), after.get(path)) for path in changed)


def _change(path: str, before: Blob | None, after: Blob | None) -> FileChange:
    counts = count_lines(before.data if before else b"", after.data if after else b"")
    added, removed = counts or (None, None)
    return FileChange(path, "create" if not before else "update" if after else "delete", added, removed)


def _is_text(blob: Blob) -> bool:
    if blob.kind != "file" or b"\0" in blob.data:
        return False
    try:
        blob.data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _within(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")


def _folders(path: str) -> Iterator[str]:
    """`a`, `a/b` of `a/b/c`."""
    names = path.split("/")
    return ("/".join(names[:depth]) for depth in range(1, len(names)))


def _is_managed(path: str, wanted: set[str], folders: set[str]) -> bool:
    if _within(path, CONFIGURATION):
        return False
    if path in wanted or _within(path, "src") or _within(path, MARKER):
        return True
    return path in folders or any(folder in wanted for folder in _folders(path))


_Folder: TypeAlias = dict[bytes, tuple[str, str]]
"""Names in one folder: their mode as git writes it, and their id."""


def _put(folders: dict[str, _Folder], path: str, mode: str, number: str) -> None:
    folder, _, last = path.rpartition("/")
    name = last.encode("utf-8", "surrogateescape")
    if name in folders[folder]:
        raise ValueError(f"a file and a folder at once: {path!r}")
    folders[folder][name] = (mode, number)


def _body(folder: _Folder) -> bytes:
    """A git tree object; git sorts folders as if their names ended with `/`."""
    ordered = sorted(folder.items(), key=lambda item: item[0] + b"/" if item[1][0] == _FOLDER else item[0])
    return b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(number) for name, (mode, number) in ordered)


def _mode(blob: Blob) -> str:
    modes = {"file": "100755" if blob.executable else "100644", "symlink": "120000", "submodule": "160000"}
    return modes[blob.kind]


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0


def _object_id(kind: str, body: bytes) -> str:
    header = f"{kind} {len(body)}\0".encode()
    return hashlib.sha1(header + body, usedforsecurity=False).hexdigest()
