"""Downloads whose connection breaks: when they go on where they stopped, and what a lying server achieves."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest
from fakes.stores import FakeStore
from test_wire import KEY, whole_request

from algosync.cluster.address import parse
from algosync.cluster.connection import Cluster, connect
from algosync.cluster.data import Stored
from algosync.cluster.transfer import File, digest_file, relay
from algosync.core.credential import credential
from algosync.core.error import AlgosyncError, NotFound, SourceError, Unreachable
from algosync.net import Net, Retry

CONTENT = bytes(range(256)) * 8192  # 2 MiB: it is sent as it arrives
OTHER = CONTENT[::-1]
CUT = 1_500_000
FROM = CUT - 4096
DATE, OLD, YOUNG = (f"Mon, 30 Nov 2026 10:00:{second} GMT" for second in ("30", "10", "29"))
NAME, TARGET = ("me", "models", "m.bin"), ("local", "models", "copy.bin")
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def reply(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", f"Date: {DATE}", *headers]
    return "\r\n".join((*lines, "Connection: close", "", "")).encode() + body


OFFERS = ("Accept-Ranges: bytes", 'ETag: "one"', f"Last-Modified: {OLD}")
BROKEN = reply("200 OK", CONTENT[:CUT], *OFFERS, length=len(CONTENT))
WHOLE = reply("200 OK", CONTENT, *OFFERS)


def part(content: bytes = CONTENT, *headers: str, start: int = FROM, total: int = len(CONTENT)) -> bytes:
    named = f"Content-Range: bytes {start}-{len(content) - 1}/{total}"
    return reply("206 Partial Content", content[start:], named, *(headers or OFFERS[1:]))


GONE = reply("404 Not Found", b'{"error": {"message": "gone"}}')


@contextmanager
def scripted(replies: Sequence[bytes], requests: list[bytes]) -> Iterator[Cluster]:
    """Each connection gets the next reply, and is closed. The last reply is repeated."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):  # the client may close the connection before it has all of a reply
                    requests.append(whole_request(connection))
                    connection.sendall(replies[min(len(requests), len(replies)) - 1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        net = Net(retry=Retry(pause=lambda _: None))
        yield connect(parse(f"http://127.0.0.1:{listener.getsockname()[1]}", "test"), credential(KEY, "test"), net)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


class CountingStore(FakeStore):
    """Counts the bodies that began."""

    puts = 0

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        self.puts += 1
        return super().put(owner, collection, name, blocks, length)


@pytest.fixture
def destination() -> CountingStore:
    store = CountingStore("local")
    store.create_collection("local", "models")
    return store


def transferred(replies: Sequence[bytes], destination: FakeStore, digest: str | None = None) -> list[bytes]:
    """The requests that the source got."""
    requests: list[bytes] = []
    with scripted(replies, requests) as source:
        file = File(source.data, NAME, len(CONTENT), digest)
        found = relay(file, destination, TARGET, lambda _: None, source.retry)
    assert found == (destination.digest(*TARGET), len(CONTENT))
    return requests


def test_a_broken_download_goes_on_where_it_stopped(destination: CountingStore) -> None:
    requests = transferred([BROKEN, part()], destination)
    assert destination.digest(*TARGET) == DIGEST
    assert (len(requests), destination.puts) == (2, 1)
    assert f"Range: bytes={FROM}-\r\n".encode() in requests[1]
    assert b'If-Range: "one"\r\n' in requests[1]


def test_it_goes_on_several_times(destination: CountingStore) -> None:
    later = CUT + 300_000
    second = reply(
        "206 Partial Content",
        CONTENT[FROM:later],
        f"Content-Range: bytes {FROM}-{len(CONTENT) - 1}/{len(CONTENT)}",
        *OFFERS[1:],
        length=len(CONTENT) - FROM,
    )
    requests = transferred([BROKEN, second, part(start=later - 4096)], destination)
    assert destination.digest(*TARGET) == DIGEST
    assert (len(requests), destination.puts) == (3, 1)


def test_what_is_read_for_its_digest_goes_on_too() -> None:
    requests: list[bytes] = []
    with scripted([BROKEN, part()], requests) as source:
        assert digest_file(File(source.data, NAME, len(CONTENT)), lambda _: None, source.retry) == (DIGEST, len(CONTENT))
    assert len(requests) == 2


LIES = {
    "everything again": WHOLE,
    "the first bytes": part(start=0),
    "other bytes than it says": reply(
        "206 OK", CONTENT[-5:], f"Content-Range: bytes {len(CONTENT) - 5}-{len(CONTENT) - 1}/*", *OFFERS
    ),
    "no Content-Range": reply("206 Partial Content", CONTENT[FROM:], *OFFERS[1:]),
    "another total": part(CONTENT, total=len(CONTENT) + 1),
    "another ETag": part(OTHER, 'ETag: "two"', f"Last-Modified: {OLD}"),
    "no ETag": part(OTHER, f"Last-Modified: {OLD}"),
    "another Last-Modified": part(OTHER, 'ETag: "one"', f"Last-Modified: {YOUNG}"),
    "bytes of another file, with the same headers": part(OTHER),
    "compressed": part(CONTENT, *OFFERS[1:], "Content-Encoding: gzip"),
    "too few bytes": reply(
        "206 Partial Content", CONTENT[FROM:-1], f"Content-Range: bytes {FROM}-{len(CONTENT) - 1}/{len(CONTENT)}", *OFFERS[1:]
    ),
    "nothing": b"",
    "416": reply("416 Range Not Satisfiable", b""),
    "500": reply("500 Internal Server Error", b""),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_after_a_lie_the_transfer_begins_again(lie: bytes, destination: CountingStore) -> None:
    requests = transferred([BROKEN, lie, WHOLE], destination)
    assert destination.digest(*TARGET) == DIGEST
    assert (len(requests), destination.puts) == (3, 2)


@pytest.mark.parametrize(
    "offers",
    [
        (),
        ('ETag: "one"',),
        ("Accept-Ranges: none", 'ETag: "one"'),
        ("Accept-Ranges: bytes",),
        ("Accept-Ranges: bytes", 'ETag: W/"one"'),
        ("Accept-Ranges: bytes", 'ETag: "one"', f"Last-Modified: {YOUNG}"),
        ("Accept-Ranges: bytes", f"Last-Modified: {YOUNG}"),
        ("Accept-Ranges: bytes", "Last-Modified: yesterday"),
    ],
)
def test_without_a_proof_nothing_is_resumed(offers: Sequence[str], destination: CountingStore) -> None:
    requests = transferred([reply("200 OK", CONTENT[:CUT], *offers, length=len(CONTENT)), WHOLE], destination)
    assert destination.digest(*TARGET) == DIGEST
    assert not any(b"Range:" in request for request in requests)


def test_an_old_last_modified_is_a_proof(destination: CountingStore) -> None:
    broken = reply("200 OK", CONTENT[:CUT], "Accept-Ranges: bytes", f"Last-Modified: {OLD}", length=len(CONTENT))
    requests = transferred([broken, part(CONTENT, f"Last-Modified: {OLD}")], destination)
    assert (len(requests), destination.puts) == (2, 1)
    assert f"If-Range: {OLD}\r\n".encode() in requests[1]


def test_the_digest_of_the_plan_decides_also_over_resumed_bytes(destination: CountingStore) -> None:
    """The server lies perfectly: the bytes that arrive twice are equal, and only later ones are of another file."""
    lie = part(CONTENT[:CUT] + OTHER[CUT:])
    with pytest.raises(SourceError, match="changed since the plan was made"):
        transferred([BROKEN, lie], destination, DIGEST)
    with pytest.raises(KeyError):
        destination.digest(*TARGET)


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        (
            [
                BROKEN,
                reply("404 Not Found", b'{"error": {"message": "gone"}}'),
                reply("404 Not Found", b'{"error": {"message": "gone"}}'),
            ],
            NotFound,
        ),
        ([BROKEN, part(OTHER, 'ETag: "two"'), reply("200 OK", OTHER[:-1], *OFFERS)], SourceError),
        ([BROKEN, b""], Unreachable),
    ],
    ids=["deleted", "of another length now", "gone for good"],
)
def test_a_source_that_changes_meanwhile(replies: Sequence[bytes], error: type[AlgosyncError], destination: CountingStore) -> None:
    with pytest.raises(error):
        transferred(replies, destination)
    with pytest.raises(KeyError):
        destination.digest(*TARGET)
