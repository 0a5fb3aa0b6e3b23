"""What RFC 9110 lets servers and gateways send: every status, interim answers, and every way to end a body."""

from __future__ import annotations

import re
import socket

import pytest
from rawserver import OK, answers, head, host, listening, once

from algosync.core.error import ClusterError, Conflict, Denied, NotFound, Throttled, Unexpected, Unreachable
from algosync.net.retry import is_transient

BODY = b'{"result": 12345}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
KINDS = {401: Denied, 403: Denied, 407: Denied, 409: Conflict, 429: Throttled, 503: Throttled}
WITHOUT_BODY = (204, 304)
PARTS = (206, 207, 226)
PASSING = (404, 408, 421, 425, 429)


def by_path(connection: socket.socket) -> None:
    """Answer `GET /STATUS` with that status, and an interim status with 200 after it, on a connection that is kept."""
    while request := head(connection):
        status = int(request.split()[1][1:])
        if status in WITHOUT_BODY:
            connection.sendall(b"HTTP/1.1 %d X\r\n\r\n" % status)
        elif status < 200 and status != 101:
            interim = b"HTTP/1.1 %d X\r\nLink: </x>\r\n\r\n" % status
            connection.sendall(interim * 3 + COMPLETE["length"])
        else:
            connection.sendall(b"HTTP/1.1 %d X\r\n%s\r\n%s" % (status, LENGTH, BODY))


def test_every_status_has_its_answer_or_error() -> None:
    with listening(by_path) as raw:
        reached = host(raw.url)
        for status in range(100, 600):
            if status == 101 or status >= 300 or status in PARTS:
                with pytest.raises(ClusterError) as caught:
                    reached.answer("GET", f"/{status}", {})
                assert type(caught.value) is KINDS.get(status, Unexpected), status
                assert caught.value.status == (None if status == 407 else status)  # 407 is an answer of a proxy
                passing = status in PASSING or status < 300 or status >= 500
                assert is_transient(caught.value) is passing, status
            else:
                answer = reached.answer("GET", f"/{status}", {})
                assert answer.status == (200 if status < 200 else status)
                assert answer.body == (b"" if status == 204 else BODY)


def test_a_status_outside_of_the_classes_is_an_error() -> None:
    for status in (b"000", b"099", b"600", b"999", b"1000", b"20", b"2OO", b"-200"):
        with listening(once(b"HTTP/1.1 " + status + b" X\r\n" + LENGTH + b"\r\n" + BODY)) as raw, pytest.raises(ClusterError):
            host(raw.url).answer("GET", "/", {})


@pytest.mark.parametrize("status", [b"100", b"102", b"103", b"199"])
def test_the_answer_after_an_interim_one_belongs_to_the_same_request(status: bytes) -> None:
    """Otherwise it would be read as the answer to the next request on the same connection."""
    interim = b"HTTP/1.1 " + status + b" Wait\r\nX: y\r\n\r\n"
    first, second = (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + digit for digit in (b"1", b"2"))
    with listening(answers(interim + first, second)) as raw:
        reached = host(raw.url)
        assert [reached.answer("GET", "/", {}).body for _ in range(2)] == [b"1", b"2"]


def test_interim_answers_without_a_final_one_are_a_broken_connection() -> None:
    for rest in (b"", b"HTTP/1.1 103 Hints\r\nX: y\r\n\r\n", b"HTTP/1.1 103 Hints\r\nX: "):
        with listening(once(b"HTTP/1.1 100 Continue\r\n\r\n" + rest)) as raw, pytest.raises(Unreachable):
            host(raw.url).answer("GET", "/", {})


COMPLETE: dict[str, bytes] = {
    "length": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "the same length twice": b"HTTP/1.1 200 OK\r\n" + LENGTH * 2 + b"\r\n" + BODY,
    "the same length in one list": b"HTTP/1.1 200 OK\r\nContent-Length: 17, 17\r\n\r\n" + BODY,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n10\r\n" + BODY[1:] + b"\r\n0\r\n\r\n",
    "chunks in capitals": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n11\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunks with extensions and trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0011;a=b\r\n"
    + BODY
    + b"\r\n0;c\r\nX: y\r\n\r\n",
    "chunks and a length": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n"
    + BODY
    + b"\r\n0\r\n\r\n",
    "the end of the connection": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY,
    "the end of the connection, unannounced": b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    "HTTP/1.0 with a length": b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "bare line feeds": b"HTTP/1.1 200 OK\n" + LENGTH.replace(b"\r", b"") + b"\n" + BODY,
    "no reason": b"HTTP/1.1 200\r\n" + LENGTH + b"\r\n" + BODY,
    "folded headers": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n" + LENGTH + b"\r\n" + BODY,
    "names in capitals": b"HTTP/1.1 200 OK\r\n" + LENGTH.upper() + b"\r\n" + BODY,
    "the coding identity": b"HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\n" + LENGTH + b"\r\n" + BODY,
}
INCOMPLETE: dict[str, bytes] = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\nContent-Length: 16\r\n\r\n" + BODY,
    "two lengths in one list": b"HTTP/1.1 200 OK\r\nContent-Length: 17, 16\r\n\r\n" + BODY,
    **{
        f"the length {text!r}": b"HTTP/1.1 200 OK\r\nContent-Length: " + text + b"\r\n\r\n" + BODY
        for text in (b"-17", b"+17", b"1_7", b"0x11", b"17.0", b"a", b"9" * 30, b"17,")
    },
    "another transfer coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n11\r\n" + BODY + b"\r\n0\r\n\r\n",
    "another transfer coding and a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n" + LENGTH + b"\r\n" + BODY,
    "chunked twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n11\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunks without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n" + BODY + b"\r\n",
    "a cut length": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY[:-1],
    "cut headers": b"HTTP/1.1 200 OK\r\n" + LENGTH,
    "cut headers without a body": b"HTTP/1.1 204 No Content\r\nX: y\r\n",
    "headers without their empty line": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
}


@pytest.mark.parametrize("name", COMPLETE)
def test_every_framing_is_read_to_its_end(name: str) -> None:
    with listening(once(COMPLETE[name])) as raw:
        assert host(raw.url).answer("GET", "/", {}).body == BODY


@pytest.mark.parametrize("name", INCOMPLETE)
def test_an_unclear_end_is_a_broken_connection(name: str) -> None:
    with listening(once(INCOMPLETE[name])) as raw, pytest.raises(Unreachable):
        host(raw.url).answer("GET", "/", {})


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"HTTP/1.1 204 No\r\n\r\n"]
)
def test_a_success_without_a_body_needs_no_length(reply: bytes) -> None:
    with listening(once(reply)) as raw:
        assert host(raw.url).answer("DELETE", "/", {}).body == b""


@pytest.mark.parametrize("reply", [b"HTTP/1.0 404 No\r\n\r\n", b"HTTP/1.1 404 No\r\nConnection: close\r\n\r\n"])
def test_a_refusal_that_may_have_lost_its_body_says_nothing_about_the_resource(reply: bytes) -> None:
    with listening(once(reply)) as raw, pytest.raises(ClusterError) as caught:
        host(raw.url).answer("GET", "/", {})
    assert not isinstance(caught.value, NotFound)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n{}",
    ],
)
def test_bytes_after_an_answer_without_a_body_are_not_the_next_answer(reply: bytes) -> None:
    with listening(answers(reply, OK)) as raw:
        reached = host(raw.url)
        for _ in range(2):
            try:
                assert reached.answer("GET", "/", {}).status == 204
            except Unexpected:
                assert not reply.startswith(b"HTTP/1.1 204")
        assert len(raw.connections) == 2  # the first one was not used again


def test_a_compressed_refusal_is_not_shown_as_text() -> None:
    reply = b"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8bxy"
    with listening(once(reply)) as raw, pytest.raises(ClusterError) as caught:
        host(raw.url).answer("GET", "/", {})
    assert re.fullmatch(r"GET /: 500.*", caught.value.message)
    assert "xy" not in caught.value.message


@pytest.mark.parametrize("now", ["Thu, 29 Feb 2024 13:30:00 GMT", "Thursday, 29-Feb-24 13:30:00 GMT", "Thu Feb 29 13:30:00 2024"])
def test_retry_after_may_be_each_form_of_a_date(now: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    later = now.replace("13:30:00", "13:31:30")
    reply = f"HTTP/1.1 503 Busy\r\nDate: {now}\r\nRetry-After: {later}\r\nContent-Length: 0\r\n\r\n".encode()
    with listening(once(reply)) as raw, pytest.raises(Throttled) as caught:
        host(raw.url).answer("GET", "/", {})
    assert caught.value.retry_after == 90
