"""Names, kinds and modes of an archive's entries: every row of the attack catalogue that is about them."""

from __future__ import annotations

import tarfile
import unicodedata

import pytest
from packing import SRC, member, packed, read

from algosync.core.error import SourceError
from algosync.core.tree import Blob

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


@pytest.mark.parametrize("path", [".gitmodules", ".gitattributes", ".gitignore", "src/.gitkeep", "git", "x.git", ".github/x"])
def test_git_s_own_files_are_taken_as_they_are(path: str) -> None:
    assert read(packed((path, b"* text eol=crlf\r\n")))[path] == Blob(b"* text eol=crlf\r\n")
