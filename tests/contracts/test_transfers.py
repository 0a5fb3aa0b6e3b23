"""What every way to carry out transfers promises: threads, and workers, here and in processes of a Dask cluster."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from dask_processes import dask_processes
from fakes.workers import FakeWorkers
from harness import Cluster, cluster_process

from algosync.cluster.connection import Cluster as Connection
from algosync.cluster.directory import Directory
from algosync.cluster.transfer import File
from algosync.cluster.transfers import LocalTransfers, Transfers
from algosync.core.error import ClusterError, NotFound, SourceError
from algosync.executors.access import Access
from algosync.executors.remote_transfers import RemoteTransfers
from algosync.kinds.shared_listings import SharedListings
from algosync.net import Net, Retry

CONTENT = bytes(range(256)) * 10_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
MODEL, TARGET = ("local", "models", "model.bin"), ("local", "copies", "copy.bin")
RETRY = Retry(tries=1)


@dataclass(frozen=True)
class Ends:
    """Source and destination are two accesses to one cluster."""

    source: Connection
    destination: SharedListings
    access: Access

    @property
    def model(self) -> File:
        return File(self.source.data, MODEL, len(CONTENT), SHA256)


@contextmanager
def on_dask(ends: Ends, folder: Path) -> Iterator[Transfers]:
    from algosync.executors.dask_workers import dask_workers

    with dask_processes(folder, "first") as processes, dask_workers(processes.address, ends.access) as workers:
        yield RemoteTransfers(workers, ends.source.data, ends.destination)


def on_fakes(ends: Ends, folder: Path) -> AbstractContextManager[Transfers]:
    return nullcontext(RemoteTransfers(FakeWorkers(ends.access), ends.source.data, ends.destination))


def here(ends: Ends, folder: Path) -> AbstractContextManager[Transfers]:
    return nullcontext(LocalTransfers())


WAYS: Mapping[str, Callable[[Ends, Path], AbstractContextManager[Transfers]]] = {"here": here, "fake": on_fakes, "dask": on_dask}
EXTENDED = ("dask",)


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_process(tmp_path_factory.mktemp("transfers") / "cluster", tls=True) as running:
        data = running.api().data
        for collection in ("models", "copies"):
            data.create_collection("local", collection)
        data.put(*MODEL, iter([CONTENT]), len(CONTENT))
        data.put("local", "models", "empty.bin", iter([]), 0)
        yield running


@pytest.fixture(scope="module")
def ends(shared_cluster: Cluster) -> Ends:
    source, destination = shared_cluster.api(), shared_cluster.api()
    access = Access.of(destination.data, source.data, Net(retry=RETRY))
    return Ends(source, SharedListings(destination.data), access)


@pytest.fixture(scope="module", params=[pytest.param(way, marks=[pytest.mark.extended] if way in EXTENDED else []) for way in WAYS])
def transfers(request: pytest.FixtureRequest, ends: Ends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transfers]:
    with WAYS[request.param](ends, tmp_path_factory.mktemp(request.param)) as transfers:
        yield transfers


def test_a_copy_has_the_bytes_of_its_source(transfers: Transfers, ends: Ends) -> None:
    before = ends.destination.files_after_write(TARGET, None, lambda: None)
    progress: list[int] = []
    for name, content in ((MODEL[2], CONTENT), ("empty.bin", b"")):
        file = File(ends.source.data, ("local", "models", name), len(content))
        digest = hashlib.sha256(content).hexdigest()
        assert transfers.relay(file, ends.destination, TARGET, progress.append, RETRY) == (digest, len(content))
        assert transfers.digest(File(ends.destination, TARGET), progress.append, RETRY) == (digest, len(content))
    assert progress == [] or 0 < max(progress) <= len(CONTENT)
    # A listing that began before the write is not used any more.
    assert ends.destination.files_after_write(TARGET, None, lambda: None) is not before


def test_digests(transfers: Transfers, ends: Ends) -> None:
    assert transfers.digest(ends.model, lambda _: None, RETRY) == (SHA256, len(CONTENT))
    assert transfers.fingerprint(ends.model, RETRY) == (SHA256, MD5)


def test_a_folder_of_this_machine_is_a_source(transfers: Transfers, ends: Ends, tmp_path: Path) -> None:
    folder = tmp_path / "quality" / "models"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"here")
    file, digest = File(Directory(tmp_path), (".my", "models", "model.bin")), hashlib.sha256(b"here").hexdigest()
    assert transfers.digest(file, lambda _: None, RETRY) == (digest, 4)
    assert transfers.fingerprint(file, RETRY) == (digest, hashlib.md5(b"here").hexdigest())
    assert transfers.relay(file, ends.destination, TARGET, lambda _: None, RETRY) == (digest, 4)
    assert transfers.digest(File(ends.destination, TARGET), lambda _: None, RETRY) == (digest, 4)


def test_bytes_that_differ_from_the_plan_replace_nothing(transfers: Transfers, ends: Ends) -> None:
    ends.destination.put(*TARGET, iter([b"as it was"]), 9)
    changed = File(ends.source.data, MODEL, len(CONTENT), "0" * 64)
    with pytest.raises(SourceError) as caught:
        transfers.relay(changed, ends.destination, TARGET, lambda _: None, RETRY)
    assert caught.value.message == "data://local/models/model.bin changed since the plan was made"
    assert caught.value.hint == "run the same command again"
    digest = hashlib.sha256(b"as it was").hexdigest()
    assert transfers.digest(File(ends.destination, TARGET), lambda _: None, RETRY) == (digest, 9)


def told(transfers: Transfers, file: File, ends: Ends, target: tuple[str, str, str]) -> tuple[object, ...]:
    """Everything that the error of a copy tells."""
    with pytest.raises(ClusterError) as caught:
        transfers.relay(file, ends.destination, target, lambda _: None, RETRY)
    error = caught.value
    status = (error.status, error.code, error.retry_after)
    return type(error), error.message, error.hint, *status, error.sent, error.repeated, error.blocks


def test_errors_tell_the_same_everywhere(transfers: Transfers, ends: Ends) -> None:
    missing = File(ends.source.data, ("local", "models", "no.bin"))
    found = told(transfers, missing, ends, TARGET)
    assert found == told(LocalTransfers(), missing, ends, TARGET)
    assert (found[0], found[3], found[6]) == (NotFound, 404, False)
    others = ("somebody", "copies", "copy.bin")
    found = told(transfers, ends.model, ends, others)
    assert found == told(LocalTransfers(), ends.model, ends, others)
    assert found[6] is True
