"""Shared listings: which listing counts for whom, and how many requests that takes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes.stores import FakeStore

from algosync.cluster.data import FileStat
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
