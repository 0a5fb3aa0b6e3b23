"""Shared listings: which listing counts for whom, and how many requests that takes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from fakes.stores import FakeStore

from algosync.cluster.data import FileStat, Stored
from algosync.core.error import Denied, Unreachable
from algosync.kinds.shared_listings import SharedListings

OWNER, COLLECTION = "jane", "One"


class SlowStore(FakeStore):
    """Each listing is taken when it is asked for, and answered when the test says so."""

    def __init__(self) -> None:
        super().__init__(OWNER)
        self.asked, self.answer = threading.Semaphore(0), threading.Semaphore(0)

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        found = super().files(owner, collection)
        self.asked.release()
        assert self.answer.acquire(timeout=60)
        return found


def put(shared: SharedListings, name: str) -> None:
    shared.put(OWNER, COLLECTION, name, [b"x"], 1)


def listed(shared: SharedListings, outdated: Mapping[str, FileStat] | None = None) -> Mapping[str, FileStat]:
    return shared.files_after_write((OWNER, COLLECTION, "a"), outdated, lambda: None)


@pytest.fixture
def store() -> FakeStore:
    store = FakeStore(OWNER)
    store.create_collection(OWNER, COLLECTION)
    return store


def test_a_collection_is_listed_once_after_each_write(store: FakeStore) -> None:
    shared = SharedListings(store)
    for number in range(3):
        put(shared, str(number))
        assert all(len(listed(shared)) == number + 1 for _ in range(4))
    assert len(store.listed) == 3


def test_a_write_to_another_collection_needs_no_new_listing(store: FakeStore) -> None:
    store.create_collection(OWNER, "Two")
    shared = SharedListings(store)
    put(shared, "a")
    first = listed(shared)
    shared.put(OWNER, "Two", "b", [b"x"], 1)
    assert listed(shared) is first


def test_a_failed_write_needs_a_new_listing(store: FakeStore) -> None:
    shared = SharedListings(store)
    first = listed(shared)
    store.failures[f"put {COLLECTION}"] = Unreachable("the answer was lost")
    with pytest.raises(Unreachable):
        put(shared, "a")
    assert listed(shared) is not first


def test_a_listing_that_began_before_a_write_ended_does_not_count_for_it() -> None:
    store = SlowStore()
    store.create_collection(OWNER, COLLECTION)
    shared = SharedListings(store)
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(listed, shared)
        assert store.asked.acquire(timeout=60)
        put(shared, "a")
        late = pool.submit(listed, shared)
        store.answer.release(2)
        assert (list(early.result(60)), list(late.result(60))) == ([], ["a"])


def test_callers_at_the_same_time_share_one_request() -> None:
    store = SlowStore()
    store.create_collection(OWNER, COLLECTION)
    shared = SharedListings(store)
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(listed, shared) for _ in range(8)]
        assert store.asked.acquire(timeout=60)
        store.answer.release()
        assert len({id(future.result(60)) for future in futures}) == 1
    assert len(store.listed) == 1


def test_one_caller_pauses_for_all_that_need_a_later_listing(store: FakeStore) -> None:
    shared = SharedListings(store)
    first = listed(shared)
    pauses: list[None] = []
    later = [shared.files_after_write((OWNER, COLLECTION, "a"), first, lambda: pauses.append(None)) for _ in range(5)]
    assert len({id(files) for files in later}) == 1
    assert (len(pauses), len(store.listed)) == (1, 2)


def test_a_missing_collection_has_no_files_and_another_error_is_raised_and_not_kept(store: FakeStore) -> None:
    shared = SharedListings(store)
    assert shared.files_after_write((OWNER, "Missing", "a"), None, lambda: None) == {}
    store.failures[f"files {COLLECTION}"] = Denied("no")
    with pytest.raises(Denied):
        listed(shared)
    store.failures.clear()
    assert listed(shared) == {}


class DatedStore(FakeStore):
    """Replies to writes have the `Date` that the test sets. A listing takes `takes` seconds of `now`."""

    date, now, takes = "1", 0.0, 0.0
    others: Mapping[str, FileStat] = MappingProxyType({})
    """Files that somebody else has written."""

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        return replace(super().put(owner, collection, name, blocks, length), date=self.date)

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        self.now += self.takes
        return {**super().files(owner, collection), **self.others}


@pytest.fixture
def dated() -> DatedStore:
    store = DatedStore(OWNER)
    store.create_collection(OWNER, COLLECTION)
    return store


def test_the_first_write_of_each_second_is_listed_at_once(dated: DatedStore) -> None:
    """The other ones of the second are not. Who verifies a file uses the listing if it began after the write."""
    shared = SharedListings(dated, lambda: dated.now)
    for dated.date in ("1", "1", "2", "2"):
        put(shared, "a")
    assert len(dated.listed) == 2
    put(shared, "b")
    for dated.date in ("3", "3"):
        put(shared, "a")
        listed(shared)
    assert len(dated.listed) == 4


def test_a_listing_that_takes_long_is_not_repeated_each_second(dated: DatedStore) -> None:
    shared = SharedListings(dated, lambda: dated.now)
    dated.takes = 0.5
    for second in range(12):
        dated.now, dated.date = max(dated.now, float(second)), str(second)
        put(shared, "a")
    assert len(dated.listed) == 2


def test_many_files_are_not_listed_for_each_second(dated: DatedStore) -> None:
    """A listing for the clock comes after as many writes as the last one shows files, so all of them together show few."""
    shared = SharedListings(dated, lambda: dated.now)
    for second in range(1000):
        dated.now, dated.date = float(second), str(second)
        shared.put(OWNER, COLLECTION, f"f{second}", [b"x"], 1)
    assert 8 <= len(dated.listed) <= 12


def test_a_listing_that_fails_is_no_failure_of_the_write(dated: DatedStore) -> None:
    shared = SharedListings(dated)
    dated.failures[f"files {COLLECTION}"] = Denied("no")
    put(shared, "a")
    assert dated.listed == []


def test_without_a_date_a_write_is_not_listed(store: FakeStore) -> None:
    put(SharedListings(store), "a")
    assert store.listed == []


@pytest.mark.parametrize("fails", [False, True])
def test_a_write_that_is_made_elsewhere_needs_a_new_listing(store: FakeStore, *, fails: bool) -> None:
    shared = SharedListings(store)
    first = listed(shared)
    with suppress(Unreachable), shared.writing((OWNER, COLLECTION, "a")):
        store.write(OWNER, COLLECTION, "a", b"x")
        if fails:
            raise Unreachable("the answer was lost")
    assert listed(shared) is not first


def test_a_file_that_is_listed_as_before_may_have_been_listed_before(store: FakeStore) -> None:
    shared, name = SharedListings(store), (OWNER, COLLECTION, "a")
    put(shared, "a")
    assert shared.shows_write(name, listed(shared)["a"])
    put(shared, "a")
    store.stale = 1
    old = listed(shared)
    assert not shared.shows_write(name, old["a"])
    assert shared.shows_write(name, listed(shared, old)["a"])


def test_a_stamp_settles_a_second_after_the_first_listing_that_shows_it(dated: DatedStore) -> None:
    """Not after the last one. A file that somebody else has written since is listed for the first time."""
    shared, name = SharedListings(dated, lambda: dated.now), (OWNER, COLLECTION, "a")
    put(shared, "a")
    dated.now = 0.7
    stat = shared.files(OWNER, COLLECTION)["a"]
    assert shared.seconds_to_settle(name, stat) == pytest.approx(0.4)
    dated.now, dated.written = 0.8, stat.written and stat.written + timedelta(seconds=1)
    dated.write(OWNER, COLLECTION, "a", b"y")
    assert shared.seconds_to_settle(name, shared.files(OWNER, COLLECTION)["a"]) == pytest.approx(1.1)
    assert shared.seconds_to_settle(name, replace(stat, written=None)) is None


def test_a_listing_that_fails_takes_no_write_from_the_clock(dated: DatedStore) -> None:
    """A file from the future says nothing of the clock if a write of ours is known that got an earlier time."""
    shared, name = SharedListings(dated, lambda: dated.now), (OWNER, COLLECTION, "a")
    dated.failures[f"files {COLLECTION}"] = Unreachable("for a moment")
    put(shared, "a")
    dated.failures.clear()
    stat = dated.files(OWNER, COLLECTION)["a"]
    assert stat.written is not None
    future = replace(stat, written=stat.written + timedelta(hours=1))
    dated.others = {"future": future}
    assert shared.seconds_to_settle(name, listed(shared)["a"]) == pytest.approx(1.1)
