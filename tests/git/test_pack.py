"""The pack reader: it reads what git packs, and trusts no length that a server claims."""

from __future__ import annotations

import hashlib
import random
import subprocess
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from algosync.core.error import SourceError, Unexpected
from algosync.git.objects import Object, read_commit, read_tree, write_commit
from algosync.git.pack import read_pack

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 1 << 20
DECOMPRESSOBJ = zlib.decompressobj


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | value & 0x7F)
        value >>= 7
    return bytes([*out, value])


def entry(kind: int, body: bytes, size: int | None = None, base: bytes = b"") -> bytes:
    size = len(body) if size is None else size
    first, size = kind << 4 | size & 15, size >> 4
    head = bytes([first | 0x80]) + varint(size) if size else bytes([first])
    return head + base + zlib.compress(body, 9)


def sealed(body: bytes) -> bytes:
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def pack(*entries: bytes, count: int | None = None) -> bytes:
    return sealed(b"PACK\0\0\0\2" + (len(entries) if count is None else count).to_bytes(4, "big") + b"".join(entries))


def copy(start: int, size: int) -> bytes:
    return b"\xff" + start.to_bytes(4, "little") + size.to_bytes(3, "little")


BASE = bytes(range(256))
BASE_ID = bytes.fromhex(Object("blob", BASE).id)
DELTA = varint(256) + varint(259) + b"\x03new" + copy(0, 256)


def test_deltas_are_applied_whatever_their_order() -> None:
    by_id = entry(7, DELTA, base=BASE_ID)
    made = Object("blob", b"new" + BASE)
    expected = {Object("blob", BASE).id: BASE, made.id: made.body}
    for entries in ([entry(3, BASE), by_id], [by_id, entry(3, BASE)]):
        assert {number: found.body for number, found in read_pack(pack(*entries), LIMIT).items()} == expected
    first = entry(3, BASE)
    by_place = pack(first, entry(6, DELTA, base=varint(len(first)) if len(first) < 128 else _far(len(first))))
    assert {number: found.body for number, found in read_pack(by_place, LIMIT).items()} == expected


def _far(back: int) -> bytes:
    out = [back & 0x7F]
    while back := back >> 7:
        back -= 1
        out.append(0x80 | back & 0x7F)
    return bytes(reversed(out))


BROKEN = {
    "empty": b"",
    "short": b"PACK",
    "another-version": sealed(b"PACK\0\0\0\3\0\0\0\0"),
    "wrong-checksum": pack(entry(3, b"x"))[:-1] + b"\0",
    "fewer-than-announced": pack(entry(3, b"x"), count=2),
    "more-than-announced": pack(entry(3, b"x"), count=0),
    "billions-announced": pack(entry(3, b"x"), count=2**32 - 1),
    "unknown-type": pack(entry(5, b"x")),
    "size-too-small": pack(entry(3, b"xyz", size=2)),
    "size-too-large": pack(entry(3, b"xyz", size=4)),
    "size-without-end": pack(b"\xbf" + b"\xff" * 20),
    "delta-of-nothing": pack(entry(7, DELTA, base=bytes(20))),
    "delta-of-itself": pack(entry(6, DELTA, base=b"\0")),
    "delta-before-the-beginning": pack(entry(6, DELTA, base=_far(5000))),
    "delta-of-another-size": pack(entry(3, b"x"), entry(7, DELTA, base=bytes.fromhex(Object("blob", b"x").id))),
    "delta-cut-off": pack(entry(3, BASE), entry(7, DELTA[:-2], base=BASE_ID)),
    "delta-makes-less": pack(entry(3, BASE), entry(7, varint(256) + varint(300) + b"\x01x", base=BASE_ID)),
    "delta-makes-more": pack(entry(3, BASE), entry(7, varint(256) + varint(2) + copy(0, 256), base=BASE_ID)),
    "delta-with-a-zero": pack(entry(3, BASE), entry(7, varint(256) + varint(1) + b"\0", base=BASE_ID)),
    "delta-size-without-end": pack(entry(3, BASE), entry(7, b"\xff" * 30, base=BASE_ID)),
    "no-zlib": pack(b"\x31x"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_pack_is_unexpected(name: str) -> None:
    with pytest.raises(Unexpected, match="the git server sent a damaged pack"):
        read_pack(BROKEN[name], LIMIT)


def test_two_deltas_of_each_other_are_unexpected() -> None:
    with pytest.raises(Unexpected):
        read_pack(pack(entry(7, DELTA, base=bytes(20)), entry(7, DELTA, base=b"\1" * 20)), LIMIT)


ZEROS = bytes(64 << 20)
BOMBS = {
    "announced": pack(entry(3, ZEROS)),
    "not-announced": pack(entry(3, ZEROS, size=1000)),
    "many": pack(*[entry(3, bytes(600_000))] * 100),
    "delta-announced": pack(entry(3, BASE), entry(7, varint(256) + varint(1 << 30) + copy(0, 256) * 90_000, base=BASE_ID)),
    "delta-not-announced": pack(entry(3, BASE), entry(7, varint(256) + varint(9) + copy(0, 256) * 90_000, base=BASE_ID)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_more_than_the_limit(name: str) -> None:
    data = BOMBS[name]
    tracemalloc.start()
    with pytest.raises((SourceError, Unexpected)):
        read_pack(data, LIMIT)
    assert tracemalloc.get_traced_memory()[1] < 6 * LIMIT
    tracemalloc.stop()


class Counted:
    """zlib's decompressor, counting its input."""

    fed = 0

    def __init__(self) -> None:
        self._engine = DECOMPRESSOBJ()

    def decompress(self, data: memoryview, limit: int) -> bytes:
        Counted.fed += len(data)
        return self._engine.decompress(data, limit)

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


def test_the_input_of_zlib_is_about_the_size_of_the_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zlib, "decompressobj", Counted)
    monkeypatch.setattr(Counted, "fed", 0)
    chance = random.Random(6)
    bodies = [chance.randbytes(500) for _ in range(1000)]
    data = pack(*[entry(3, body) for body in bodies])
    assert [found.body for found in read_pack(data, LIMIT).values()] == bodies
    assert len(data) / 2 < Counted.fed < len(data) * 2


def test_an_object_that_compression_enlarged_is_read_in_steps() -> None:
    """Stored in blocks of one byte, each takes six, so the first window holds a sixth of the object."""
    body = random.Random(8).randbytes(50_000)
    blocks = b"".join(b"\0\1\0\xfe\xff" + body[place : place + 1] for place in range(len(body)))
    long = b"\x78\x01" + blocks + b"\1\0\0\xff\xff" + zlib.adler32(body).to_bytes(4, "big")
    head = entry(3, body)[: -len(zlib.compress(body, 9))]
    assert [found.body for found in read_pack(pack(head + long, entry(3, b"after")), LIMIT).values()] == [body, b"after"]


def test_mutated_packs_raise_only_our_errors() -> None:
    """2000 mutations with a corrected checksum, from a fixed seed."""
    chance = random.Random(5)
    long = random.Random(1).randbytes(3000)
    whole = pack(entry(3, BASE), entry(7, DELTA, base=BASE_ID), entry(2, b""), entry(3, long), entry(1, b"tree x\n"))[:-20]
    refused = 0
    for _ in range(2000):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(12, len(body))
            body[place : place + chance.randrange(2)] = chance.randbytes(chance.randrange(3))
        try:
            read_pack(sealed(bytes(body)), LIMIT)
        except (SourceError, Unexpected):
            refused += 1
    assert refused > 1500


@pytest.mark.needs("git")
def test_packs_of_git_are_read(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=b"]
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    chance = random.Random(2)
    text = [b"%d %d\n" % (number, chance.randrange(10**9)) for number in range(20_000)]
    for step in range(5):
        text.insert(chance.randrange(len(text)), b"step %d\n" % step)
        (tmp_path / "text").write_bytes(b"".join(text))
        subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
        subprocess.run([*git, "commit", "-qm", str(step)], cwd=tmp_path, check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True).stdout.decode().strip()
    for options in ([], ["--delta-base-offset"]):
        command = [*git, "pack-objects", "--all", "--stdout", "-q", "--no-reuse-delta", *options]
        data = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, input=b"").stdout
        assert len(data) < 600_000  # with deltas: without them it would be five times larger
        objects = read_pack(data, 10 << 20)
        assert len(objects) == 15
        assert read_tree(objects, read_commit(objects, head).tree)["text"].data == b"".join(text)


class CountedReads(dict[str, Object]):
    """Objects by id; `reads` counts how often one was asked for."""

    reads = 0

    def get(self, *arguments: Any) -> Any:
        self.reads += 1
        return super().get(*arguments)


def test_trees_that_stand_for_too_many_paths_are_refused_after_as_many_reads() -> None:
    blob = Object("blob", b"")
    objects = CountedReads({blob.id: blob})
    node = Object("tree", b"".join(b"100644 %02d\0" % n + bytes.fromhex(blob.id) for n in range(20)))
    for _ in range(10):
        objects[node.id] = node
        node = Object("tree", b"".join(b"40000 %02d\0" % n + bytes.fromhex(node.id) for n in range(20)))
    objects[node.id] = node
    with pytest.raises(SourceError, match="more than 100000 paths"):
        read_tree(objects, node.id)
    assert 100_000 / 20 < objects.reads <= 100_000 + 20  # a tree of 20 entries is one read, and each file another


@pytest.mark.parametrize(
    "body",
    [
        b"100644 a",
        b"100644 \0" + bytes(20),
        b"999999 a\0" + bytes(20),
        b"100644 a/b\0" + bytes(20),
        b"100644 .\0" + bytes(20),
    ],
)
def test_a_broken_tree_is_refused(body: bytes) -> None:
    tree = Object("tree", body)
    with pytest.raises(SourceError, match="invalid name"):
        read_tree({tree.id: tree}, tree.id)


@pytest.mark.parametrize("modes", [(b"100644", b"40000"), (b"40000", b"100644"), (b"100644", b"100755"), (b"40000", b"040000")])
def test_a_name_twice_in_one_folder_is_refused(modes: tuple[bytes, bytes]) -> None:
    blob = Object("blob", b"x")
    inner = Object("tree", b"100644 a\0" + bytes.fromhex(blob.id))
    ids = [bytes.fromhex(inner.id if mode.lstrip(b"0") == b"40000" else blob.id) for mode in modes]
    outer = Object("tree", b"".join(mode + b" a\0" + number for mode, number in zip(modes, ids, strict=True)))
    with pytest.raises(SourceError, match="a name twice in one folder: b'a'"):
        read_tree({found.id: found for found in (blob, inner, outer)}, outer.id)


@pytest.mark.parametrize("body", [b"", b"tree x\n\n", b"tree " + b"1" * 40 + b"\ncommitter a <b> x +0000\n\n", b"\xff\0"])
def test_a_broken_commit_is_refused(body: bytes) -> None:
    commit = Object("commit", body)
    with pytest.raises(SourceError, match="cannot be read"):
        read_commit({commit.id: commit}, commit.id)
    with pytest.raises(SourceError, match="missing or has another type"):
        read_commit({commit.id: Object("blob", body)}, commit.id)


@pytest.mark.parametrize(("date", "expected"), [(10**9, 10**9 + 1), (-5, 0), (10**17, 4_102_444_800)])
def test_a_commit_is_dated_a_second_after_its_parent(date: int, expected: int) -> None:
    parent = Object("commit", f"tree {'1' * 40}\nauthor a <b> 0 +0000\ncommitter a <b> {date} +0130\n\nx".encode())
    read = read_commit({parent.id: parent}, parent.id)
    commit = write_commit("2" * 40, (parent.id, read), "a <b>", "message\n\n")
    assert commit.body.decode() == (
        f"tree {'2' * 40}\nparent {parent.id}\nauthor a <b> {expected} +0000\ncommitter a <b> {expected} +0000\n\nmessage\n"
    )
