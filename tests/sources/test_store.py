"""The store of the source cluster: what is asked for once, and what stamps and errors say."""

import hashlib
from dataclasses import dataclass

import pytest
from fakes.stores import FakeStore

from algosync.cluster.data import FileStat
from algosync.core.error import Denied, NotFound, SourceError
from algosync.net import Retry
from algosync.sources.store import SourceStore

URI = "data://.my/models/iris.bin"


@dataclass
class Source:
    fake: FakeStore
    store: SourceStore


@pytest.fixture
def source() -> Source:
    fake = FakeStore()
    fake.write("quality", "models", "iris.bin", b"iris")
    return Source(fake, SourceStore(fake, "https://source", Retry()))


def test_a_stamp_names_the_cluster_and_the_file(source: Source) -> None:
    assert source.store.stat(URI) == FileStat(4, f"https://source {URI} 4@1")


def test_a_local_cluster_has_the_same_stamps_at_all_its_addresses(source: Source) -> None:
    one, other = (SourceStore(source.fake, name, Retry(), lambda: "d-1a2b3c4d") for name in ("local", "http://127.0.0.1:1"))
    assert one.stat(URI) == other.stat(URI) == FileStat(4, f"local-d-1a2b3c4d {URI} 4@1")


def test_a_young_file_has_no_stamp(source: Source) -> None:
    source.fake.young = 1
    source.fake.write("quality", "models", "iris.bin", b"iris")
    assert source.store.stat(URI) == FileStat(4, None)


def test_a_collection_is_listed_once_and_a_file_read_once(source: Source) -> None:
    content = (hashlib.sha256(b"iris").hexdigest(), hashlib.md5(b"iris").hexdigest())
    assert [source.store.checksums(URI), source.store.checksums(URI)] == [content, content]
    source.store.stat(URI)
    assert source.fake.listed == ["quality/models"]
    assert source.fake.opened == ["iris.bin"]


@pytest.mark.parametrize("uri", ["data://.my/models/other.bin", "data://.my/nothing/iris.bin", "data://nobody/models/iris.bin"])
def test_a_missing_file_is_not_found(source: Source, uri: str) -> None:
    with pytest.raises(NotFound) as caught:
        source.store.stat(uri)
    assert caught.value.message == f"the source has no {uri}"


def test_an_error_of_the_cluster_is_not_taken_for_a_missing_file_and_not_kept(source: Source) -> None:
    source.fake.failures["files models"] = Denied("no")
    with pytest.raises(Denied):
        source.store.stat(URI)
    source.fake.failures.clear()
    assert source.store.stat(URI).size == 4


def test_the_owner_of_the_key_is_the_store_s(source: Source) -> None:
    assert source.store.key_owner() == "quality"


def test_without_a_source_cluster_its_files_are_refused() -> None:
    store = SourceStore(None, "", Retry())
    assert store.key_owner() is None
    with pytest.raises(SourceError, match="need a source cluster"):
        store.stat(URI)


def test_a_content_has_one_key_however_it_is_named(source: Source) -> None:
    source.fake.write("quality", "models", "model.bin", b"weights")
    key = source.store.content_key((".my", "models", "model.bin"))
    assert key == source.store.content_key(("quality", "models", "model.bin"))
    assert key == SourceStore(source.fake, "https://source", Retry()).content_key((".my", "models", "model.bin"))


def test_the_key_of_a_content_tells_cluster_owner_and_stamp(source: Source) -> None:
    source.fake.write("quality", "models", "model.bin", b"weights")
    name = ("quality", "models", "model.bin")
    keys = {source.store.content_key(name), SourceStore(source.fake, "https://other", Retry()).content_key(name)}
    source.fake.owner = "jane"
    keys.add(SourceStore(source.fake, "https://source", Retry()).content_key(name))
    source.fake.owner = "quality"
    source.fake.write("quality", "models", "model.bin", b"WEIGHTS")
    keys.add(SourceStore(source.fake, "https://source", Retry()).content_key(name))
    assert len(keys) == 4


def test_a_stamp_that_proves_nothing_makes_a_key_of_one_run(source: Source) -> None:
    source.fake.write("quality", "models", "model.bin", b"weights")
    name = ("quality", "models", "model.bin")
    again = SourceStore(source.fake, "https://source", Retry())
    assert source.store.content_key(name, trusts_stamps=False) == source.store.content_key(name, trusts_stamps=False)
    assert source.store.content_key(name, trusts_stamps=False) != again.content_key(name, trusts_stamps=False)
    source.fake.hide_stamp("quality", "models", "model.bin", 1)
    young = SourceStore(source.fake, "https://source", Retry())
    assert young.content_key(name) == young.content_key(name) != again.content_key(name)
