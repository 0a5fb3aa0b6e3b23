"""A folder gives the same tree as an archive of it."""

from __future__ import annotations

import gc
import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from algosync.core.error import SourceError
from algosync.core.tree import Blob
from algosync.sources.archive import ArchiveLimits, read_archive, read_folder


def make(folder: Path, **more: bytes) -> Path:
    (folder / "src").mkdir(parents=True)
    (folder / "src/Hello.py").write_bytes(b"1")
    for path, data in more.items():
        (folder / path).write_bytes(data)
    return folder


def test_a_folder_and_its_archive_are_the_same(tmp_path: Path) -> None:
    folder = make(tmp_path / "Hello", **{"requirements.txt": b"numpy\n", "src/run": b"#!/bin/sh\n", "src/ü": b"\0"})
    (folder / "src/run").chmod(0o755)
    (folder / "src/empty").mkdir()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.add(folder, ".")
    out.seek(0)
    files = read_folder(folder).files
    assert files == read_archive(out).files
    assert files == {
        "requirements.txt": Blob(b"numpy\n"),
        "src/Hello.py": Blob(b"1"),
        "src/run": Blob(b"#!/bin/sh\n", executable=True),
        "src/ü": Blob(b"\0"),
    }


def test_what_tools_leave_is_left_behind(tmp_path: Path) -> None:
    folder = make(tmp_path / "Hello", **{".DS_Store": b"", "src/old.pyc": b"", ".gitignore": b"*"})
    for path in (".git/hooks", "src/__pycache__", "src/vendor/.git"):
        (folder / path).mkdir(parents=True)
        (folder / path / "x").write_bytes(b"x")
    assert read_folder(folder).files == {"src/Hello.py": Blob(b"1"), ".gitignore": Blob(b"*")}


NOT_IN = "which is not in the source"
TARGETS = {
    "/etc/passwd": "is a link to '/etc/passwd', which is outside the source",
    "../../secret": "is a link to '../../secret', which is outside the source",
    "missing": f"is a link to 'missing', {NOT_IN}",
    "Hello.py/x": f"is a link to 'Hello.py/x', {NOT_IN}",
    "link": f"is a link to 'link', {NOT_IN}",
    "__pycache__/x.pyc": f"is a link to '__pycache__/x.pyc', {NOT_IN}",
    ".": "is a link to a folder that contains it",
    "..": "is a link to a folder that contains it",
}


@pytest.mark.parametrize("target", TARGETS)
def test_links_that_lead_nowhere_in_the_source_are_refused(tmp_path: Path, target: str) -> None:
    folder = make(tmp_path / "Hello")
    (tmp_path / "secret").write_bytes(b"x")
    (folder / "src/__pycache__").mkdir()
    (folder / "src/__pycache__/x.pyc").write_bytes(b"x")
    (folder / "src/link").symlink_to(target)
    with pytest.raises(SourceError) as caught:
        read_folder(folder)
    assert caught.value.message == f"the source's entry 'src/link' {TARGETS[target]}"


def test_links_inside_are_followed_through_folders_and_other_links(tmp_path: Path) -> None:
    folder = make(tmp_path / "Hello", **{"shared": b"2"})
    (folder / "src/run").symlink_to("../bin/run")
    (folder / "bin").mkdir()
    (folder / "bin/run").write_bytes(b"#!")
    (folder / "bin/run").chmod(0o755)
    (folder / "src/tools").symlink_to("../bin/")
    (folder / "src/again").symlink_to("tools/../src/tools/run")
    (folder / "src/shared").symlink_to("./../shared")
    run = Blob(b"#!", executable=True)
    assert read_folder(folder).files == {
        "bin/run": run,
        "shared": Blob(b"2"),
        "src/Hello.py": Blob(b"1"),
        "src/again": run,
        "src/run": run,
        "src/shared": Blob(b"2"),
        "src/tools/run": run,
    }


def test_links_that_multiply_are_stopped(tmp_path: Path) -> None:
    folder = make(tmp_path / "Hello")
    (folder / "l0").mkdir()
    (folder / "l0/x").write_bytes(b"x")
    for depth in range(1, 25):
        (folder / f"l{depth}").mkdir()
        for name in "ab":
            (folder / f"l{depth}/{name}").symlink_to(f"../l{depth - 1}")
    with pytest.raises(SourceError, match="more than 20000 entries"):
        read_folder(folder)


def test_links_through_links_that_multiply_are_stopped(tmp_path: Path) -> None:
    folder = make(tmp_path / "Hello")
    (folder / "l0").symlink_to("src")
    for depth in range(1, 12):
        (folder / f"l{depth}").symlink_to(f"l{depth - 1}/../" * 30 + "src")
    with pytest.raises(SourceError, match="too many links to links"):
        read_folder(folder)


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "real")
    (tmp_path / "Hello").symlink_to("real")
    with pytest.raises(SourceError, match="cannot be read"):
        read_folder(tmp_path / "Hello")


def test_a_fifo_is_refused_and_nobody_waits_for_it(tmp_path: Path) -> None:
    folder = make(tmp_path / "Hello")
    os.mkfifo(folder / "src/fifo")
    with pytest.raises(SourceError, match="'src/fifo' is not a regular file"):
        read_folder(folder)


def test_a_file_whose_size_the_system_does_not_tell_is_read_in_large_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "One.py").write_bytes(b"x" * 100_000)
    status, read = os.fstat, os.read
    reads: list[int] = []

    def counted(file: int, size: int) -> bytes:
        reads.append(size)
        return read(file, size)

    monkeypatch.setattr("os.fstat", lambda file: os.stat_result([*status(file)[:6], 0, *status(file)[7:]]))
    monkeypatch.setattr("os.read", counted)
    assert read_folder(tmp_path).files["src/One.py"].data == b"x" * 100_000
    assert len(reads) == 3


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make(tmp_path / "Hello")
    monkeypatch.chdir(folder)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("src/socket")
        with pytest.raises(SourceError, match="'src/socket' is not a regular file"):
            read_folder(folder)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"a\\b", "points outside the source"),
        (b"git~1", "is reserved by git"),
        (b".GIT", "is reserved by git"),
        (b"\xff", "has a character that is invisible or not text"),
        (b"a\x1b[2J", "has a character that is invisible or not text"),
        (b"HELLO.PY", "cannot be distinguished from 'src/HELLO.PY' on every file system"),
    ],
)
def test_names_keep_the_archives_rules(tmp_path: Path, name: bytes, reason: str) -> None:
    folder = make(tmp_path / "Hello")
    with open(os.path.join(os.fsencode(folder), b"src", name), "wb") as file:
        file.write(b"x")
    with pytest.raises(SourceError) as caught:
        read_folder(folder)
    assert caught.value.message.endswith(reason)


def test_limits_hold(tmp_path: Path) -> None:
    folder = make(tmp_path / "Hello", **{"src/x": b"x" * 100})
    assert len(read_folder(folder, ArchiveLimits(size=101)).files) == 2
    with pytest.raises(SourceError, match="is larger than 100 B"):
        read_folder(folder, ArchiveLimits(size=100))
    with pytest.raises(SourceError, match="more than 2 entries"):
        read_folder(folder, ArchiveLimits(entries=2))
    (folder / "src/a/b").mkdir(parents=True)
    with pytest.raises(SourceError, match="is deeper than 2 names"):
        read_folder(folder, ArchiveLimits(depth=2))


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read_folder(tmp_path / "Hello")
    assert caught.value.message == f"the source folder {tmp_path}/Hello cannot be read: No such file or directory"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SourceError, match="cannot be read"):
        read_folder(tmp_path / "file")


def test_an_empty_folder_has_no_src(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has no folder src at its top; there is: nothing"):
        read_folder(tmp_path)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    folder = make(tmp_path / "Hello")
    (folder / "src/link").symlink_to("x")
    gc.collect()  # files that other tests left open are not counted
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with pytest.raises(SourceError):
            read_folder(folder)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
