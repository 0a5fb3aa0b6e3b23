"""Transfers whose source or destination lies: whatever succeeds has put the right bytes at the destination."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from fakes.clusters import OWNER, FakeCluster, context_of
from fakes.stores import FakeStore
from hypothesis import given
from hypothesis import strategies as st

from algosync.cluster.data import Stored
from algosync.cluster.wire import Download
from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Unreachable
from algosync.core.planning.change import Action, Change
from algosync.core.planning.schedule import Step, Verb
from algosync.core.read_back import ReadBack
from algosync.core.workflow import AlgorithmSpec, DataFile
from algosync.kinds import data

CONTENT = b"0123456789abcdefghij"
OTHER = b"another file's bytes"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
WEIGHTS = Address("data", "One", "w.bin")
SPEC = AlgorithmSpec("One", "python3", data_files=(DataFile("data://.my/models/w.bin", "w.bin"),))

LIES: dict[str, Callable[[bytes], bytes]] = {
    "the truth": lambda content: content,
    "cut": lambda content: content[:-3],
    "cut to nothing": lambda _: b"",
    "longer": lambda content: content + b"!",
    "corrupted": lambda content: content[:5] + b"\0" + content[6:],
    "reordered": lambda content: content[8:12] + content[4:8] + content[:4] + content[12:],
    "twice the same block": lambda content: content[:4] * 2 + content[8:],
    "of another file": lambda _: OTHER,
}
lies = st.lists(st.sampled_from(sorted(LIES)), max_size=4)


class LyingSource(FakeStore):
    """Each reading has the next lie, and announces the right length if `silent`. After the last one it tells the truth."""

    def __init__(self, told: Iterable[str], stalls: Iterable[bool], *, silent: bool) -> None:
        super().__init__()
        self.told, self.stalls, self.silent = iter(told), iter(stalls), silent

    @contextmanager
    def open(self, owner: str, collection: str, name: str) -> Iterator[Download]:
        with super().open(owner, collection, name) as honest:
            sent = LIES[next(self.told, "the truth")](b"".join(honest.blocks))
        yield Download(len(CONTENT) if self.silent else len(sent), self._blocks(sent, stalls=next(self.stalls, False)))

    def _blocks(self, sent: bytes, *, stalls: bool) -> Iterator[bytes]:
        for start in range(0, len(sent), 4):
            if stalls and start > 8:
                raise Unreachable("the connection broke")
            yield sent[start : start + 4]


class LyingDestination(FakeStore):
    """Each write stores the next lie and says that all is well; its ETag is the MD5 of what it stored, or of what it was sent."""

    def __init__(self, told: Iterable[str], *, flatters: bool) -> None:
        super().__init__(OWNER)
        self.told, self.flatters = iter(told), flatters

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        sent = b"".join(blocks)
        stored = LIES[next(self.told, "the truth")](sent)
        super().put(owner, collection, name, [stored], len(stored))
        return Stored(etag_md5=hashlib.md5(sent if self.flatters else stored).hexdigest())


def transferred(source: FakeStore, destination: FakeStore, how: ReadBack, *, known: bool) -> str | None:
    """The digest in the record of a transfer; None: it failed. `known`: the plan knows the digest."""
    source.write("quality", "models", "w.bin", CONTENT)
    cluster = FakeCluster()
    cluster.data = destination
    context = replace(context_of(cluster, SPEC, store=source), read_back=how)
    (want,) = data.desired(SPEC, context)
    change = Change(WEIGHTS, Action.CREATE, None, replace(want, digest=DIGEST if known else None))
    try:
        for verb in (Verb.UPLOAD, Verb.VERIFY):
            (record,) = data.perform(Step(WEIGHTS, verb, change), SPEC, context, lambda _: None).records
            context.ledger.commit(record)
    except AlgosyncError:
        return None
    return record.digest


@given(lies, lies, st.lists(st.booleans(), max_size=4), st.booleans(), st.booleans())
def test_what_succeeds_is_right(read: list[str], stored: list[str], stalls: list[bool], silent: bool, flatters: bool) -> None:
    destination = LyingDestination(stored, flatters=flatters)
    found = transferred(LyingSource(read, stalls, silent=silent), destination, ReadBack.FULL, known=True)
    assert found in (None, DIGEST)
    if found is not None:
        assert destination.digest(OWNER, "One", "w.bin") == DIGEST


@given(lies, lies, st.lists(st.booleans(), max_size=4), st.booleans(), st.booleans())
def test_the_record_is_of_what_is_there_if_nobody_knows_what_it_should_be(
    read: list[str], stored: list[str], stalls: list[bool], silent: bool, flatters: bool
) -> None:
    destination = LyingDestination(stored, flatters=flatters)
    found = transferred(LyingSource(read, stalls, silent=silent), destination, ReadBack.FULL, known=False)
    assert found in (None, destination.digest(OWNER, "One", "w.bin") if found else None)


@given(lies, st.booleans())
def test_another_size_is_noticed_without_reading(stored: list[str], flatters: bool) -> None:
    destination = LyingDestination(stored, flatters=flatters)
    if transferred(LyingSource((), (), silent=False), destination, ReadBack.SIZE, known=True) is not None:
        assert destination.files(OWNER, "One")["w.bin"].size == len(CONTENT)
    assert destination.opened == []


@pytest.mark.parametrize("lie", sorted(LIES.keys() - {"the truth"}))
@pytest.mark.parametrize("flatters", [True, False])
def test_an_equal_md5_replaces_no_reading(lie: str, flatters: bool) -> None:
    destination = LyingDestination([lie], flatters=flatters)
    assert transferred(LyingSource((), (), silent=False), destination, ReadBack.FULL, known=True) is None
    assert flatters == destination.etags.proven
