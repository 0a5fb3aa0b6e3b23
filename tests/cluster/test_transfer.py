"""Transfers between real stores: their results, and what a destination keeps after a failure."""

import hashlib
from pathlib import Path

import pytest
from harness import Cluster

from algosync.cluster.directory import Directory
from algosync.cluster.transfer import File, digest_file, fingerprint, relay
from algosync.core.error import SourceError
from algosync.net import Retry

CONTENT = bytes(range(256)) * 10_000  # several blocks of the network
TARGET = ("local", "models", "copy.bin")


@pytest.fixture
def source(tmp_path: Path) -> Directory:
    folder = tmp_path / "source" / "quality" / "models"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(CONTENT)
    (folder / "empty.bin").write_bytes(b"")
    return Directory(tmp_path / "source")


def test_a_fingerprint_is_both_digests(source: Directory) -> None:
    found = fingerprint(File(source, (".my", "models", "model.bin")), Retry())
    assert found == (hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest())


def test_bytes_that_differ_from_the_plan_replace_nothing(source: Directory, cluster: Cluster) -> None:
    data = cluster.api().data
    data.create_collection("local", "models")
    data.put(*TARGET, iter([b"as it was"]), 9)
    with pytest.raises(SourceError) as caught:
        relay(File(source, (".my", "models", "model.bin"), len(CONTENT), "0" * 64), data, TARGET, lambda _: None, Retry())
    assert caught.value.message == "data://.my/models/model.bin changed since the plan was made"
    assert digest_file(File(data, TARGET), lambda _: None, Retry()) == (hashlib.sha256(b"as it was").hexdigest(), 9)


def test_bytes_of_the_plan_arrive(source: Directory, cluster: Cluster) -> None:
    data = cluster.api().data
    data.create_collection("local", "models")
    progress: list[int] = []
    for name, content in (("model.bin", CONTENT), ("empty.bin", b"")):
        digest = hashlib.sha256(content).hexdigest()
        sent = relay(File(source, (".my", "models", name), len(content), digest), data, TARGET, progress.append, Retry())
        assert sent == (digest, len(content))
        assert digest_file(File(data, TARGET), lambda _: None, Retry()) == sent
    assert progress[-1] == len(CONTENT)
