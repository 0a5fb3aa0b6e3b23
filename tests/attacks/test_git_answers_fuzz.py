"""Thousands of wrong replies of a git server: each gives the correct commit and files, or our error."""

from __future__ import annotations

import hashlib
import logging
import random
import zlib
from functools import cache

import pytest
from answer_mutations import Changed, mutated
from fuzzing import bounded, runs, seed
from rawcluster import KEY, Request, http
from scriptedsocket import URL, scripted_host

from algosync.core.credential import credential
from algosync.core.error import AlgosyncError
from algosync.core.text import printable
from algosync.core.tree import Blob, Tree, subtrees, tree_id
from algosync.git import Repository

SHARDS = 4
RUNS = 4_000
FILES = {
    "src/Hello.py": Blob(b"def apply(input):\n    return input\n" * 20),
    "src/data.bin": Blob(bytes(range(256)) * 30),
    "run.sh": Blob(b"#!/bin/sh\n", executable=True),
    "link": Blob(b"src/Hello.py", kind="symlink"),
    "requirements.txt": Blob(b"numpy\n"),
}
CAPABILITIES = b"multi_ack side-band-64k thin-pack ofs-delta shallow no-progress symref=HEAD:refs/heads/master agent=git/2"


def object_id(kind: str, body: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(body)}\0".encode() + body).hexdigest()


def line(data: bytes) -> bytes:
    return b"%04x" % (len(data) + 4) + data


@cache
def commit() -> tuple[str, bytes]:
    who = b"A <a@localhost> 1600000000 +0000"
    body = b"tree %s\nauthor %s\ncommitter %s\n\nfirst\n" % (tree_id(FILES).encode(), who, who)
    return object_id("commit", body), body


def packed(objects: list[tuple[int, bytes]]) -> bytes:
    """Return a pack without deltas."""
    out = b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big")
    for kind, body in objects:
        size, first = len(body) >> 4, kind << 4 | len(body) & 15
        head = bytearray()
        while size:
            head.append(first | 0x80)
            first, size = size & 0x7F, size >> 7
        out += bytes([*head, first]) + zlib.compress(body, 1)
    return out + hashlib.sha1(out).digest()


@cache
def objects() -> tuple[tuple[int, bytes], ...]:
    trees = [(2, body) for body in subtrees(FILES)[1].values()]
    return (1, commit()[1]), *trees, *((3, blob.data) for blob in FILES.values())


def advertised() -> bytes:
    number = commit()[0].encode()
    refs = [number + b" HEAD\0" + CAPABILITIES + b"\n", number + b" refs/heads/master\n", number + b" refs/tags/v1\n"]
    return line(b"# service=git-upload-pack\n") + b"0000" + b"".join(map(line, refs)) + b"0000"


def fetched(pack: bytes) -> bytes:
    number = commit()[0].encode()
    pieces = b"".join(line(b"\1" + pack[place : place + 1000]) for place in range(0, len(pack), 1000))
    return line(b"shallow " + number + b"\n") + b"0000" + line(b"NAK\n") + line(b"\2counting\n") + pieces + b"0000"


def change_pack(chance: random.Random) -> bytes:
    """Leave out, double or retype objects, or give them invalid content; the pack's checksum is right."""
    some = list(objects())
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(some))
        kind, body = some[place]
        match chance.randrange(5):
            case 0:
                del some[place]
            case 1:
                some.insert(place, (kind, body))
            case 2:
                some[place] = (chance.choice((1, 2, 3, 4, 5, 6, 7)), body)
            case 3:
                at = chance.randrange(len(body) + 1)
                some[place] = (
                    kind,
                    body[:at] + chance.choice((b"", b"\0", b"..", b"\xff", b"40000 ..\0" + bytes(20))) + body[at + 1 :],
                )
            case _:
                some[place] = (kind, body[: chance.randrange(len(body) + 1)])
        if not some:
            break
    return packed(some)


def change_lines(data: bytes, chance: random.Random) -> bytes:
    """Change the framing of the protocol, and its content."""
    at = chance.randrange(len(data) + 1)
    match chance.randrange(8):
        case 0:
            return data[:at]
        case 1:
            return (
                data[:at] + chance.choice((b"0000", b"0001", b"0002", b"0003", b"0004", b"ffff", b"zzzz", b"-001")) + data[at + 4 :]
            )
        case 2:
            return (
                data[:at]
                + line(chance.choice((b"ERR \x1b[2J no\n", b"\3fatal: \x1b[2J\n", b"\2" + b"x" * 900, b"NAK\n", b"\1")))
                + data[at:]
            )
        case 3:
            number = commit()[0].encode()
            other = chance.choice((b"0" * 40, b"z" * 40, b"\xff" * 40, number[:39], number.upper(), b"d" * 40))
            return data.replace(number, other, chance.choice((1, 2, 9)))
        case 4:
            name = chance.choice(
                (b"refs/heads/\x1b", b"refs/heads/..", b"HEAD", b"refs/tags/v1", b"\xff", b"refs/heads/main", b"", b"x" * 200)
            )
            return data.replace(b"refs/heads/master", name.ljust(17, b"x")[:17] if chance.random() < 0.5 else name)
        case 5:
            return data.replace(
                CAPABILITIES, chance.choice((b"", b"\xff", b"side-band", b"symref=HEAD:", b"object-format=sha256", b"x" * 500))
            )
        case 6:
            return data[:at] + data[max(0, at - chance.randrange(200)) :]
        case _:
            return data[:at] + bytes(chance.choices(range(256), k=2)) + data[at + 2 :]


class FaultyReplies:
    def __init__(self) -> None:
        self.chance = random.Random()
        self.honest = 0

    def __call__(self, request: Request) -> Changed:
        asked = request.method == "GET"
        headers = [f"Content-Type: application/x-git-upload-pack-{'advertisement' if asked else 'result'}"]
        if self.honest > 0:
            self.honest -= 1
            return http(advertised() if asked else fetched(packed(list(objects()))), *headers), True
        if not asked and self.chance.random() < 0.4:
            return http(fetched(change_pack(self.chance)), *headers), True
        body = advertised() if asked else fetched(packed(list(objects())))
        return mutated(body, headers, self.chance, lambda data: change_lines(data, self.chance))


def look(repository: Repository) -> Tree:
    repository.head()
    return repository.tree(commit()[0])


def repository(replies: FaultyReplies) -> Repository:
    return Repository(f"{URL}/git/jane/Hello.git", "jane", credential(KEY, "test"), scripted_host(replies))


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "urllib3")  # it logs each odd header


def test_right_replies_are_accepted() -> None:
    replies = FaultyReplies()
    replies.honest = 99
    assert look(repository(replies)) == FILES


@pytest.mark.parametrize("shard", range(SHARDS))
def test_wrong_replies_are_our_error_or_harmless(shard: int) -> None:
    """A commit's id covers all of its files, so every accepted reply is right."""
    replies = FaultyReplies()
    failed = 0
    count = runs(RUNS // SHARDS)
    for number in range(count):
        replies.chance = random.Random(f"{seed()}-{shard}-{number}")
        replies.honest = replies.chance.choice((0, 1, 1, 2))
        try:
            with bounded((shard, number)):
                found = look(repository(replies))
        except AlgosyncError as error:
            failed += 1
            shown = f"{error.message} {error.hint}"
            assert printable(shown) == shown, (shard, number)
        else:
            assert found == FILES, (shard, number)
    assert failed > count // 3
