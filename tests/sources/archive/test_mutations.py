"""Tens of thousands of damaged archives from fixed seeds: each is read by the rules or refused with a SourceError."""

from __future__ import annotations

import gzip
import random
import tarfile
import unicodedata
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest
from fuzzing import bounded, runs, seed
from packing import SRC, Member, base256, extended, header, member, read, record, sealed, tar

from algosync.core.error import SourceError
from algosync.core.tree import Blob

SHARDS = 8
RUNS = 50_000
BLOCK = 512
Mutator: TypeAlias = Callable[[bytearray, random.Random], None]

NAMES = [
    *[b"../x", b"src/../../x", b"/etc/passwd", b"C:\\x", b"src\\x", b"", b".", b"..", b"./", b"/", b"src", b"src/", b"src//x"],
    *[b".git/config", b".GIT", b"git~1/x", b".git . /x", b".git::$DATA", b".gi\xe2\x80\x8ct/x", b".g\xc4\xb1t/x", b"src/.git"],
    *[
        b"src/Hello.py",
        b"src/HELLO.py",
        b"src/\xc3\xa9",
        b"src/e\xcc\x81",
        b"src/Hello.py/x",
        b"SRC/x",
        b"src/\xff",
        b"src/\x1b[2J",
    ],
    *[
        b"src/a\0b",
        b"src/\xe2\x80\xae",
        b"n" * 99,
        b"d/" * 49,
        b"C:",
        b"a/C:/x",
        b"CON",
        b"src/ok",
        b"src/ok/",
        b"requirements.txt",
    ],
]
SIZES = [base256(n) for n in (-1, -(2**63), 2**31, 2**63, 2**64, 700)] + [
    b"00000000001\0",
    b"-0000000001\0",
    b"77777777777\0",
    b"z" * 12,
]
KINDS = [bytes([k]) for k in b"01234567LKxXgSDMVA\0\xff"]
RECORDS = [
    *[record("path", name) for name in NAMES],
    *[record("size", text) for text in ("0", "-1", "1", "9" * 18, "9" * 30, "1e3")],
    *[record(key, "1") for key in ("GNU.sparse.major", "linkpath", "hdrcharset", "mtime", "comment", "\x1b")],
    *[b"0 a=\n", b"9999999 a=\n", b"5 a=x", b"-5 a=\n", b"=", b"\0" * 40, b""],
]


def seeds() -> list[bytes]:
    small = [SRC, ("requirements.txt", b"numpy\n")]
    more: list[Member] = [
        *small,
        ("src/" + "n" * 150, b"long"),
        (member("src/d", kind=tarfile.DIRTYPE), b""),
        ("src/d/x", b"x" * 700),
    ]
    around = [("Hello/" + name, data) for name, data in small]
    packed = [
        tar(*small, form=tarfile.USTAR_FORMAT),
        *(tar(*more, form=f) for f in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)),
        tar(*around),
    ]
    return [data.rstrip(b"\0") + bytes(-len(data.rstrip(b"\0")) % BLOCK + 2 * BLOCK) for data in packed]


def change_bytes(body: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 8)):
        body[chance.randrange(len(body))] = chance.choice((0, 0x20, 0x2F, 0x37, 0x80, 0xFF, chance.randrange(256)))


def move_blocks(body: bytearray, chance: random.Random) -> None:
    """Removes, doubles or moves a run of blocks."""
    start = _block(body, chance)
    some = body[start : start + BLOCK * chance.randint(1, 3)]
    if chance.random() < 0.7:
        del body[start : start + len(some)]
    place = _block(body, chance) if body else 0
    if chance.random() < 0.7:
        body[place:place] = some


def change_field(body: bytearray, chance: random.Random) -> None:
    """Gives one field of a header a value that has broken other readers."""
    start = _block(body, chance)
    values: tuple[tuple[int, int, list[bytes]], ...] = (
        (0, 100, NAMES),
        (100, 8, [b"0000755\0", b"0004755\0", base256(-1)[:8], b"888"]),
        (124, 12, SIZES),
        (156, 1, KINDS),
        (157, 100, NAMES),
        (257, 8, [b"ustar\0" + b"00", b"ustar  \0", bytes(8)]),
        (345, 155, NAMES),
    )
    offset, length, choices = chance.choice(values)
    body[start + offset : start + offset + length] = chance.choice(choices)[:length].ljust(length, b"\0")


def add_header(body: bytearray, chance: random.Random) -> None:
    """Inserts an extension header or another file before a block."""
    kind = chance.choice((b"L", b"L", b"K", b"x", b"x", b"X", b"g", b"0"))
    if kind == b"0":
        block = header(chance.choice(NAMES)[:100], chance.choice([b"00000000000\0", *SIZES]), chance.choice(KINDS))
    elif kind in b"LK":
        block = extended(kind, chance.choice([*NAMES, b"n" * 70_000, b"d/" * 500]) + bytes(chance.randint(0, 1)))
    else:
        block = extended(kind, b"".join(chance.choices(RECORDS, k=chance.randint(1, 3))))
    place = _block(body, chance)
    body[place:place] = block


def cut(body: bytearray, chance: random.Random) -> None:
    del body[chance.randrange(len(body)) :]


def splice(body: bytearray, chance: random.Random) -> None:
    """Joins the start of this archive with the end of another, not always at a block boundary."""
    other = chance.choice(SEEDS)
    place = chance.choice((_block(body, chance), chance.randrange(len(body))))
    body[place:] = other[chance.choice((_block(bytearray(other), chance), chance.randrange(len(other)))) :]


MUTATORS: tuple[Mutator, ...] = (change_bytes, move_blocks, change_field, change_field, add_header, add_header, cut, splice)
SEEDS = seeds()


def _block(body: bytearray, chance: random.Random) -> int:
    return chance.randrange(len(body) // BLOCK + 1) * BLOCK if len(body) > BLOCK else 0


def resealed(body: bytearray, chance: random.Random) -> bytes:
    """The archive with valid checksums in most cases, so that mutations pass the first check."""
    blocks = [bytes(body[place : place + BLOCK]) for place in range(0, len(body), BLOCK)]
    for index, block in enumerate(blocks):
        if len(block) == BLOCK and block[257:262] == b"ustar" and chance.random() < 0.97:
            blocks[index] = sealed(block)
    return b"".join(blocks)


def zipped(body: bytes, chance: random.Random) -> bytes:
    """Compressed as one or several gzip members, sometimes damaged."""
    places = sorted(chance.choices(range(len(body) + 1), k=chance.choice((0, 0, 0, 1, 2))))
    parts = [body[start:end] for start, end in zip([0, *places], [*places, len(body)], strict=True)]
    data = bytearray(b"".join(gzip.compress(part, chance.choice((0, 1)), mtime=0) for part in parts))
    if chance.random() < 0.15:
        chance.choice((change_bytes, cut, add_garbage, change_gzip_header))(data, chance)
    return bytes(data)


def add_garbage(data: bytearray, chance: random.Random) -> None:
    data += chance.choice((b"garbage", bytes(600), b"\x1f", b"\x1f\x8b\x08\0", data[:20], bytes(data)))


def change_gzip_header(data: bytearray, chance: random.Random) -> None:
    """Sets flags for names, comments and other fields between the header and the data."""
    data[3] = chance.randrange(256)
    data[10:10] = chance.choice((b"../../x\0", b"\xff\xff" + bytes(30), b"", b"\x04\0abcd"))


def mutated(chance: random.Random) -> bytes:
    body = bytearray(chance.choice(SEEDS))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        if body:
            chance.choice(MUTATORS)(body, chance)
    return zipped(resealed(body, chance), chance)


def broken_rule(files: Mapping[str, Blob]) -> str | None:
    """The rule that the files break, checked independently of the reader. None: no rule is broken."""
    same: dict[str, str] = {}
    for path, blob in files.items():
        names = path.split("/")
        for name in names:
            front = name.partition(":")[0].rstrip(". ").lower().replace("\u0131", "i")
            if name in ("", ".", "..") or front == ".git" or (front.startswith("git~") and front[4:].isdigit()):
                return f"a name: {path!r}"
            if len(name.encode()) > 255 or (len(name) == 2 and name[1] == ":" and name[0].isalpha() and name.isascii()):
                return f"a name: {path!r}"
        if any(c == "\\" or unicodedata.category(c)[:2] in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in path):
            return f"a character: {path!r}"
        if len(names) > 32 or len(path.encode()) > 1024 or blob.kind != "file":
            return f"a path: {path!r}"
        for depth in range(1, len(names) + 1):
            part = "/".join(names[:depth])
            alike = unicodedata.normalize("NFD", unicodedata.normalize("NFD", part).casefold())
            if same.setdefault(alike, part) != part or (depth < len(names) and part in files):
                return f"two paths: {path!r}"
    return None if any(path.startswith("src/") for path in files) else "no src"


@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_archives_keep_the_rules_or_are_refused(shard: int) -> None:
    chance = random.Random(f"{seed()}-{shard}")
    taken = refused = 0
    count = runs(RUNS // SHARDS)
    for number in range(count):
        data = mutated(chance)
        try:
            with bounded((shard, number)):
                files = read(data)
        except SourceError as error:
            refused += 1
            assert error.message.isprintable(), (shard, number)  # noqa: PT017  # that it may be refused is the point
        else:
            taken += 1
            assert broken_rule(files) is None, (shard, number)
    assert taken > count // 50
    assert refused > count // 3


@pytest.mark.parametrize(
    "path",
    ["a/../b", ".git/x", "a/GIT~1", "a\\b", "a\x1bb", "n" * 256, "d/" * 32 + "x", "C:/x", "a/.", ".git :x", "x" + "/é" * 400],
)
def test_the_rules_would_be_seen_broken(path: str) -> None:
    assert broken_rule({"src/x": Blob(b"")}) is None
    assert broken_rule({"src/x": Blob(b""), path: Blob(b"")}) is not None


@pytest.mark.parametrize("pair", [("src/a", "src/A"), ("src/\xe9", "src/e\u0301"), ("src/a", "src/a/b")])
def test_clashes_would_be_seen(pair: tuple[str, str]) -> None:
    assert broken_rule({path: Blob(b"") for path in pair}) is not None
