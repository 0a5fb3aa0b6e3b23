"""Archives of common tools are read, and files of other formats are named in the refusal."""

from __future__ import annotations

import bz2
import gzip
import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from packing import SRC, member, packed, read, tar

from algosync.core.error import SourceError
from algosync.core.tree import Blob
from algosync.sources.archive import read_archive

WRONG = {
    "nothing": (b"", "the source archive is empty"),
    "html": (
        b"<html><head><title>Log in</title>",
        "the source archive is not a tar.gz (starts with '<html><head><title>Log i')",
    ),
    "text": (b"hello", "the source archive is not a tar.gz (starts with 'hello')"),
    "terminal": (b"\x1b[2J", "the source archive is not a tar.gz (starts with '\\x1b[2J')"),
    "zip": (b"PK\x03\x04....", "the source archive is not a tar.gz (a zip archive)"),
    "bzip2": (bz2.compress(tar(SRC)), "the source archive is not a tar.gz (compressed with bzip2)"),
    "tar": (tar(SRC), "the source archive is not a tar.gz (an uncompressed tar)"),
    "gzip-of-text": (gzip.compress(b"hello"), "the source archive is gzip, but does not contain a tar (starts with 'hello')"),
    "gzip-of-nothing": (gzip.compress(b""), "the source archive is gzip, but does not contain a tar (starts with '')"),
    "empty-tar": (gzip.compress(tar()), "the source has no folder src at its top; there is: nothing"),
    "no-src": (gzip.compress(tar(("a/b", b""))), "the source has no folder src at its top; there is: a"),
    "two-tops": (
        gzip.compress(tar(("a/src/x", b""), ("b", b""))),
        "the source has no folder src at its top; there is: a, b",
    ),
    "src-a-file": (gzip.compress(tar(("src", b""))), "the source has no folder src at its top; there is: src"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_says_what_it_is(wrong: str) -> None:
    data, message = WRONG[wrong]
    with pytest.raises(SourceError) as caught:
        read(data)
    assert caught.value.message == message


FILES = {
    "requirements.txt": Blob(b"numpy\n"),
    "src/Hello.py": Blob(b"def apply(input):\n    return 1\n"),
    "src/run.sh": Blob(b"#!/bin/sh\n", executable=True),
    "src/data.bin": Blob(bytes(range(256)) * 40),
    "src/" + "/".join(["folder"] * 20) + "/deep.txt": Blob(b"deep"),
    "src/" + "n" * 200 + "/" + "m" * 200: Blob(b"long"),
    "src/ünïcode/空.txt": Blob(b"unicode"),
    "empty": Blob(b""),
}


def _write(folder: Path, files: dict[str, Blob]) -> None:
    for path, blob in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(blob.data)
        (folder / path).chmod(0o755 if blob.executable else 0o644)


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_python_packs_is_read(tmp_path: Path, kind: int) -> None:
    files = {k: v for k, v in FILES.items() if kind != tarfile.USTAR_FORMAT or len(k) < 150}
    _write(tmp_path / "in", files)
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz", format=kind) as archive:
        archive.add(tmp_path / "in", ".")
    with (tmp_path / "x.tar.gz").open("rb") as file:
        assert read_archive(file).files == files


@pytest.mark.needs("tar")
@pytest.mark.parametrize("kind", ["gnu", "oldgnu", "pax", "posix"])
@pytest.mark.parametrize("what", [["."], ["*"], ["--transform=s,^\\./,Hello/,", "."]])
def test_what_the_tar_binary_packs_is_read(tmp_path: Path, kind: str, what: list[str]) -> None:
    _write(tmp_path / "in", FILES)
    names = what if what != ["*"] else sorted(path.name for path in (tmp_path / "in").iterdir())
    command = ["tar", "-czf", str(tmp_path / "x.tar.gz"), f"--format={kind}", "-C", str(tmp_path / "in"), *names]
    subprocess.run(command, check=True)
    with (tmp_path / "x.tar.gz").open("rb") as file:
        assert read_archive(file).files == FILES


@pytest.mark.needs("git")
def test_what_git_archive_packs_is_read(tmp_path: Path) -> None:
    _write(tmp_path / "in", FILES)
    git = ["git", "-c", "user.name=a", "-c", "user.email=b"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "1"]):
        subprocess.run([*git, *command], cwd=tmp_path / "in", check=True)
    done = subprocess.run(
        [*git, "archive", "--format=tar.gz", "--prefix=Hello/", "HEAD"], cwd=tmp_path / "in", check=True, stdout=-1
    )
    assert read(done.stdout) == FILES


def test_a_folder_packed_around_src_is_stripped() -> None:
    data = gzip.compress(tar(("Hello/src/Hello.py", b"1"), ("Hello/requirements.txt", b"2")))
    assert read(data) == {"src/Hello.py": Blob(b"1"), "requirements.txt": Blob(b"2")}
    kept = gzip.compress(tar(("src/src/Hello.py", b"1")))
    assert read(kept) == {"src/src/Hello.py": Blob(b"1")}


def test_a_global_header_may_comment_and_no_more() -> None:
    for key, fine in (("comment", True), ("path", False), ("size", False)):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={key: "1"}) as archive:
            archive.addfile(member(*SRC), io.BytesIO(SRC[1]))
        data = gzip.compress(out.getvalue())
        if fine:
            assert read(data) == {SRC[0]: Blob(SRC[1])}
        else:
            with pytest.raises(SourceError, match="for all of its files"):
                read(data)


def test_what_the_stream_itself_raises_comes_through() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        read_archive(Broken())


def test_a_stream_that_gives_a_byte_at_a_time_is_read() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(1, size or 0))

    assert read_archive(Slow(packed(("src/x", b"x")))).files == {SRC[0]: Blob(SRC[1]), "src/x": Blob(b"x")}
