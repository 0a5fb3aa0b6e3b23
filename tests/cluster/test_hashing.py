"""Digests that a thread computes while the bytes are on their way."""

from __future__ import annotations

import hashlib
import threading
from typing import Any, cast

import pytest

from algosync.cluster.hashing import Hasher, hasher

MANY = 64 << 20
BLOCKS = [bytes([number]) * (300 << 10) for number in range(40)]
WAIT = 60  # seconds; only a failing test waits so long


def test_a_thread_finds_the_digests_that_the_transfer_would_find() -> None:
    whole = b"".join(BLOCKS)
    with hasher(MANY, md5=True) as hashes:
        for block in BLOCKS:
            hashes.update(block)
        assert hashes.sha256() == hashes.sha256() == hashlib.sha256(whole).hexdigest()
        assert hashes.md5() == hashlib.md5(whole).hexdigest()
        hashes.update(b"more")
        assert hashes.sha256() == hashlib.sha256(whole + b"more").hexdigest()


def test_a_transfer_does_not_wait_for_a_hash_that_failed() -> None:
    """Its error is raised where the digest is asked for, however many blocks come after it."""
    raised: list[BaseException] = []

    def transfer() -> None:
        with hasher(MANY) as hashes:
            for block in (cast("Any", "no bytes" * (1 << 20)), *BLOCKS):
                hashes.update(block)
            for ask in (hashes.sha256, hashes.finish):
                with pytest.raises(TypeError) as caught:
                    ask()
                raised.append(caught.value)

    thread = threading.Thread(target=transfer, daemon=True)
    thread.start()
    thread.join(WAIT)
    assert not thread.is_alive(), "it waits for ever"
    assert len(raised) == 2


def test_few_bytes_take_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", None)
    with hasher(1000) as hashes:
        hashes.update(b"x")
        assert type(hashes) is Hasher
