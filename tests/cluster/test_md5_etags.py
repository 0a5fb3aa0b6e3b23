"""ETags that may be MD5 digests: when they count, and that they never replace a look at the bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

import pytest
from fakes.stores import FakeStore

from algosync.cluster.data import Stored
from algosync.cluster.md5_etags import Md5Etags
from algosync.cluster.transfer import File, relay
from algosync.core.error import TransferError
from algosync.net import Retry

SMALL, BIG = b"small", bytes(5 << 20)


class TellingStore(FakeStore):
    """Answers a write with the MD5 of what it stores. `spoils`: the next write is stored with other bytes."""

    spoils = False
    salt = b""

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        data = b"".join(blocks)
        stored = super().put(owner, collection, name, [data[::-1] if self.spoils else data], length)
        found = self._collections[owner, collection][name]
        self.spoils = False
        return replace(stored, etag_md5=hashlib.md5(self.salt + found).hexdigest())


@pytest.fixture(autouse=True)
def _large_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fakes.stores._BLOCK", 1 << 16)


@pytest.fixture
def destination() -> TellingStore:
    store = TellingStore("local")
    store.create_collection("local", "models")
    return store


def sent(content: bytes, destination: TellingStore, tries: int = 1) -> None:
    source = FakeStore()
    source.write("quality", "models", "a", content)
    relay(
        File(source, ("quality", "models", "a")),
        destination,
        ("local", "models", "a"),
        lambda _: None,
        Retry(tries=tries, pause=lambda _: None),
    )


def test_one_that_differs_is_an_error_once_another_was_equal(destination: TellingStore) -> None:
    sent(SMALL, destination)
    assert destination.etags.proven
    for content in (b"lost", b"lost" + bytes(5 << 20)):
        destination.spoils = True
        with pytest.raises(TransferError, match="has stored other bytes than were sent"):
            sent(content, destination)


def test_the_transfer_is_tried_again(destination: TellingStore) -> None:
    sent(SMALL, destination)
    destination.spoils = True
    sent(b"again", destination, tries=2)
    assert destination.digest("local", "models", "a") == hashlib.sha256(b"again").hexdigest()


def test_a_big_file_is_hashed_twice_only_where_it_may_help(destination: TellingStore) -> None:
    sent(BIG, destination)
    assert (destination.etags.possible, destination.etags.proven) == (True, False)
    sent(BIG, destination)
    assert destination.etags.proven


def test_what_is_no_md5_does_not_count(destination: TellingStore) -> None:
    destination.salt = b"encrypted"
    for content in (SMALL, BIG, SMALL):
        sent(content, destination)
    assert (destination.etags.possible, destination.etags.proven) == (False, False)


def test_a_server_that_tells_nothing_costs_nothing() -> None:
    etags = Md5Etags()
    etags.judge("", SMALL, "a file")
    assert etags == Md5Etags()
