"""How two trees differ, file by file and in lines."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Literal

import pytest
from git_binary import git, needs_git
from hypothesis import given
from trees import TREES

from algosync.core.tree import Blob, tree_id
from algosync.sources.file_changes import FileChange, compare
from algosync.sources.line_counts import count_lines


@given(before=TREES, after=TREES)
def test_trees_without_changes_are_equal(before: dict[str, Blob], after: dict[str, Blob]) -> None:
    changes = compare(before, after)
    assert (changes == ()) is (before == after) is (tree_id(before) == tree_id(after))
    assert [change.path for change in changes] == sorted(change.path for change in changes)


LINES = [
    (b"", b"", (0, 0)),
    (b"", b"a\nb\n", (2, 0)),
    (b"a\nb\n", b"", (0, 2)),
    (b"a\nb\nc\n", b"a\nX\nc\n", (1, 1)),
    (b"a\nb", b"a\nb\n", (1, 1)),
    (b"a\r\nb\r\n", b"a\nb\n", (2, 2)),
    (b"a\rb\x0bc\x0c\n", b"a\n", (1, 1)),
    (b"a\nb\nc\n", b"c\na\nb\n", (1, 1)),
    (b"a\0", b"b", None),
    (b"a" * 8000 + b"\0", b"b", (1, 1)),
]


@pytest.mark.parametrize(("before", "after", "counts"), LINES)
def test_lines_are_counted_as_git_counts_them(before: bytes, after: bytes, counts: tuple[int, int] | None) -> None:
    assert count_lines(before, after) == counts


@needs_git
def test_numstat_agrees(tmp_path: Path) -> None:
    """Two hundred typical edits from a fixed seed, compared at once."""
    chance = random.Random(3)
    before, after = {}, {}
    for number in range(200):
        lines = [b"line %d\n" % chance.randrange(1000) for _ in range(chance.randrange(60))]
        before[f"{number:03}"] = Blob(b"".join(lines))
        for _ in range(chance.randrange(1, 8)):
            place = chance.randrange(len(lines) + 1)
            lines[place : place + chance.randrange(3)] = [b"new %d\n" % chance.randrange(9)] * chance.randrange(3)
        after[f"{number:03}"] = Blob(b"".join(lines).removesuffix(b"\n" if number % 5 == 0 else b""))
    after |= {"binary": Blob(b"\0"), "new": Blob(b"1\n2")}
    before |= {"binary": Blob(b"\0\0"), "mode": Blob(b"x"), "gone": Blob(b"1\n")}
    after |= {"mode": Blob(b"x", executable=True)}
    expected = []
    for line in _numstat(tmp_path, before, after):
        added, removed, path = line.split("\t")
        action: Literal["create", "update", "delete"] = "create" if path not in before else "update" if path in after else "delete"
        mode = ("100644", "100755") if path == "mode" else None
        counts = [None if n == "-" else int(n) for n in (added, removed)]
        expected.append(FileChange(path, action, counts[0], counts[1], mode))
    assert compare(before, after) == tuple(expected)


def _numstat(folder: Path, *trees: dict[str, Blob]) -> list[str]:
    git(folder, "init", "-q")
    for tree in trees:
        for file in folder.iterdir():
            if file.name != ".git":
                file.unlink()
        for path, blob in tree.items():
            (folder / path).write_bytes(blob.data)
            (folder / path).chmod(0o755 if blob.executable else 0o644)
        git(folder, "add", "-A")
        git(folder, "-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "1")
    return git(folder, "diff", "--numstat", "--no-renames", "HEAD~1", "HEAD").decode().splitlines()


def test_counting_is_bounded_for_any_input() -> None:
    chance = random.Random(1)
    lines = [b"%d\n" % number for number in range(100_000)]
    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert count_lines(b"".join(lines), b"".join(shuffled)) == (0, 0)
    assert count_lines(b"a\n" * 500_000, b"b\n" * 400_000) == (400_000, 500_000)
    assert count_lines(b"".join(lines), b"new\n".join([b"", *lines[:50_000]]) + b"".join(lines[50_000:])) == (50_000, 0)


def test_a_binary_file_whose_mode_alone_differs_has_no_changed_lines() -> None:
    (change,) = compare({"x": Blob(b"\0")}, {"x": Blob(b"\0", executable=True)})
    assert change == FileChange("x", "update", 0, 0, ("100644", "100755"))
