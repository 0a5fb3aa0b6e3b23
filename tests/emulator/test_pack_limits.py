"""Limits on the unpacked size of packs. Most packs here only declare sizes, since these are checked before unpacking."""

import base64
import hashlib
import io
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest
from dulwich.pack import write_pack_objects
from dulwich.protocol import pkt_line
from dulwich.repo import MemoryRepo
from emulated import Emulator, add_commit, store

from algosync.emulator.git import pack_limits
from algosync.emulator.git.pack_limits import ID_DELTA, MIB, OFFSET_DELTA, PackError, check

COMMIT, TREE, BLOB = 1, 2, 3


def number(value: int) -> bytes:
    """A number in the encoding of deltas: 7 bits per byte, lowest first."""
    return (bytes([value & 127 | 128]) + number(value >> 7)) if value > 127 else bytes([value])


def entry(kind: int, size: int, compressed: bytes, base: bytes = b"") -> bytes:
    more = size >> 4
    first = kind << 4 | size & 15
    return (bytes([first | 128]) + number(more) if more else bytes([first])) + base + compressed


def delta(made: int, base: bytes, kind: int = OFFSET_DELTA) -> bytes:
    """A delta that declares the size of its result, and produces nothing."""
    script = number(1) + number(made)
    return entry(kind, len(script), zlib.compress(script), base)


def pack(entries: Iterable[bytes], count: int | None = None) -> bytes:
    listed = list(entries)
    body = b"PACK\0\0\0\2" + (len(listed) if count is None else count).to_bytes(4, "big") + b"".join(listed)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def zeros(size: int) -> bytes:
    engine = zlib.compressobj(1)
    return b"".join(engine.compress(bytes(MIB)) for _ in range(size // MIB)) + engine.flush()


def chain(made: int, count: int) -> list[bytes]:
    """A blob and a chain of deltas, each based on the one before it."""
    entries = [entry(BLOB, 1, zlib.compress(b"x"))]
    for _ in range(count):
        entries.append(delta(made, bytes([len(entries[-1])])))
    return entries


SMALL = entry(BLOB, 1, zlib.compress(b"x"))
REFUSED = {
    "a large file": ([entry(BLOB, 101 * MIB, b"")], "more than 104857600 bytes in an object"),
    "a large list": ([entry(TREE, 9 * MIB, b"")], "more than 8388608 bytes in an object"),
    "a large commit": ([entry(COMMIT, 9 * MIB, b"")], "more than 8388608 bytes in an object"),
    "a large delta": ([SMALL, entry(OFFSET_DELTA, 101 * MIB, b"", b"\x0a")], "more than 104857600 bytes in an object"),
    "a delta that makes much": ([SMALL, delta(101 * MIB, bytes([len(SMALL)]))], "more than 104857600 bytes in an object"),
    "a delta that makes a large list": (
        [entry(TREE, 1, zlib.compress(b"x")), delta(MIB, bytes([len(SMALL)])), delta(9 * MIB, b"\x0e")],
        "more than 8388608 bytes in an object",
    ),
    "a long chain": (chain(100 * MIB, 11), "more than 1073741824 bytes in a chain of deltas"),
    "deltas by id": ([delta(100 * MIB, b"x" * 20, ID_DELTA)] * 11, "more than 1073741824 bytes of deltas by id"),
    "a size without end": ([b"\xb0" + b"\xff" * 12], "the pack is damaged: a size is too long"),
    "a size that is wrong": (
        [entry(BLOB, 2, zlib.compress(b"x"))],
        "the pack is damaged: an object has another size than declared",
    ),
    "a base before the pack": ([delta(1, b"\x7f")], "the pack is damaged: a delta has no base"),
    "a delta of nothing": (
        [SMALL, entry(OFFSET_DELTA, 0, zlib.compress(b""), bytes([len(SMALL)]))],
        "the pack is damaged: a delta has no sizes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_packs_that_are_refused(name: str) -> None:
    entries, reason = REFUSED[name]
    with pytest.raises(PackError) as refused:
        check(io.BytesIO(pack(entries)))
    assert str(refused.value) == reason


def test_counts_and_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PackError, match=r"^more than 500000 objects in a push$"):
        check(io.BytesIO(pack([], 500_001)))
    monkeypatch.setattr(pack_limits, "MAX_TOTAL", 199 * MIB)
    siblings = [SMALL, delta(100 * MIB, bytes([len(SMALL)]))]
    check(io.BytesIO(pack(siblings)))
    with pytest.raises(PackError, match=r"^more than 208666624 bytes in a push$"):
        check(io.BytesIO(pack([*siblings, delta(100 * MIB, bytes([len(siblings[1])]))])))


def test_packs_within_the_limits() -> None:
    """The position in the file is unchanged afterwards."""
    for entries in (chain(100 * MIB, 10), chain(MIB, 100), [entry(BLOB, 0, zlib.compress(b""))], []):
        file = io.BytesIO(b"before" + pack(entries))
        file.seek(6)
        check(file)
        assert file.tell() == 6


def test_objects_of_many_blocks() -> None:
    """The next object is found wherever the blocks of zlib end."""
    noise = hashlib.shake_128(b"1").digest(300_000)
    for content in (noise, bytes(300_000), noise[:65_536], noise[:65_472], noise[:65_471]):
        check(io.BytesIO(pack([entry(BLOB, len(content), zlib.compress(content)), SMALL, delta(5, bytes([len(SMALL)]))])))
    with pytest.raises(PackError, match=r"^the pack is damaged: it ends early$"):
        check(io.BytesIO(pack([entry(BLOB, len(noise), zlib.compress(noise)[:200_000])])))


def test_packs_of_dulwich_are_accepted() -> None:
    repository = MemoryRepo()
    tree = store(repository, {f"folder/{number}": b"line\n" * (1000 + number) for number in range(30)})
    add_commit(repository, tree, [])
    objects = [(repository.object_store[sha], None) for sha in repository.object_store]
    for deltify in (False, True):
        file = io.BytesIO()
        write_pack_objects(file, objects, object_format=repository.object_format, deltify=deltify)
        file.seek(0)
        check(file)


def test_a_small_push_of_a_large_file_takes_no_memory(site: Emulator) -> None:
    site.create("Bomb")
    before = peak(site)
    head = site.fetch("Bomb")[1]
    body = pkt_line(head + b" " + b"1" * 40 + b" refs/heads/master\0report-status") + pkt_line(None)
    body += pack([entry(BLOB, 160 * MIB, zeros(160 * MIB))])
    credentials = base64.b64encode(f"{site.user}:{site.key}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-git-receive-pack-request"}
    reply = site.request("POST", "/git/local/Bomb.git/git-receive-pack", body, headers)
    refused = b"unpack more than 104857600 bytes in an object\n", b"ng refs/heads/master unpacker error\n"
    assert reply.body == b"".join(map(pkt_line, refused)) + pkt_line(None)
    assert peak(site) - before < 50 * MIB


def peak(site: Emulator) -> int:
    """The peak resident memory of the server in bytes."""
    [line] = [line for line in Path(f"/proc/{site.process.pid}/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024
