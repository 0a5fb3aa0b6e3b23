"""Names with special characters arrive unchanged at the server, or are never sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

import pytest
from fuzzing import runs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rawcluster import RawServer, Request, http, raw_server

from algosync.core.error import Unexpected
from algosync.workflow.uri import algorithm_name_fault, file_name_fault, owner_fault

NAMES = {
    "plain": "model.bin",
    "space": "my model.bin",
    "space-before": " x",
    "space-behind": "x ",
    "slash": "a/b",
    "parent": "../b",
    "deep-parent": "../../../v1/users/me",
    "quoted-slash": "a%2fb",
    "quoted-twice": "a%252fb",
    "quoted-parent": "%2e%2e",
    "percent": "100%",
    "percent-and-letters": "%zz",
    "question": "a?b=c",
    "hash": "a#b",
    "backslash": "a\\b",
    "semicolon": "a;b",
    "colon": "a:b",
    "scheme": "http://evil.example.com",
    "at": "me@evil.example.com",
    "ampersand": "a&b=c",
    "plus": "a+b",
    "equals": "a=b",
    "comma": "a,b",
    "star": "*",
    "tilde": "~root",
    "quote": "a'b\"c",
    "brackets": "[a]{b}<c>",
    "pipe": "a|b^c`d",
    "option": "-rf",
    "command": "$(id)",
    "variable": "$HOME",
    "umlaut": "mödel",
    "composed": "e\u0301",
    "other-letters": "模型.bin",
    "emoji": "\U0001f600",
    "newline": "a\nb",
    "header": "a HTTP/1.1\r\nX-Evil: 1",
    "nul": "a\0b",
    "escape": "\x1b[2J",
    "delete": "\x7f",
    "c1": "\x9b2J",
    "right-to-left": "a\u202eb",
    "zero-width": "a\u200bb",
    "byte-order-mark": "\ufeffa",
    "three-dots": "...",
    "dot-first": ".hidden",
    "dot-behind": "a.",
    "255-bytes": "n" * 255,
    "300-bytes": "n" * 300,
    "not-a-character": "\uffff",
}
UNSENT = {"dot": ".", "two-dots": "..", "nothing": "", "surrogate": "a\udcffb"}
LISTED = {"files": [{"filename": "a", "size": 1, "last_modified": "2021-01-01T00:00:00.000Z"}]}


class Recorded:
    """Sends the same body as every reply, and records the requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.body = b"{}"

    def __call__(self, request: Request) -> tuple[bytes, bool]:
        self.requests.append(request)
        return http(self.body), True


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture(scope="module")
def server(recorded: Recorded) -> Iterator[RawServer]:
    with raw_server(recorded) as running:
        yield running


Verb = Callable[[str, str, str], object]


@pytest.fixture(scope="module")
def verbs(server: RawServer) -> dict[str, Verb]:
    """Each sends one request with up to three names in its path."""
    cluster = server.cluster()
    data, algorithms = cluster.data, cluster.algorithms

    def opened(owner: str, collection: str, name: str) -> None:
        with data.open(owner, collection, name) as file:
            assert b"".join(file.blocks) == b"{}"

    return {
        "open": opened,
        "put": lambda owner, collection, name: data.put(owner, collection, name, [b"x"], 1),
        "files": lambda owner, collection, _: data.files(owner, collection),
        "set-readers": lambda owner, collection, _: data.set_readers(owner, collection, ()),
        "create-collection": lambda owner, *_: data.create_collection(owner, "models"),
        "read": lambda owner, name, _: algorithms.read(owner, name),
        "update": lambda owner, name, _: algorithms.update(owner, name, {}, {}),
        "log": algorithms.build_log,
    }


PATHS = {
    "open": ("/v1/data/", 3, ""),
    "put": ("/v1/data/", 3, ""),
    "files": ("/v1/data/", 2, ""),
    "set-readers": ("/v1/data/", 2, ""),
    "create-collection": ("/v1/data/", 1, ""),
    "read": ("/v1/algorithms/", 2, ""),
    "update": ("/v1/algorithms/", 2, ""),
    "log": ("/v1/algorithms/", 2, "/builds/{}/logs"),
}


def sent(verb: str, names: tuple[str, str, str]) -> tuple[bytes, ...]:
    """Return what a server reads in the path of the request, segment by segment."""
    front, count, back = PATHS[verb]
    last = [part if part != "{}" else names[2] for part in back.split("/")[1:]]
    return tuple(part.encode() for part in [*front.split("/")[1:-1], *names[:count], *last])


def received(request: Request) -> tuple[bytes, ...]:
    assert "?" not in request.target
    assert "#" not in request.target
    return tuple(map(unquote_to_bytes, request.target.split("/")[1:]))


@pytest.mark.parametrize("verb", PATHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_arrives_unchanged(verb: str, name: str, verbs: dict[str, Verb], recorded: Recorded) -> None:
    names = (NAMES[name], "models", NAMES[name])
    recorded.requests.clear()
    verbs[verb](*names)
    assert [received(request) for request in recorded.requests] == [sent(verb, names)]
    assert recorded.requests[0].head.count(b"\r\n") == len(recorded.requests[0].head.splitlines()) - 1


@pytest.mark.parametrize("verb", PATHS)
@pytest.mark.parametrize("name", UNSENT)
def test_a_name_that_no_url_can_hold_is_not_sent(verb: str, name: str, verbs: dict[str, Verb], recorded: Recorded) -> None:
    recorded.requests.clear()
    with pytest.raises(ValueError, match=r"cannot be named|surrogates"):
        verbs[verb](UNSENT[name], "models", "x")
    assert recorded.requests == []


@settings(max_examples=runs(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(*[st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).filter(lambda t: t not in (".", ".."))] * 3))
def test_every_name_arrives_unchanged(verbs: dict[str, Verb], recorded: Recorded, names: tuple[str, str, str]) -> None:
    for verb in ("open", "read", "log"):
        recorded.requests.clear()
        verbs[verb](*names)
        assert [received(request) for request in recorded.requests] == [sent(verb, names)]


OWNERS = {"plain", "dot-behind", "255-bytes"}
REFUSED = {
    *UNSENT,
    *("space-before", "space-behind", "slash", "parent", "deep-parent", "backslash", "scheme"),
    *("newline", "header", "nul", "escape", "delete", "c1", "right-to-left", "300-bytes"),
}


@pytest.mark.parametrize("name", [*NAMES, *UNSENT])
def test_a_name_allowed_in_a_workflow_is_allowed_in_a_url(name: str) -> None:
    """Algorithms and owners have an allow-list. File names that could be read in two ways are refused."""
    text = NAMES.get(name) or UNSENT.get(name, "")
    assert (algorithm_name_fault(text) is None) == (name == "255-bytes")
    assert (owner_fault(text) is None) == (name in OWNERS)
    assert (file_name_fault(text) is None) == (name not in REFUSED)


@pytest.mark.parametrize("name", [*NAMES, *UNSENT])
def test_any_name_in_a_listing_is_only_a_name(name: str, server: RawServer, recorded: Recorded) -> None:
    text = NAMES.get(name) or UNSENT.get(name, "")
    entry = {"filename": text, "size": 1, "last_modified": "2021-01-01T00:00:00.000Z"}
    recorded.body = json.dumps({"files": [entry, *LISTED["files"]]}).encode()
    try:
        assert server.cluster().data.files("me", "models").keys() == {text, "a"}
    finally:
        recorded.body = b"{}"


@pytest.mark.parametrize("name", [key for key in [*NAMES, *UNSENT] if key not in OWNERS])
def test_an_owner_that_no_account_can_have_is_refused(name: str, server: RawServer, recorded: Recorded) -> None:
    """It would become part of paths, of git URLs and of a user name for HTTP."""
    text = NAMES.get(name) or UNSENT.get(name, "")
    recorded.body = json.dumps({"folders": [{"name": text}]}).encode()
    try:
        with pytest.raises(Unexpected) as caught:
            server.cluster().data.owners()
    finally:
        recorded.body = b"{}"
    assert caught.value.message.isprintable()
