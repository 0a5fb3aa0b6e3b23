"""Git ids of trees, compared with git's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_binary import git, needs_git

from algosync.core.tree import Blob, blob_id, subtrees, tree_id


@pytest.mark.parametrize("paths", [["a", "a/b"], ["a/b/c", "a/b"], [""], ["/a"], ["a//b"], ["a/"], ["."], ["a/.."], ["a/./b"]])
def test_an_invalid_tree_has_no_id(paths: list[str]) -> None:
    with pytest.raises(ValueError, match=r"not a path in a tree|a file and a folder at once"):
        tree_id({path: Blob(b"") for path in paths})


def test_known_ids() -> None:
    assert tree_id({}) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    assert blob_id(Blob(b"")) == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert blob_id(Blob(b"1" * 40, kind="submodule")) == "1" * 40


def test_a_deep_tree_has_an_id() -> None:
    assert len(subtrees({"/".join(["d"] * 3000): Blob(b"")})[1]) == 3000


@needs_git
def test_ids_are_git_s(tmp_path: Path) -> None:
    tree = {
        "a": Blob(b"1"),
        "a.b/x": Blob(b"2", executable=True),
        "a-b": Blob(b"3"),
        "ab/c/d": Blob(b""),
        "ab.c": Blob(b"\0"),
        "ü/空": Blob("ü".encode()),
        "odd\udcff": Blob(b"4"),
        "link": Blob(b"a", kind="symlink"),
        "module": Blob(b"1" * 40, kind="submodule"),
    }
    git(tmp_path, "init", "-q")
    modes = {"symlink": "120000", "submodule": "160000"}
    for path, blob in tree.items():
        number = blob_id(blob)
        if blob.kind != "submodule":
            assert git(tmp_path, "hash-object", "-w", "--stdin", given=blob.data).decode().strip() == number
        mode = modes.get(blob.kind) or ("100755" if blob.executable else "100644")
        entry = f"{mode} {number}\t{path}\0".encode("utf-8", "surrogateescape")
        git(tmp_path, "update-index", "-z", "--index-info", given=entry)
    assert git(tmp_path, "write-tree").decode().strip() == tree_id(tree)
