"""Laws of source trees, checked against the git binary if it is installed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.line_counts import count_lines
from algosync.core.tree import (
    Blob,
    FileChange,
    blob_id,
    compare,
    desired,
    fill_owner,
    managed,
    merge,
    subtrees,
    tree_id,
)

if TYPE_CHECKING:
    from pathlib import Path

needs_git = pytest.mark.skipif(not shutil.which("git"), reason="there is no git binary here")
BARE = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": os.devnull}


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, env=BARE, input=given, capture_output=True, check=True).stdout


NAMES = st.sampled_from(["src", "a", "b", "a.b", "a-b", "lib", ".adk", "algorithmia.conf", "Hello.py", "requirements.txt", "ü"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
BLOBS = st.builds(Blob, st.sampled_from([b"", b"1", b"<user>", b"\0<user>"]), st.booleans())
RAW = st.dictionaries(PATHS, BLOBS, max_size=8)


def _consistent(tree: dict[str, Blob]) -> bool:
    return not any(other.startswith(f"{path}/") for path in tree for other in tree)


TREES = RAW.filter(_consistent)


@given(destination=TREES, archive=TREES)
def test_the_managed_part_of_a_merge_is_what_was_desired(destination: dict[str, Blob], archive: dict[str, Blob]) -> None:
    want = desired(archive, "Hello")
    merged = merge(destination, want)
    ours = managed(merged, want.keys())
    assert ours == want
    assert tree_id(ours) == tree_id(want)
    tree_id(merged)  # raises if a path is both a file and a folder
    assert merge(merged, want) == merged


@given(destination=TREES, archive=TREES)
def test_a_merge_keeps_unmanaged_files(destination: dict[str, Blob], archive: dict[str, Blob]) -> None:
    want = desired(archive, "Hello")
    unmanaged = destination.items() - managed(destination, want.keys()).items()
    assert unmanaged <= merge(destination, want).items()
    assert {path for path in destination if path.partition("/")[0] == "algorithmia.conf"} <= dict(unmanaged).keys()


@given(before=TREES, after=TREES)
def test_trees_without_changes_are_equal(before: dict[str, Blob], after: dict[str, Blob]) -> None:
    changes = compare(before, after)
    assert (changes == ()) is (before == after) is (tree_id(before) == tree_id(after))
    assert [change.path for change in changes] == sorted(change.path for change in changes)


def test_files_of_the_destination_s_template_stay_outside_src() -> None:
    destination = {
        "algorithmia.conf": Blob(b"theirs"),
        "README.md": Blob(b"theirs"),
        ".adk": Blob(b""),
        "src/template.py": Blob(b"theirs"),
        "requirements.txt": Blob(b"theirs"),
    }
    want = {"src/Hello.py": Blob(b"ours"), "requirements.txt": Blob(b"ours")}
    assert merge(destination, want) == want | {"algorithmia.conf": Blob(b"theirs"), "README.md": Blob(b"theirs")}


def test_the_owner_is_inserted_into_text_files_only() -> None:
    tree = {
        "text": Blob("é data://<user>/x <user>".encode(), executable=True),
        "nul": Blob(b"\0<user>"),
        "latin": Blob(b"\xe9<user>"),
        "link": Blob(b"<user>", kind="symlink"),
    }
    assert fill_owner(tree, "quality") == tree | {"text": Blob("é data://quality/x quality".encode(), executable=True)}


APPLY = b"def apply(input):\n    return 1\n"
KIT = b"from Algorithmia import ADK\ndef apply(input):\n    return 1\nADK(apply).init('x')\n"
LAYOUTS = {
    "apply": (APPLY, False),
    "apply-imported": (b"from .other import run as apply\n", False),
    "apply-assigned": (b"apply = print\n", False),
    "apply-in-try": (b"try:\n    import x\nexcept ImportError:\n    pass\nelse:\n    def apply(i): ...\n", False),
    "apply-and-the-word-in-a-string": (APPLY + b"'''ADK(apply).init()'''\n# ADK(apply).init()\n", False),
    "apply-with-a-kit-for-trying-out": (
        APPLY + b"if __name__ == '__main__':\n    from adk import ADK\n    ADK(apply).init(1)\n",
        False,
    ),
    "kit": (KIT, True),
    "kit-by-module": (b"import adk\nk = adk.ADK(print)\nk.init()\n", True),
    "kit-renamed": (b"from adk import ADK as Kit\ndef apply(i): ...\nKit(apply).init()\n", True),
    "kit-in-if": (b"from adk import ADK\nif True:\n    ADK(print).init()\n", True),
    "kit-unless-main": (b"from adk import ADK\nif __name__ != '__main__':\n    ADK(print).init()\n", True),
}
UNCLEAR = {
    "kit-in-a-function": b"from adk import ADK\ndef main():\n    ADK(apply).init()\ndef apply(i): ...\nmain()\n",
    "python-2": b"print 'hello'\ndef apply(input): return 1\n",
    "neither": b"x = 1\n",
    "no-text": b"\xff\xfe\0",
    "deep": b"x = " + b"(" * 100_000,
    "deep-operators": b"x = " + b"-" * 200_000 + b"1",
    "long": b"x = 1 #" + b" " * (5 << 20),
    "chain": b"x" + b".a" * 100_000,
    "sum": KIT + b"x = " + b"1+" * 130_000 + b"1",
    "endless-string": KIT + b"x = '''",
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("carried", [True, False])
def test_the_marker_fits_the_code(name: str, carried: bool) -> None:
    source, wanted = LAYOUTS[name]
    archive = {"src/Hello.py": Blob(source)} | ({".adk": Blob(b"theirs")} if carried else {})
    marker = {".adk": Blob(b"theirs" if carried else b"")} if wanted else {}
    assert desired(archive | {"algorithmia.conf": Blob(b"")}, "Hello") == {"src/Hello.py": Blob(source)} | marker


@pytest.mark.parametrize(("source", "marker"), [(KIT, {".adk": Blob(b"")}), (APPLY, {})])
def test_a_folder_where_the_marker_belongs_is_left_out(source: bytes, marker: dict[str, Blob]) -> None:
    kept = {"src/Hello.py": Blob(source), ".adk.d/x": Blob(b"1")}
    want = desired(kept | {".adk/settings": Blob(b"1"), ".adk/a/b": Blob(b"2")}, "Hello")
    assert want == kept | marker
    assert tree_id(want) == tree_id(kept | marker)


@pytest.mark.parametrize("name", UNCLEAR)
def test_if_the_layout_is_unclear_the_archive_decides(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with_marker = {"src/Hello.py": Blob(UNCLEAR[name]), ".adk": Blob(b"")}
    without = {"src/Hello.py": Blob(UNCLEAR[name])}
    assert desired(with_marker, "Hello") == with_marker
    assert desired(without, "Hello") == without
    assert desired({".adk": Blob(b""), "src/Other.py": Blob(APPLY)}, "Hello").keys() == {".adk", "src/Other.py"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings("error")
def test_a_stray_backslash_prints_no_warning() -> None:
    assert desired({"src/Hello.py": Blob(APPLY + b"x = '\\d'\n"), ".adk": Blob(b"")}, "Hello").keys() == {"src/Hello.py"}


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
    """Two hundred typical edits from a fixed seed, in one comparison."""
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
        action = "create" if path not in before else "update" if path in after else "delete"
        expected.append(FileChange(path, action, *(None if n == "-" else int(n) for n in (added, removed))))
    assert compare(before, after) == tuple(expected)


def _numstat(folder: Path, *trees: dict[str, Blob]) -> list[str]:
    git(folder, "init", "-q")
    for tree in trees:
        for path in folder.iterdir():
            if path.name != ".git":
                path.unlink()
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
    started = time.monotonic()
    added, removed = count_lines(b"".join(lines), b"".join(shuffled)) or (None, None)
    assert time.monotonic() - started < 10
    assert added == removed
    assert count_lines(b"a\n" * 500_000, b"b\n" * 400_000) == (400_000, 500_000)
    assert count_lines(b"".join(lines), b"new\n".join([b"", *lines[:50_000]]) + b"".join(lines[50_000:])) == (50_000, 0)
