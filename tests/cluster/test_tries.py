"""Which requests are repeated, and what is known about their effect afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_wire import http, server

from algosync.cluster.directory import Directory
from algosync.cluster.transfer import File, relay
from algosync.cluster.wire import Download, JsonReply
from algosync.core.error import AlgosyncError, Denied, SourceError, Unexpected, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from algosync.cluster.data import FileStat

TARGET = ("me", "models", "copy.bin")
BUSY = http("503 Unavailable", b"")


def test_a_build_is_requested_once() -> None:
    for reply, error in ((b"", Unreachable), (http("500 No", b""), Unexpected)):
        requests: list[bytes] = []
        with server(reply, requests) as cluster, pytest.raises(error):
            cluster.algorithms.compile("me", "Hello")
        assert len(requests) == 1


@pytest.mark.parametrize("reply", [http("200 OK", b"<html>"), http("504 Gateway Timeout", b"<html>")])
def test_an_accepted_build_request_is_not_repeated(reply: bytes) -> None:
    requests: list[bytes] = []
    with server(reply, requests) as cluster:
        cluster.algorithms.compile("me", "Hello")
    assert len(requests) == 1


def test_each_request_for_environments_is_retried_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    languages = [{"name": f"language{number}"} for number in range(3)]

    with server(b"") as cluster:

        def answer(_method: str, path: str) -> JsonReply:
            asked.append(path)
            if len(asked) % 2:
                raise Unreachable("lost")
            return JsonReply(200, languages if len(asked) == 2 else [], None)

        monkeypatch.setattr(cluster.algorithms.wire, "json", answer)  # below our retries
        assert cluster.algorithms.environments() == ()
    each = [f"/v1/algorithm-environments/edge/languages{rest}" for rest in ("", *(f"/language{n}/environments" for n in range(3)))]
    assert asked == [path for path in each for _ in range(2)]


class Store:
    """A source that follows a script, one step each time it is opened."""

    def __init__(self, *openings: Callable[[], Download]) -> None:
        self.openings = list(openings)

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        raise NotImplementedError

    def key_owner(self) -> str | None:
        return None

    @contextmanager
    def open(self, owner: str, collection: str, name: str) -> Iterator[Download]:
        yield self.openings.pop(0)()


def good() -> Download:
    return Download(3, iter([b"abc"]))


def denied() -> Download:
    raise Denied("no", status=401)


def longer() -> Download:
    return Download(4, iter([b"abcd"]))


@pytest.mark.parametrize(("openings", "repeated"), [((denied,), False), ((good, denied), True)])
def test_a_failure_at_the_source_says_whether_anything_was_sent(
    openings: tuple[Callable[[], Download], ...], repeated: bool
) -> None:
    with server(BUSY) as cluster, pytest.raises(Denied) as caught:
        relay(File(Store(*openings), ("a", "b", "c")), cluster.data, TARGET, lambda _: None, cluster.retry)
    assert (caught.value.sent, caught.value.repeated) == (False, repeated)


def test_a_length_that_differs_from_the_listing_is_read_twice() -> None:
    store = Store(longer, longer, longer)
    with server(BUSY) as cluster, pytest.raises(SourceError) as caught:
        relay(File(store, ("a", "b", "c"), 3), cluster.data, TARGET, lambda _: None, cluster.retry)
    assert len(store.openings) == 1
    assert caught.value.hint == "the file has just changed, or the server lies; run the same command again"
    assert not caught.value.sent
    with server(http("200 OK", json.dumps({"result": "data://me/models/copy.bin"}).encode())) as cluster:
        assert relay(File(Store(longer, good), ("a", "b", "c"), 3), cluster.data, TARGET, lambda _: None, cluster.retry)[1] == 3


def test_an_empty_file_is_relayed_too(tmp_path: Path) -> None:
    (tmp_path / "me" / "models").mkdir(parents=True)
    (tmp_path / "me" / "models" / "empty").write_bytes(b"")
    with server(b"") as cluster, pytest.raises(AlgosyncError) as caught:
        relay(File(Directory(tmp_path), ("me", "models", "empty")), cluster.data, TARGET, lambda _: None, cluster.retry)
    assert caught.value.sent  # a complete body was sent, so the file may exist


BAD = "400"
PUBLISHED = {"version_info": {"semantic_version": "1.0.0", "git_hash": "abcdef1"}, "settings": {}}


@pytest.mark.parametrize(
    ("posts", "versions", "requests"),
    [
        ([BAD, PUBLISHED], [], ["POST", "GET", "POST"]),
        ([BAD], [PUBLISHED], ["POST", "GET"]),
        ([BAD] * 6, [], ["POST", "GET"] * 6),
    ],
    ids=["nothing-was-published", "it-was-published", "it-does-not-pass"],
)
def test_a_400_on_publish_is_looked_at_and_tried_again(
    posts: list[object], versions: list[object], requests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left, seen = list(posts), list[str]()

    def answer(method: str, *_: object, **__: object) -> object:
        seen.append(method)
        reply = left.pop(0) if method == "POST" else {"results": versions}
        if reply == BAD:
            raise Unexpected("POST: 400", status=400)
        return reply

    with server(b"") as cluster:
        monkeypatch.setattr(cluster.algorithms, "_object", answer)
        if len(posts) == 6:
            with pytest.raises(Unexpected) as caught:
                cluster.algorithms.publish("me", "Hello", "abcdef1", {})
            assert caught.value.message == "POST: 400 (tried 6 times)"
        else:
            assert cluster.algorithms.publish("me", "Hello", "abcdef1", {}).number == "1.0.0"
    assert seen == requests
