"""Names, types and modes of an archive's entries, with known attacks on each."""

from __future__ import annotations

import tarfile
import unicodedata

import pytest
from packing import SRC, extended, header, member, packed, raw, read, record, refusal, sealed

from algosync.core.error import SourceError
from algosync.core.text import printable
from algosync.core.tree import Blob

NFC, NFD = unicodedata.normalize("NFC", "src/é.py"), unicodedata.normalize("NFD", "src/é.py")
INVISIBLE = "has a character that is invisible or not text"
OUTSIDE = "points outside the source"
GIT = "is reserved by git"

NAMES = {
    "parent": ("../x", OUTSIDE),
    "parent-inside": ("a/../../x", OUTSIDE),
    "parent-last": ("src/..", OUTSIDE),
    "absolute": ("/tmp/x", OUTSIDE),
    "drive": ("C:\\x", OUTSIDE),
    "drive-with-slash": ("C:/x", OUTSIDE),
    "drive-inside": ("Hello/C:/x", OUTSIDE),
    "drive-alone": ("src/c:", OUTSIDE),
    "backslash-parent": ("..\\x", OUTSIDE),
    "backslash": ("src\\x", OUTSIDE),
    "empty-name": ("src//x", "is not a plain path"),
    "dot-inside": ("src/./x", "is not a plain path"),
    "escape": ("src/\x1b[2J", INVISIBLE),
    "newline": ("src/a\nb", INVISIBLE),
    "tab": ("src/a\tb", INVISIBLE),
    "bell": ("src/a\x07", INVISIBLE),
    "carriage-return": ("src/a\r", INVISIBLE),
    "terminal-link": ("src/\x1b]8;;http://x\x1b\\x", INVISIBLE),
    "byte-order-mark": ("src/\ufeffx", INVISIBLE),
    "delete": ("src/a\x7f", INVISIBLE),
    "c1-control": ("src/a\x9b2J", INVISIBLE),
    "right-to-left": ("src/a\u202eyp.exe", INVISIBLE),
    "isolate": ("src/a\u2066b", INVISIBLE),
    "zero-width": ("src/a\u200bb", INVISIBLE),
    "line-separator": ("src/a\u2028b", INVISIBLE),
    "surrogate": ("src/a\udc80b", INVISIBLE),
    "git": (".gIt/config", GIT),
    "git-upper": (".GIT/hooks/pre-push", GIT),
    "git-inside": ("src/.Git/config", GIT),
    "git-short": ("git~1/config", GIT),
    "git-short-upper": ("GIT~2", GIT),
    "git-dot": (".git./config", GIT),
    "git-space": (".git /config", GIT),
    "git-stream": (".git::$INDEX_ALLOCATION/config", GIT),
    "git-short-stream": ("src/git~1 .:x/config", GIT),
    "git-dotless": (".g\u0131t/config", GIT),
    "git-alone": (".gIT", GIT),
    "git-zero-width": (".gi\u200ct/config", INVISIBLE),
    "deep": ("/".join(["d"] * 33), "is deeper than 32 names"),
    "depth-500": ("/".join(["d"] * 500), "is deeper than 32 names"),
    "long": ("src/" + "n" * 300, "has a name of over 255 bytes"),
    "long-in-bytes": ("src/" + "é" * 128, "has a name of over 255 bytes"),
    "long-65000": ("n" * 65_000, "has a name of over 255 bytes"),
    "long-in-all": ("/".join(["n" * 250] * 5), "is longer than 1024 bytes"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_refused_and_shown(name: str) -> None:
    path, reason = NAMES[name]
    assert refusal(packed((path, b"x"))) == f"the source's entry '{printable(path, 200)}' {reason}"


def test_control_characters_in_a_message_are_visible() -> None:
    assert refusal(packed(("src/\x1b[2J\u202e", b"x"))) == f"the source's entry 'src/\\x1b[2J\\u202e' {INVISIBLE}"


WRITTEN = {
    "gnu-long-name": (extended(b"L", b"../x\0") + header(b"src/x"), "../x", OUTSIDE),
    "gnu-name-with-nul": (extended(b"L", b"src/y\0/../../x\0") + header(b"src/x"), "src/y\\x00/../../x", INVISIBLE),
    "gnu-name-not-utf-8": (extended(b"L", b"src/\xff\xfe\0") + header(b"src/x"), "src/\\udcff\\udcfe", INVISIBLE),
    "gnu-name-empty": (extended(b"L", b"\0") + header(b"src/x"), "", "is not a plain path"),
    "pax-path": (extended(b"x", record("path", "/etc/x")) + header(b"src/x"), "/etc/x", OUTSIDE),
    "pax-path-solaris": (extended(b"X", record("path", "/etc/x")) + header(b"src/x"), "/etc/x", OUTSIDE),
    "pax-path-empty": (extended(b"x", record("path", "")) + header(b"src/x"), "", "is not a plain path"),
    "pax-path-with-nul": (extended(b"x", record("path", "src/y\0")) + header(b"src/x"), "src/y\\x00", INVISIBLE),
    "pax-path-not-utf-8": (extended(b"x", record("path", b"src/\xff")) + header(b"src/x"), "src/\\udcff", INVISIBLE),
    "ustar-front": (header(b"x", front=b"../.."), "../../x", OUTSIDE),
    "ustar-front-absolute": (header(b"x", front=b"/etc"), "/etc/x", OUTSIDE),
    "not-utf-8": (header(b"src/\xc0\xae"), "src/\\udcc0\\udcae", INVISIBLE),
    "slash-behind-a-file": (header(b"src/x/"), "src/x/", "is not a plain path"),
    "the-root": (header(b"/", kind=b"5"), "/", OUTSIDE),
    "two-slashes-behind-a-folder": (header(b"src/d//", kind=b"5"), "src/d/", "is not a plain path"),
    "a-file-without-a-name": (header(b""), "", "is not a plain path"),
    "a-file-that-is-the-top": (header(b"./"), "", "is not a plain path"),
    "a-file-that-is-here": (header(b"."), ".", "is not a plain path"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_hostile_name_is_found_wherever_the_format_hides_it(name: str) -> None:
    blocks, shown, reason = WRITTEN[name]
    assert refusal(raw(blocks)) == f"the source's entry '{shown}' {reason}"


def _signed(block: bytes) -> bytes:
    """The header with a checksum of signed bytes. 50 bytes of the link target, which is unused, are negative as signed bytes."""
    block = block[:157] + b"\xff" * 50 + block[207:]
    return block[:148] + b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 256 - 256 * 50) + block[156:]


def test_a_name_that_goes_on_behind_its_length_is_refused() -> None:
    body = header(b"long", b"%011o\0" % 5, b"L") + b"src/y/../../x".ljust(512, b"\0")
    assert refusal(raw(body, header(b"src/x"))) == "the source archive is damaged: a header has data after its end"


TWO = {
    "gnu-gnu": extended(b"L", b"src/y\0") + extended(b"L", b"src/z\0"),
    "gnu-pax": extended(b"L", b"src/y\0") + extended(b"x", record("path", "src/z")),
    "pax-gnu": extended(b"x", record("path", "src/z")) + extended(b"L", b"src/y\0"),
    "pax-pax": extended(b"x", record("path", "src/z")) + extended(b"x", record("path", "src/y")),
    "in-one-pax": extended(b"x", record("path", "src/z") + record("path", "src/y")),
}


@pytest.mark.parametrize("name", TWO)
def test_two_names_for_one_entry_are_refused(name: str) -> None:
    """Readers differ in which of the two they use."""
    message = "the source archive gives two different values for one entry: path"
    assert refusal(raw(TWO[name], header(b"src/x"))) == message


HARMLESS = {
    "nul-inside-a-name": header(b"src/x\0/../../y"),
    "a-folder-with-a-size": header(b"src/d", b"00000007000\0", kind=b"5") + header(b"src/x"),
    "the-top-as-a-folder": header(b"./", kind=b"5") + header(b"./././src/x"),
    "a-link-target-for-a-file": extended(b"K", b"/etc/passwd\0") + header(b"src/x"),
    "linkpath-for-a-file": extended(b"x", record("linkpath", "/etc/passwd")) + header(b"src/x"),
    "an-owner-and-times": extended(b"x", record("uid", "-1") + record("mtime", "nan") + record("uname", "\x1b[2J"))
    + header(b"src/x"),
    "v7": sealed(header(b"src/x", kind=b"\0")[:257] + bytes(255)),
    "v7-folder": sealed(header(b"src/d/", kind=b"\0")[:257] + bytes(255)) + header(b"src/x"),
    "gnu-times-where-ustar-has-a-front": sealed(
        header(b"src/x")[:257] + b"ustar  \0".ljust(88, b"\0") + b"14000000000".ljust(167, b"\0")
    ),
    "signed-sum": _signed(header(b"src/x", kind=b"7")),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_odd_and_harmless_is_read_as_it_is(name: str) -> None:
    assert read(raw(HARMLESS[name])) == {SRC[0]: Blob(SRC[1]), "src/x": Blob(b"")}


@pytest.mark.parametrize("field", [slice(100, 108), slice(124, 136), slice(148, 156)], ids=["mode", "size", "sum"])
@pytest.mark.parametrize("text", [b"0x1", b"1_0", b"+7", b"8", b"-", b"\0001", b"1 1", b"\xb2"])
def test_a_field_that_is_no_number_is_damage(field: slice, text: bytes) -> None:
    block = bytearray(header(b"src/x"))
    block[field] = text.ljust(field.stop - field.start, b"\0")
    sum_is_kept = field.start == 148
    assert (
        refusal(raw(bytes(block) if sum_is_kept else sealed(bytes(block))))
        == "the source archive is damaged or cut off inside its tar"
    )


PAX = {
    "no-length": b"path=src/y\n",
    "length-zero": b"0 path=src/y\n",
    "length-too-short": b"5 path=src/y\n",
    "length-too-long": b"99 path=src/y\n",
    "length-negative": b"-14 path=src/y\n",
    "length-huge": b"99999999999 path=src/y\n",
    "no-equals": b"11 pathsrc\n",
    "no-line-end": b"14 path=src/yx",
    "no-key": b"5 =x\n",
    "behind-the-last": record("comment", "x") + b"x",
}


@pytest.mark.parametrize("name", PAX)
def test_a_pax_header_that_cannot_be_read_is_damage(name: str) -> None:
    message = "the source archive is damaged: a pax header cannot be read"
    assert refusal(raw(extended(b"x", PAX[name]), header(b"src/x"))) == message


@pytest.mark.parametrize("key", ["path", "size", "GNU.sparse.name", "GNU.sparse.map"])
def test_a_global_header_that_speaks_of_every_file_is_refused(key: str) -> None:
    message = "the source archive sets a name or size for all of its files"
    assert refusal(raw(extended(b"g", record(key, "1")), header(b"src/x"))) == message


@pytest.mark.parametrize("kind", [b"L", b"K", b"x"])
def test_an_announcement_without_a_file_is_refused(kind: bytes) -> None:
    body = record("comment", "x") if kind == b"x" else b"src/y\0"
    assert refusal(raw(extended(kind, body))) == "the source archive ends before a file that it announces"


@pytest.mark.parametrize("name", ["git", "absolute", "escape", "deep"])
def test_a_hostile_folder_is_refused_as_a_file_is(name: str) -> None:
    path, reason = NAMES[name]
    with pytest.raises(SourceError, match=reason):
        read(packed((member(path, kind=tarfile.DIRTYPE), b"")))


KINDS = {
    "symlink-outside": (
        member("src/x", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        "is a link to '/etc/passwd', which is outside the source",
    ),
    "symlink-nowhere": (member("src/x", kind=tarfile.SYMTYPE, link="y"), "is a link to 'y', which is not in the source"),
    "hard-link-outside": (
        member("src/x", kind=tarfile.LNKTYPE, link="/etc/passwd"),
        "is a hard link to '/etc/passwd', which does not come before it",
    ),
    "fifo": (member("src/x", kind=tarfile.FIFOTYPE), "is a FIFO"),
    "character-device": (member("src/x", kind=tarfile.CHRTYPE), "is a device"),
    "block-device": (member("src/x", kind=tarfile.BLKTYPE), "is a device"),
    "unknown": (member("src/x", kind=b"Q"), "is of an unknown type"),
    "sparse": (member("src/x", kind=tarfile.GNUTYPE_SPARSE), "is a sparse file"),
    "dumped-folder": (member("src/x", kind=b"D"), "is of an unknown type"),
    "part-of-a-volume": (member("src/x", kind=b"M"), "is of an unknown type"),
    "volume-name": (member("src/x", kind=b"V"), "is of an unknown type"),
    "access-list": (member("src/x", kind=b"A"), "is of an unknown type"),
    "kind-of-a-vendor": (member("src/x", kind=b"Z"), "is of an unknown type"),
    "kind-not-ascii": (member("src/x", kind=b"\xff"), "is of an unknown type"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_other_entries_than_files_folders_and_links_inside_are_refused(kind: str) -> None:
    info, reason = KINDS[kind]
    with pytest.raises(SourceError) as caught:
        read(packed((info, b"")))
    assert caught.value.message == f"the source's entry 'src/x' {reason}"


@pytest.mark.parametrize("key", ["GNU.sparse.major", "GNU.sparse.numblocks", "GNU.sparse.map", "GNU.sparse.realsize"])
def test_a_sparse_file_in_pax_format_is_refused(key: str) -> None:
    """Versions 1.0, 0.0 and 0.1, and an unknown one."""
    assert refusal(raw(extended(b"x", record(key, "1")), header(b"src/x"))) == "the source's entry 'src/x' is a sparse file"


def test_the_chain_of_links_of_cve_2025_4517_is_refused() -> None:
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
    assert caught.value.message == "the source's entry 'a' is both a file and a folder"


LINK, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE
CHAINS: dict[str, tuple[list[tarfile.TarInfo | tuple[str, bytes]], str]] = {
    "a-folder-replaced-by-a-link": (
        [member("src/d", kind=tarfile.DIRTYPE), member("src/d", kind=LINK, link="/tmp"), member("src/d/x")],
        "'src/d' is both a file and a folder",
    ),
    "a-file-through-a-link": (
        [member("src/d", kind=LINK, link="/tmp"), member("src/d/x")],
        "'src/d' is both a file and a folder",
    ),
    "a-hard-link-to-a-later-link": (
        [member("src/l", kind=HARD, link="src/k"), member("src/k", kind=LINK, link="/etc/passwd")],
        "'src/l' is a hard link to 'src/k', which does not come before it",
    ),
    "a-hard-link-to-a-link": (
        [member("src/k", kind=LINK, link="/etc/passwd"), member("src/l", kind=HARD, link="src/k")],
        "'src/k' is a link to '/etc/passwd', which is outside the source",
    ),
    "a-hard-link-twice": (
        [member("src/l", kind=HARD, link=SRC[0]), member("src/l")],
        "'src/l' occurs twice",
    ),
    "a-link-to-itself": ([member("src/l", kind=LINK, link="l")], "'src/l' is a link to 'l', which is not in the source"),
    "a-link-named-as-the-module": ([member("src/Hello.py", kind=LINK, link="/etc/passwd")], "'src/Hello.py' occurs twice"),
    "a-link-without-a-target": ([member("src/l", kind=LINK)], "'src/l' is a link to a folder that contains it"),
    "an-ignored-file-taken-back-twice": (
        [(".algosyncignore", b"!*.pyc\n"), ("src/x.pyc", b"1"), ("src/x.pyc", b"2")],
        "'src/x.pyc' occurs twice",
    ),
    "an-ignored-path-taken-back": (
        [(".algosyncignore", b"!__pycache__\n"), ("src/__pycache__/../x", b"1")],
        "'src/__pycache__/../x' points outside the source",
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_links_lead_nowhere(name: str) -> None:
    entries, message = CHAINS[name]
    assert (
        refusal(packed(*(entry if isinstance(entry, tuple) else (entry, b"") for entry in entries)))
        == f"the source's entry {message}"
    )


def test_links_inside_are_followed() -> None:
    long = "src/" + "n" * 120
    entries = [
        (member(long, b"x", mode=0o755), b"x"),
        (member("src/hard", kind=HARD, link=f"./{long}"), b""),
        (member("src/soft", kind=LINK, link="hard"), b""),
    ]
    same = Blob(b"x", executable=True)
    assert read(packed(*entries)) == {SRC[0]: Blob(SRC[1]), long: same, "src/hard": same, "src/soft": same}


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
    "twice": ("src/Hello.py", "occurs twice"),
    "case": ("src/hello.py", "cannot be distinguished from 'src/Hello.py' on every file system"),
    "case-of-a-folder": ("SRC/other.py", "cannot be distinguished from 'src' on every file system"),
    "file-as-folder": ("src/Hello.py/x", "is both a file and a folder"),
    "folder-as-file": ("src", "is both a file and a folder"),
}


@pytest.mark.parametrize("clash", CLASHES)
def test_names_that_clash_are_refused(clash: str) -> None:
    path, reason = CLASHES[clash]
    with pytest.raises(SourceError) as caught:
        read(packed((path, b"x")))
    assert caught.value.message.endswith(f"' {reason}")


PAIRS = {
    "composition": (NFC, NFD),
    "composition-of-folders": (f"{NFC}/a", f"{NFD}/b"),
    "case-of-folders": ("src/a/x", "src/A/y"),
    "case-of-other-letters": ("src/Ж", "src/ж"),
    "sharp-s": ("src/straße", "src/STRASSE"),
    "kelvin": ("src/k", "src/\u212a"),
    "sigma": ("src/\u03c3", "src/\u03c2"),
    "composition-and-case": ("src/é", "src/E\u0301"),
    "order-of-accents": ("src/q\u0307\u0323", "src/q\u0323\u0307"),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_names_that_some_file_system_takes_for_the_same_are_refused(pair: str) -> None:
    first, second = PAIRS[pair]
    assert first != second
    assert "cannot be distinguished from" in refusal(packed((first, b"1"), (second, b"2")))


@pytest.mark.parametrize(
    "path", ["CON", "src/NUL.txt", "a:b", "src/a.", "src/a ", "src/~x", "src/-rf", "src/*", "%00", "src/\u00e4\u7a7a"]
)
def test_names_that_only_some_systems_dislike_are_taken(path: str) -> None:
    assert read(packed((path, b"x"))) == {SRC[0]: Blob(SRC[1]), path: Blob(b"x")}


@pytest.mark.parametrize("path", [".gitmodules", ".gitattributes", ".gitignore", "src/.gitkeep", "git", "x.git", ".github/x"])
def test_git_s_own_files_are_taken_as_they_are(path: str) -> None:
    assert read(packed((path, b"* text eol=crlf\r\n")))[path] == Blob(b"* text eol=crlf\r\n")
