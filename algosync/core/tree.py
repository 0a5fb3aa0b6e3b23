"""Source trees: files by path, with their git ids.

Nothing here depends on how a tree is stored or sent. Ids are git's own (SHA-1), so the same files have the same id whether they
come from an archive, a folder or a repository.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from algosync.core.lean import dataclass

__all__ = ["Blob", "Tree", "blob_id", "folders_above", "git_mode", "subtrees", "tree_id"]

_FOLDER_MODE = "40000"


@dataclass(frozen=True, slots=True)
class Blob:
    """The content of one path.

    `data` holds a file's bytes, the target of a symbolic link, or the 40 hex digits of a submodule's commit. Links and submodules
    come from repositories only, never from archives. They are kept so that a push does not drop them.
    """

    data: bytes
    executable: bool = False
    kind: Literal["file", "symlink", "submodule"] = "file"


Tree: TypeAlias = Mapping[str, Blob]
"""Content by path. Paths are relative to the top and separated by `/`; bytes that are not UTF-8 are surrogate escapes."""


def blob_id(blob: Blob) -> str:
    """Git's id of the content of one path: 40 hex digits."""
    return blob.data.decode("ascii") if blob.kind == "submodule" else _object_id("blob", blob.data)


def tree_id(tree: Tree) -> str:
    """Git's id of the whole tree: 40 hex digits. ValueError: see `subtrees`."""
    return subtrees(tree)[0]


def subtrees(tree: Tree) -> tuple[str, dict[str, bytes]]:
    """The id of the whole tree, and the bodies of its git tree objects by id.

    ValueError: a path is both a file and a folder, or contains an empty name, `.` or `..`.
    """
    folders: dict[str, _Folder] = {"": {}}
    for path, blob in tree.items():
        if not {"", ".", ".."}.isdisjoint(path.split("/")):
            raise ValueError(f"not a path in a tree: {path!r}")
        for folder in folders_above(path):
            folders.setdefault(folder, {})
        _put(folders, path, git_mode(blob), blob_id(blob))
    bodies: dict[str, bytes] = {}
    for folder in sorted(folders, key=_depth, reverse=True):
        body = _body(folders[folder])
        number = _object_id("tree", body)
        bodies[number] = body
        if folder:
            _put(folders, folder, _FOLDER_MODE, number)
    return number, bodies


def folders_above(path: str) -> Iterator[str]:
    """The folders that contain a path, from the top: `a`, `a/b` for `a/b/c`."""
    names = path.split("/")
    return ("/".join(names[:depth]) for depth in range(1, len(names)))


_Folder: TypeAlias = dict[bytes, tuple[str, str]]
"""The entries of one folder: mode as git writes it and id, by name."""


def _put(folders: dict[str, _Folder], path: str, mode: str, number: str) -> None:
    folder, _, last = path.rpartition("/")
    name = last.encode("utf-8", "surrogateescape")
    if name in folders[folder]:
        raise ValueError(f"a file and a folder at once: {path!r}")
    folders[folder][name] = (mode, number)


def _body(folder: _Folder) -> bytes:
    """The body of a git tree object. Git sorts folders as if their names ended with `/`."""
    ordered = sorted(folder.items(), key=lambda item: item[0] + b"/" if item[1][0] == _FOLDER_MODE else item[0])
    return b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(number) for name, (mode, number) in ordered)


def git_mode(blob: Blob) -> str:
    """The mode of a path in git's tree objects, such as `100644`."""
    modes = {"file": "100755" if blob.executable else "100644", "symlink": "120000", "submodule": "160000"}
    return modes[blob.kind]


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0


def _object_id(kind: str, body: bytes) -> str:
    header = f"{kind} {len(body)}\0".encode()
    return hashlib.sha1(header + body, usedforsecurity=False).hexdigest()
