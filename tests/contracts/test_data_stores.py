"""What every store of data files promises. A store is added to the suite by one line in `STORES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.stores import FakeStore
from harness import Cluster, cluster_process

from algosync.cluster.data import DataStore, WritableStore
from algosync.cluster.directory import Directory
from algosync.core.error import ClusterError, NotFound

CONTENT = bytes(range(256))


@dataclass(frozen=True)
class Case:
    """A store that holds `model.bin` and `empty.bin` in the owner's collection `models`."""

    store: DataStore
    owner: str


@dataclass(frozen=True)
class WritableCase(Case):
    store: WritableStore


def fake(folder: Path, cluster: Cluster) -> WritableCase:
    store = FakeStore("quality")
    for name, data in (("model.bin", CONTENT), ("empty.bin", b"")):
        store.write("quality", "models", name, data)
    return WritableCase(store, "quality")


def directory(folder: Path, cluster: Cluster) -> Case:
    (folder / "quality" / "models").mkdir(parents=True)
    (folder / "quality" / "models" / "model.bin").write_bytes(CONTENT)
    (folder / "quality" / "models" / "empty.bin").write_bytes(b"")
    return Case(Directory(folder), "quality")


def data_api(folder: Path, cluster: Cluster) -> WritableCase:
    data = cluster.api().data
    data.create_collection(cluster.user, "models")
    data.put(cluster.user, "models", "model.bin", iter([CONTENT]), len(CONTENT))
    data.put(cluster.user, "models", "empty.bin", iter([]), 0)
    return WritableCase(data, cluster.user)


WRITABLE: Mapping[str, Callable[[Path, Cluster], WritableCase]] = {"fake": fake, "data API": data_api}
STORES: Mapping[str, Callable[[Path, Cluster], Case]] = {**WRITABLE, "directory": directory}


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_process(tmp_path_factory.mktemp("stores") / "cluster") as running:
        yield running


@pytest.fixture(params=STORES)
def case(request: pytest.FixtureRequest, tmp_path: Path, shared_cluster: Cluster) -> Case:
    return STORES[request.param](tmp_path, shared_cluster)


@pytest.fixture(params=WRITABLE)
def writable(request: pytest.FixtureRequest, tmp_path: Path, shared_cluster: Cluster) -> WritableCase:
    return WRITABLE[request.param](tmp_path, shared_cluster)


def content(case: Case, owner: str, name: str) -> bytes:
    with case.store.open(owner, "models", name) as download:
        data = b"".join(download.blocks)
    assert len(data) == download.length
    return data


def test_a_collection_lists_its_files_with_their_sizes(case: Case) -> None:
    sizes = {name: stat.size for name, stat in case.store.files(case.owner, "models").items()}
    assert sizes == {"model.bin": 256, "empty.bin": 0}


def test_files_are_read_whole(case: Case) -> None:
    assert content(case, case.owner, "model.bin") == CONTENT
    assert content(case, case.owner, "empty.bin") == b""


def test_my_is_the_owner_of_the_key(case: Case) -> None:
    assert case.store.key_owner() == case.owner
    assert case.store.files(".my", "models").keys() == case.store.files(case.owner, "models").keys()
    assert content(case, ".my", "model.bin") == CONTENT


def test_what_is_missing_is_not_found(case: Case) -> None:
    with pytest.raises(NotFound):
        case.store.files(case.owner, "nothing")
    for collection, name in (("models", "nothing"), ("nothing", "model.bin")):
        with pytest.raises(NotFound), case.store.open(case.owner, collection, name):
            pytest.fail("it was opened")


def test_a_file_is_created_and_overwritten(writable: WritableCase) -> None:
    for data in (b"first", b"second one"):
        writable.store.put(writable.owner, "models", "model.bin", iter([data]), len(data))
        assert content(writable, writable.owner, "model.bin") == data
        assert writable.store.files(writable.owner, "models")["model.bin"].size == len(data)


def test_a_file_needs_its_collection(writable: WritableCase) -> None:
    with pytest.raises(NotFound):
        writable.store.put(writable.owner, "nothing", "x", iter([b"1"]), 1)


def test_a_collection_may_be_created_again_and_keeps_its_files(writable: WritableCase) -> None:
    writable.store.create_collection(writable.owner, "models")
    assert content(writable, writable.owner, "model.bin") == CONTENT
    writable.store.create_collection(writable.owner, "empty")
    assert writable.store.files(writable.owner, "empty") == {}


def readers(case: WritableCase, collection: str) -> tuple[str, ...] | None:
    return case.store.listing(case.owner, collection).readers


def test_a_listing_has_the_files_and_the_acl_of_a_collection(writable: WritableCase) -> None:
    found = writable.store.listing(writable.owner, "models")
    assert found.files.keys() == {"model.bin", "empty.bin"}
    assert found.readers == ("algo://.my/*",)
    with pytest.raises(NotFound):
        writable.store.listing(writable.owner, "nothing")


@pytest.mark.parametrize("acl", [(), ("algo://.my/*",), ("user://*",)])
def test_a_collection_is_created_with_its_acl(writable: WritableCase, acl: tuple[str, ...]) -> None:
    name = f"new{len(acl)}{'user://*' in acl}"
    writable.store.create_collection(writable.owner, name, acl)
    assert readers(writable, name) == acl


def test_a_collection_that_is_created_again_gets_the_acl(writable: WritableCase) -> None:
    writable.store.create_collection(writable.owner, "again", ("user://*",))
    writable.store.create_collection(writable.owner, "again", ())
    assert readers(writable, "again") == ()


def test_an_acl_is_replaced_and_the_files_stay(writable: WritableCase) -> None:
    writable.store.create_collection(writable.owner, "shared", ("user://*",))
    writable.store.put(writable.owner, "shared", "a", iter([b"1"]), 1)
    writable.store.set_readers(writable.owner, "shared", ())
    assert readers(writable, "shared") == ()
    assert writable.store.files(writable.owner, "shared").keys() == {"a"}
    with pytest.raises(NotFound):
        writable.store.set_readers(writable.owner, "nothing", ())


def test_a_file_is_deleted_and_its_collection_stays(writable: WritableCase) -> None:
    writable.store.create_collection(writable.owner, "doomed")
    for name in ("a", "b"):
        writable.store.put(writable.owner, "doomed", name, iter([b"1"]), 1)
    writable.store.delete(writable.owner, "doomed", "a")
    assert writable.store.files(writable.owner, "doomed").keys() == {"b"}
    with pytest.raises(NotFound):
        writable.store.delete(writable.owner, "doomed", "a")


def test_only_an_empty_collection_is_deleted(writable: WritableCase) -> None:
    writable.store.create_collection(writable.owner, "emptied")
    writable.store.put(writable.owner, "emptied", "a", iter([b"1"]), 1)
    with pytest.raises(ClusterError) as caught:
        writable.store.delete_collection(writable.owner, "emptied")
    assert not isinstance(caught.value, NotFound)
    assert writable.store.files(writable.owner, "emptied").keys() == {"a"}
    writable.store.delete(writable.owner, "emptied", "a")
    writable.store.delete_collection(writable.owner, "emptied")
    for _ in range(2):
        with pytest.raises(NotFound):
            writable.store.delete_collection(writable.owner, "emptied")
