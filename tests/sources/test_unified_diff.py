"""Unified diffs of sources: they apply, and they are bounded in lines and in work."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.address import Address
from algosync.core.planning.file_diff import FileDiff
from algosync.core.tree import Blob, Tree
from algosync.sources.unified_diff import Differ, DiffLimits

SOURCE = Address("source", "One")


def diffs(before: Tree, after: Tree, differ: Differ | None = None) -> list[FileDiff]:
    return list((differ or Differ(str)).diffs(SOURCE, before, after))


def one(before: bytes, after: bytes, limits: DiffLimits | None = None) -> FileDiff:
    (found,) = diffs({"a": Blob(before)}, {"a": Blob(after)}, Differ(str, limits or DiffLimits()))
    return found


def numbered(count: int, text: str = "line") -> bytes:
    return b"".join(f"{text} {number}\n".encode() for number in range(count))


def test_a_change_in_the_middle() -> None:
    assert one(numbered(9), numbered(9).replace(b"line 4", b"other")).lines == (
        "@@ -2,7 +2,7 @@",
        " line 1",
        " line 2",
        " line 3",
        "-line 4",
        "+other",
        " line 5",
        " line 6",
        " line 7",
    )


def test_a_new_file_a_removed_one_and_a_last_line_without_its_end() -> None:
    new, old = diffs({"old": Blob(b"x")}, {"new": Blob(b"a\nb\n")})
    assert (new.path, new.action, new.lines) == ("new", "create", ("@@ -0,0 +1,2 @@", "+a", "+b"))
    assert (old.path, old.action, old.lines) == ("old", "delete", ("@@ -1 +0,0 @@", "-x", "\\ No newline at end of file"))
    assert one(b"x", b"x\n").lines == ("@@ -1 +1 @@", "-x", "\\ No newline at end of file", "+x")


def test_equal_files_have_no_diff() -> None:
    assert diffs({"a": Blob(b"x")}, {"a": Blob(b"x")}) == []


def test_a_binary_file_is_told_by_size_and_digest() -> None:
    sha = [hashlib.sha256(data).hexdigest() for data in (b"\0", b"\0\0")]
    assert one(b"\0", b"\0\0").note == f"Binary files differ: 1 B (SHA-256 {sha[0]}) -> 2 B (SHA-256 {sha[1]})"
    (created,) = diffs({}, {"a": Blob(b"\0")})
    assert (created.note, created.lines) == (f"Binary files differ: nothing -> 1 B (SHA-256 {sha[0]})", ())


def test_a_mode_an_empty_file_and_bytes_that_are_no_text() -> None:
    (mode,) = diffs({"a": Blob(b"x")}, {"a": Blob(b"x", executable=True)})
    assert (mode.note, mode.lines) == ("mode 100644 -> 100755", ())
    (empty,) = diffs({}, {"a": Blob(b"")})
    assert empty.note == "an empty file"
    assert one(b"\xe9\n", b"e\n").lines[1:] == ("-\\xe9", "+e")


def test_secrets_are_hidden_also_those_of_several_lines() -> None:
    differ = Differ(lambda text: text.replace("one\ntwo", "***").replace("old", "***").replace("new", "***"))
    found = diffs({"a": Blob(b"one\ntwo\nx\n"), "b": Blob(b"old")}, {"a": Blob(b"one\ntwo\ny\n"), "b": Blob(b"new")}, differ)
    assert [(each.lines, each.note) for each in found] == [
        (("@@ -1,2 +1,2 @@", " ***", "-x", "+y"), ""),
        ((), "only values that are hidden differ"),
    ]
    (binary,) = diffs({}, {"a": Blob(b"\0old")}, differ)
    assert binary.note == "Binary files differ: nothing -> 4 B (SHA-256 ***)"


def test_lines_are_bounded_and_the_others_counted() -> None:
    differ = Differ(str, DiffLimits(lines_of_file=5, lines=8))
    after = {name: Blob(numbered(9)) for name in "abc"}
    assert [(len(each.lines), each.left_out) for each in diffs({}, after, differ)] == [(5, 5), (3, 7), (0, 10)]
    assert DiffLimits() == DiffLimits(200, 2000)


def test_a_large_file_is_not_compared() -> None:
    found = one(b"x\n", b"y\n" * 600_000)
    assert found.lines == ()
    assert found.note.startswith("too large to be compared line by line: 2 B (SHA-256 ")


def test_the_work_is_bounded_by_comparisons() -> None:
    """Two files with the same lines in an order that makes the search long."""
    lines = [f"{number % 200}\n".encode() for number in range(9000)]
    before, after = b"".join(lines), b"".join(reversed(lines))
    differ = Differ(str, DiffLimits(comparisons_of_file=50_000, comparisons=70_000))
    found = diffs({"a": Blob(before), "b": Blob(before)}, {"a": Blob(after), "b": Blob(after), "c": Blob(b"x\n")}, differ)
    assert [each.note for each in found[:2]] == ["too different to be compared line by line: 9,000 lines -> 9,000 lines"] * 2
    assert found[2].lines == ("@@ -0,0 +1 @@", "+x")
    assert differ.compared <= 70_000
    small = Differ(str)
    diffs({"a": Blob(numbered(20_000))}, {"a": Blob(numbered(20_000).replace(b"line 777\n", b""))}, small)
    assert 0 < small.compared < small.limits.comparisons_of_file


TEXTS = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12).map(lambda lines: "\n".join(lines).encode())


@given(TEXTS, TEXTS)
def test_a_diff_has_the_lines_of_both_sides(before: bytes, after: bytes) -> None:
    for found in diffs({"a": Blob(before)}, {"a": Blob(after)}):
        body = [line for line in found.lines if not line.startswith(("@@", "\\"))]
        for mark, data in (("-", before), ("+", after)):
            kept = [line[1:] for line in body if line[0] in (" ", mark)]
            lines = data.decode().removesuffix("\n").split("\n") if data else []
            assert len(kept) <= len(lines)
            assert set(kept) <= set(lines)


@pytest.mark.needs("patch")
def test_the_patch_program_applies_it(tmp_path: Path) -> None:
    before = numbered(300)
    after = before.replace(b"line 7\n", b"").replace(b"line 150\n", b"x\ny\n") + b"no end"
    found = one(before, after)
    (tmp_path / "a").write_bytes(before)
    text = "\n".join(["--- a", "+++ a", *found.lines, ""])
    patch = shutil.which("patch")
    assert patch is not None
    subprocess.run([patch, "-p0"], cwd=tmp_path, input=text, text=True, check=True, capture_output=True, timeout=60)
    assert (tmp_path / "a").read_bytes() == after
