"""Thousands of damaged archives from fixed seeds."""

from __future__ import annotations

import gzip
import random
import tarfile

import pytest
from packing import SRC, base256, member, read, tar

from algosync.core.error import SourceError


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
