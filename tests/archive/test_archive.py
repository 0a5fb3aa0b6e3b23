"""Every row of the attack catalogue for source archives, made by code, and the archives that people really make."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import shutil
import subprocess
import tarfile
import time
import tracemalloc
import unicodedata
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import pytest

from algosync.cluster.archive import Limits, read_archive
from algosync.core.error import SourceError
from algosync.core.tree import Blob

if TYPE_CHECKING:
    from pathlib import Path

Member: TypeAlias = "tuple[tarfile.TarInfo, bytes] | tuple[str, bytes]"

SRC = ("src/Hello.py", b"def apply(input):\n    return input\n")


def member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, mode: int = 0o644, link: str = ""
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode, link, len(data)
    info.pax_headers = {}
    return info


def tar(*members: Member, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, errors="surrogateescape") as archive:
        for info, data in members:
            entry = info if isinstance(info, tarfile.TarInfo) else member(info, data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def packed(*members: Member) -> bytes:
    return gzip.compress(tar(SRC, *members))


def header(name: bytes, size: bytes = b"00000000000\0", kind: bytes = b"0") -> bytes:
    """A ustar header with whatever in it, and a right checksum."""
    fields = [name.ljust(100, b"\0"), b"0000644\0", b"0000000\0" * 2, size, b"00000000000\0", b" " * 8, kind]
    block = b"".join(fields).ljust(257, b"\0") + b"ustar\x0000"
    block = block.ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def read(data: bytes, limits: Limits | None = None) -> dict[str, Blob]:
    return read_archive(io.BytesIO(data), limits or Limits())


def base256(number: int) -> bytes:
    return b"\x80" + number.to_bytes(11, "big") if number >= 0 else (number % (1 << 96)).to_bytes(12, "big")


NFC, NFD = unicodedata.normalize("NFC", "src/é.py"), unicodedata.normalize("NFD", "src/é.py")
INVISIBLE = "has a character that is invisible or not text"
OUTSIDE = "points outside the source"
GIT = "would be git's own"

NAMES = {
    "parent": ("../x", OUTSIDE),
    "parent-inside": ("a/../../x", OUTSIDE),
    "parent-last": ("src/..", OUTSIDE),
    "absolute": ("/tmp/x", OUTSIDE),
    "drive": ("C:\\x", OUTSIDE),
    "drive-with-slash": ("C:/x", OUTSIDE),
    "backslash-parent": ("..\\x", OUTSIDE),
    "backslash": ("src\\x", OUTSIDE),
    "empty-name": ("src//x", "is not a plain path"),
    "dot-inside": ("src/./x", "is not a plain path"),
    "escape": ("src/\x1b[2J", INVISIBLE),
    "newline": ("src/a\nb", INVISIBLE),
    "delete": ("src/a\x7f", INVISIBLE),
    "c1-control": ("src/a\x9b2J", INVISIBLE),
    "right-to-left": ("src/a\u202eyp.exe", INVISIBLE),
    "isolate": ("src/a\u2066b", INVISIBLE),
    "zero-width": ("src/a\u200bb", INVISIBLE),
    "line-separator": ("src/a\u2028b", INVISIBLE),
    "surrogate": ("src/a\udc80b", INVISIBLE),
    "git": (".git/config", GIT),
    "git-upper": (".GIT/hooks/pre-push", GIT),
    "git-inside": ("src/.Git/config", GIT),
    "git-short": ("git~1/config", GIT),
    "git-short-upper": ("GIT~2", GIT),
    "git-dot": (".git./config", GIT),
    "git-space": (".git /config", GIT),
    "git-zero-width": (".gi\u200ct/config", INVISIBLE),
    "deep": ("/".join(["d"] * 33), "is deeper than 32 names"),
    "depth-500": ("/".join(["d"] * 500), "is deeper than 32 names"),
    "long": ("src/" + "n" * 300, "has a name of over 255 bytes"),
    "long-in-bytes": ("src/" + "é" * 128, "has a name of over 255 bytes"),
    "long-65000": ("n" * 65_000, "has a name of over 255 bytes"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_refused_and_shown(name: str) -> None:
    path, reason = NAMES[name]
    with pytest.raises(SourceError) as caught:
        read(packed((path, b"x")))
    assert caught.value.message.startswith("the source's entry '")
    assert caught.value.message.endswith(f"' {reason}")
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("name", ["git", "absolute", "escape", "deep"])
def test_a_hostile_folder_is_refused_as_a_file_is(name: str) -> None:
    path, reason = NAMES[name]
    with pytest.raises(SourceError, match=reason):
        read(packed((member(path, kind=tarfile.DIRTYPE), b"")))


KINDS = {
    "symlink-outside": (member("src/x", kind=tarfile.SYMTYPE, link="/etc/passwd"), "is a symbolic link"),
    "symlink-inside": (member("src/x", kind=tarfile.SYMTYPE, link="Hello.py"), "is a symbolic link"),
    "hard-link": (member("src/x", kind=tarfile.LNKTYPE, link="src/Hello.py"), "is a hard link"),
    "fifo": (member("src/x", kind=tarfile.FIFOTYPE), "is a FIFO"),
    "character-device": (member("src/x", kind=tarfile.CHRTYPE), "is a device"),
    "block-device": (member("src/x", kind=tarfile.BLKTYPE), "is a device"),
    "unknown": (member("src/x", kind=b"Q"), "is of an unknown type"),
    "sparse": (member("src/x", kind=tarfile.GNUTYPE_SPARSE), "is a sparse file"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_plain_files_and_folders_are_taken(kind: str) -> None:
    info, reason = KINDS[kind]
    with pytest.raises(SourceError) as caught:
        read(packed((info, b"")))
    assert caught.value.message == f"the source's entry 'src/x' {reason}"


def test_a_sparse_file_in_pax_format_is_refused() -> None:
    info = member("src/x", b"data")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "src/y"}
    with pytest.raises(SourceError, match="'src/x' is a sparse file"):
        read(packed((info, b"data")))


def test_the_chain_of_links_of_cve_2025_4517_is_refused_at_its_first_link() -> None:
    deep = "d" * 247
    entries: list[tuple[tarfile.TarInfo, bytes]] = []
    path = ""
    for step in "abcdefghijklmnop":
        entries.append((member(path + deep, kind=tarfile.DIRTYPE), b""))
        entries.append((member(path + step, kind=tarfile.SYMTYPE, link=deep), b""))
        path += f"{step}/"
    entries.append((member("escape", kind=tarfile.SYMTYPE, link=path + "../" * 17 + "etc"), b""))
    entries.append((member("escape/owned", b"x"), b"x"))
    with pytest.raises(SourceError) as caught:
        read(packed(*entries))
    assert caught.value.message == "the source's entry 'a' is a symbolic link"


def test_a_folder_replaced_by_a_link_is_refused() -> None:
    link = member("src/d", kind=tarfile.SYMTYPE, link="/tmp")
    with pytest.raises(SourceError, match="is a symbolic link"):
        read(packed((member("src/d", kind=tarfile.DIRTYPE), b""), (link, b""), ("src/d/x", b"x")))


@pytest.mark.parametrize(
    ("mode", "executable"),
    [
        (0o644, False),
        (0o755, True),
        (0o4755, True),
        (0o2755, True),
        (0o666, False),
        (0o6777, True),
        (0, False),
        (0o011, False),
    ],
)
def test_of_a_mode_only_the_owner_s_execute_bit_counts(mode: int, executable: bool) -> None:
    info = member("src/x", b"x", mode=mode)
    info.uid, info.gid, info.uname = 2**31, 2**31, "root"
    assert read(packed((info, b"x")))["src/x"] == Blob(b"x", executable)


@pytest.mark.parametrize("mtime", [253402300799 * 100, -(10**9), 0])
def test_times_are_ignored(mtime: int) -> None:
    info = member("src/x", b"x")
    info.mtime = mtime
    assert read(packed((info, b"x")))["src/x"] == Blob(b"x")


CLASHES = {
    "twice": ("src/Hello.py", "is there twice"),
    "case": ("src/hello.py", "cannot be told from 'src/Hello.py' on every file system"),
    "case-of-a-folder": ("SRC/other.py", "cannot be told from 'src' on every file system"),
    "file-as-folder": ("src/Hello.py/x", "is a file and a folder at once"),
    "folder-as-file": ("src", "is a file and a folder at once"),
}


@pytest.mark.parametrize("clash", CLASHES)
def test_names_that_clash_are_refused(clash: str) -> None:
    path, reason = CLASHES[clash]
    with pytest.raises(SourceError) as caught:
        read(packed((path, b"x")))
    assert caught.value.message.endswith(f"' {reason}")


def test_names_that_differ_in_composition_only_are_refused() -> None:
    assert NFC != NFD
    with pytest.raises(SourceError, match="cannot be told from"):
        read(packed((NFC, b"1"), (NFD, b"2")))


@pytest.mark.parametrize(
    "path", ["CON", "src/NUL.txt", "a:b", "src/a.", "src/a ", "src/~x", "src/-rf", "src/*", "%00", "src/\u00e4\u7a7a"]
)
def test_names_that_only_some_systems_dislike_are_taken(path: str) -> None:
    assert read(packed((path, b"x"))) == {SRC[0]: Blob(SRC[1]), path: Blob(b"x")}


@pytest.mark.parametrize(
    "path", [".gitmodules", ".gitattributes", ".gitignore", "src/.gitkeep", "git", "x.git", ".github/x"]
)
def test_git_s_own_files_are_taken_as_they_are(path: str) -> None:
    assert read(packed((path, b"* text eol=crlf\r\n")))[path] == Blob(b"* text eol=crlf\r\n")


SIZES = {
    "negative": (base256(-1), "a size is negative"),
    "very-negative": (base256(-(2**63)), "a size is negative"),
    "negative-octal": (b"-0000000001\0", "a size is negative"),
    "2-63": (base256(2**63), "is larger than"),
    "over-the-limit": (base256(2**40), "is larger than"),
    "over-the-stream": (b"00000010000\0", "is cut off"),
    "no-number": (b"zzzzzzzzzzz\0", "is damaged"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [b"0", b"x", b"L", b"g"])
def test_an_impossible_size_is_refused_at_once(size: str, kind: bytes) -> None:
    field, reason = SIZES[size]
    data = gzip.compress(tar(SRC)[:1024] + header(b"src/x", field, kind) + b"x" * 512)
    started = time.monotonic()
    with pytest.raises(
        SourceError, match=reason if kind == b"0" or size in ("over-the-stream", "no-number") else "a header of"
    ):
        read(data)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("size", ["-1", "", "1e3", "9" * 19, " 1", "0x10", "٣"])
def test_an_impossible_size_in_a_pax_header_is_refused(size: str) -> None:
    info = member("src/x", b"x")
    info.pax_headers = {"size": size}
    with pytest.raises(SourceError, match=r"a size is no number|is larger than"):
        read(packed((info, b"x")))


def test_a_size_in_a_pax_header_is_the_one_that_counts() -> None:
    record = b"12 size=700\n"
    extension = header(b"pax", b"%011o\0" % len(record), b"x") + record.ljust(512, b"\0")
    data = tar(SRC)[:1024] + extension + header(b"src/x") + b"y" * 700 + bytes(324) + bytes(1024)
    assert read(gzip.compress(data))["src/x"] == Blob(b"y" * 700)


def _bomb(size: int) -> bytes:
    """A tar whose one file is so many zeros, compressed a thousand times."""
    engine, out = zlib.compressobj(9, wbits=31), []
    out.append(engine.compress(tar(SRC)[:1024] + header(b"src/x", base256(size))))
    out.extend(engine.compress(bytes(1 << 20)) for _ in range(size >> 20))
    out.append(engine.compress(bytes(1024)))
    return b"".join([*out, engine.flush()])


def test_a_bomb_is_refused_early_and_in_little_memory() -> None:
    data = _bomb(200 << 20)
    assert len(data) < 1 << 20
    tracemalloc.start()
    started = time.monotonic()
    with pytest.raises(SourceError, match="unpacks to more than 200 times its size"):
        read(data)
    assert time.monotonic() - started < 2
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def test_a_source_beyond_the_limit_is_refused_before_it_is_read() -> None:
    data = gzip.compress(tar(SRC, ("src/x", bytes(range(256)) * 8192)), 1)
    with pytest.raises(SourceError, match="is larger than"):
        read(data, Limits(size=1 << 20))
    assert len(read(data, Limits(size=4 << 20))["src/x"].data) == 2 << 20


def test_a_stream_larger_than_the_limit_is_refused_even_if_nothing_comes_of_it() -> None:
    empty = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0\0\0\xff\xff" * 500_000  # stored blocks of length nothing
    with pytest.raises(SourceError, match="is larger than"):
        read(empty, Limits(size=1 << 20))


def test_a_header_of_fifty_megabytes_is_refused() -> None:
    info = member("src/x", b"x")
    info.pax_headers = {"comment": "x" * (50 << 20)}
    data = packed((info, b"x"))
    assert len(data) < 100_000
    with pytest.raises(SourceError, match="a header of"):
        read(data)


def test_a_gzip_in_a_gzip_is_no_tar() -> None:
    with pytest.raises(SourceError) as caught:
        read(gzip.compress(packed()))
    assert caught.value.message.startswith("the source archive is gzip, but holds no tar (starts with '\\x1f")


def test_gzip_members_one_after_another_are_one_stream() -> None:
    whole = tar(SRC, ("src/x", b"x" * 3000))
    data = b"".join(gzip.compress(whole[place : place + 700]) for place in range(0, len(whole), 700))
    assert read(data) == {SRC[0]: Blob(SRC[1]), "src/x": Blob(b"x" * 3000)}


def test_too_many_gzip_members_are_refused() -> None:
    with pytest.raises(SourceError, match="too many gzip members"):
        read(gzip.compress(tar(SRC)[:512]) + gzip.compress(b"") * 20_001)


ENDINGS = {
    "garbage-behind-gzip": (lambda data: data + b"garbage", "something else behind its end"),
    "half-a-member-behind": (lambda data: data + b"\x1f\x8b\x08", "is cut off"),
    "garbage-behind-tar": (lambda data: gzip.compress(gzip.decompress(data) + b"x"), "something else behind its end"),
    "no-end-mark": (lambda data: gzip.compress(tar(SRC)[:1024]), "damaged or cut off"),
    "half-an-end-mark": (lambda data: gzip.compress(tar(SRC)[:1024] + bytes(100)), "damaged or cut off"),
    "cut-in-a-file": (lambda data: gzip.compress(tar(SRC)[:520]), "is cut off"),
    "cut-in-padding": (lambda data: gzip.compress(tar(SRC)[:1000]), "is cut off"),
    "cut-in-a-header": (lambda data: gzip.compress(tar(SRC)[:1100]), "damaged or cut off"),
    "wrong-checksum-of-gzip": (lambda data: data[:-8] + b"\0\0\0\0" + data[-4:], "damaged data"),
    "wrong-length-of-gzip": (lambda data: data[:-4] + b"\0\0\0\0", "damaged data"),
    "a-damaged-second-header": (lambda data: gzip.compress(tar(SRC)[:1024] + b"\x01" * 512 + bytes(1024)), "damaged"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_that_does_not_end_as_it_should_is_refused(ending: str) -> None:
    make, reason = ENDINGS[ending]
    with pytest.raises(SourceError, match=reason):
        read(make(packed()))


@pytest.mark.parametrize(
    "data", [packed() + bytes(1000), gzip.compress(tar(SRC) + bytes(9000)), gzip.compress(tar(SRC)[:1536])]
)
def test_zeros_behind_the_end_are_padding(data: bytes) -> None:
    assert read(data) == {SRC[0]: Blob(SRC[1])}


def test_every_truncation_is_noticed() -> None:
    data = packed(("src/x", bytes(range(256))), ("requirements.txt", b"numpy\n"))
    for length in range(len(data)):
        with pytest.raises(SourceError):
            read(data[:length])


def test_too_many_entries_are_refused_early() -> None:
    one = gzip.compress(b"".join(header(b"src/%d" % number) for number in range(20_001)))
    started = time.monotonic()
    with pytest.raises(SourceError, match="more than 20000 entries"):
        read(one)
    assert time.monotonic() - started < 4


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
    "tar": (tar(SRC), "the source archive is not a tar.gz (a tar that is not compressed)"),
    "gzip-of-text": (gzip.compress(b"hello"), "the source archive is gzip, but holds no tar (starts with 'hello')"),
    "gzip-of-nothing": (gzip.compress(b""), "the source archive is gzip, but holds no tar (starts with '')"),
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
        assert read_archive(file) == files


@pytest.mark.skipif(not shutil.which("tar"), reason="there is no tar binary here")
@pytest.mark.parametrize("kind", ["gnu", "oldgnu", "pax", "posix"])
@pytest.mark.parametrize("what", [["."], ["*"], ["--transform=s,^\\./,Hello/,", "."]])
def test_what_the_tar_binary_packs_is_read(tmp_path: Path, kind: str, what: list[str]) -> None:
    _write(tmp_path / "in", FILES)
    names = what if what != ["*"] else sorted(path.name for path in (tmp_path / "in").iterdir())
    command = ["tar", "-czf", str(tmp_path / "x.tar.gz"), f"--format={kind}", "-C", str(tmp_path / "in"), *names]
    subprocess.run(command, check=True)
    with (tmp_path / "x.tar.gz").open("rb") as file:
        assert read_archive(file) == FILES


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git binary here")
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
            with pytest.raises(SourceError, match="all of its files at once"):
                read(data)


def test_what_the_stream_itself_raises_comes_through() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        read_archive(Broken())


def test_a_stream_that_gives_a_byte_at_a_time_is_read() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(1, size or 0))

    assert read_archive(Slow(packed(("src/x", b"x")))) == {SRC[0]: Blob(SRC[1]), "src/x": Blob(b"x")}


def _seeds() -> list[bytes]:
    entries = [
        SRC,
        ("requirements.txt", b"numpy\n"),
        ("src/" + "n" * 150, b"long"),
        (member("src/d", kind=tarfile.DIRTYPE), b""),
    ]
    formats = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
    return [tar(*(entries[:2] if f == tarfile.USTAR_FORMAT else entries), form=f) for f in formats]


def _mutated(data: bytes, chance: random.Random) -> bytes:
    body = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(body))
        match chance.randrange(5):
            case 0:
                body[place] = chance.randrange(256)
            case 1:
                del body[place : place + chance.randrange(1, 600)]
            case 2:
                body[place:place] = chance.randbytes(chance.randrange(1, 9))
            case 3:
                block = place // 512 * 512
                body[block:block] = body[: 512 * chance.randrange(1, 4)]
            case _:
                block = place // 512 * 512
                body[block + 124 : block + 136] = base256(chance.randrange(-(2**64), 2**64))
        if not body:
            return b"\0"
    return bytes(body)


def _resealed(body: bytes, chance: random.Random) -> bytes:
    """With right checksums again, so that mutations get past the first look."""
    blocks = [body[place : place + 512] for place in range(0, len(body), 512)]
    for index, block in enumerate(blocks):
        if len(block) == 512 and block[257:262] == b"ustar" and chance.random() < 0.9:
            blank = block[:148] + b" " * 8 + block[156:]
            blocks[index] = block[:148] + b"%06o\0 " % sum(blank) + block[156:]
    return b"".join(blocks)


@pytest.mark.parametrize("seed", range(6))
def test_mutated_archives_raise_nothing_but_source_errors(seed: int) -> None:
    """1000 mutations for each seed: of the tar, resealed, and of the gzip around it."""
    chance = random.Random(seed)
    tars = _seeds()
    taken = refused = 0
    for _ in range(1000):
        data = gzip.compress(_resealed(_mutated(chance.choice(tars), chance), chance), 1)
        if chance.random() < 0.2:
            data = _mutated(data, chance)
        try:
            files = read(data)
        except SourceError as error:
            refused += 1
            assert error.message.isprintable()  # noqa: PT017  # that it may be refused is the point
        else:
            taken += 1
            assert all(".." not in path.split("/") and not path.startswith("/") for path in files)
    assert taken > 10
    assert refused > 500


def test_limits_are_what_they_say() -> None:
    deep = "/".join(["src", *["d"] * 31])
    longest = "src/" + "n" * 255
    assert set(read(packed((deep, b""), (longest, b"")))) == {SRC[0], deep, longest}
    few = replace(Limits(), entries=2)
    assert len(read(packed(("src/x", b"")), few)) == 2
    with pytest.raises(SourceError, match="more than 2 entries"):
        read(packed(("src/x", b""), ("src/y", b"")), few)
