"""Transfers between real stores: their results, and what a destination keeps after a failure."""

import hashlib
from pathlib import Path

import pytest
from harness import Cluster
from test_wire import server

from algosync.cluster.directory import Directory
from algosync.cluster.transfer import File, digest_file, fingerprint, relay
from algosync.core.error import AlgosyncError, SourceError, TransferError, Unexpected
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


FILE = b"\x1f\x8b archive"
CHUNKS = b"6\r\n" + FILE[:6] + b"\r\n4\r\n" + FILE[6:] + b"\r\n0\r\n\r\n"
ENDS = b"\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + ENDS + CHUNKS,
        b"HTTP/1.0 200 OK\r\n\r\n" + FILE,
        b"HTTP/1.1 200 OK" + ENDS + FILE,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Encoding: gzip" + ENDS + FILE,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 10\r\nContent-Encoding: Identity" + ENDS + FILE,
    ],
    ids=["chunks", "HTTP/1.0", "close", "stored-gzip", "identity"],
)
def test_the_listing_knows_the_length_of_a_file(reply: bytes) -> None:
    with server(reply) as cluster:
        digest, size = digest_file(File(cluster.data, ("me", "code", "a.tar.gz"), len(FILE)), lambda _: None, cluster.retry)
        assert (digest, size) == (hashlib.sha256(FILE).hexdigest(), len(FILE))


@pytest.mark.parametrize(
    ("reply", "size", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + ENDS + CHUNKS, None, Unexpected),
        (b"HTTP/1.1 200 OK" + ENDS + FILE, None, Unexpected),
        (b"HTTP/1.1 200 OK" + ENDS + FILE[:-1], len(FILE), TransferError),
        (b"HTTP/1.1 200 OK" + ENDS + FILE + b"x", len(FILE), TransferError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 10" + ENDS + b"1\r\nx\r\n0\r\n\r\n", 10, TransferError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10" + ENDS + FILE, None, Unexpected),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip" + ENDS + FILE, len(FILE), Unexpected),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10" + ENDS + FILE, 30, SourceError),
    ],
)
def test_a_file_of_unknown_length_or_content_is_refused(reply: bytes, size: int | None, error: type[AlgosyncError]) -> None:
    with server(reply) as cluster, pytest.raises(AlgosyncError) as caught:
        digest_file(File(cluster.data, ("me", "code", "a.tar.gz"), size), lambda _: None, cluster.retry)
    assert type(caught.value) is error
