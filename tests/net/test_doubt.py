"""What a failure says about whether the request, or an earlier attempt, took effect."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
from fakeclock import FakeTime
from harness import certificate
from rawserver import OK, host, listening, once, refusing_port

from algosync.core.error import (
    AlgosyncError,
    ClusterError,
    Conflict,
    Denied,
    NotFound,
    SourceError,
    Throttled,
    Unexpected,
    Unreachable,
)
from algosync.net import Host, Net, Proxies, Retry, SettingNames, Trust
from algosync.net.failure import from_reply
from algosync.net.retry import is_transient


def failure(target: Host) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        target.answer("PUT", "/", {}, b"x")
    return caught.value


def test_a_request_that_was_never_transmitted_is_not_sent(tmp_path: Path) -> None:
    served = certificate(tmp_path / "server.pem", tmp_path / "cluster")
    fake = FakeTime()

    def passing(connection: socket.socket) -> None:
        connection.recv(1, socket.MSG_PEEK)
        fake.advance(25)

    def refusing(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 No\r\n\r\n")

    with (
        listening(once(OK), served) as untrusted,
        listening(refusing) as plain,
        listening(once(b"HTTP/1.1 502 No\r\n\r\n")) as proxy,
        listening(passing) as mute,
    ):
        targets = [
            host(f"http://127.0.0.1:{refusing_port()}"),
            host("http://nobody.invalid"),
            host(untrusted.secure),
            host(plain.secure),
            host("https://far.example", proxy=proxy.url),
            host("https://far.example", proxy=f"http://127.0.0.1:{refusing_port()}"),
            host(mute.secure, timeout=20, watch=fake.watch),
        ]
        assert [failure(target).sent for target in targets] == [False] * len(targets)


def test_what_went_out_may_have_been_carried_out() -> None:
    fake = FakeTime()

    def passing(connection: socket.socket) -> None:
        connection.recv(1, socket.MSG_PEEK)
        fake.advance(25)

    with listening(once(b"")) as closed, listening(passing) as mute:
        late = host(mute.url, timeout=20, watch=fake.watch)
        assert [failure(host(closed.url)).sent, failure(late).sent] == [True, True]


class Failing:
    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    def __call__(self) -> None:
        raise self.failures.pop(0)


def unsent(error: ClusterError) -> ClusterError:
    error.sent = False
    return error


@pytest.mark.parametrize("last", [Denied("no"), NotFound("no"), Conflict("no"), SourceError("no"), unsent(Unreachable("no"))])
@pytest.mark.parametrize("first_sent", [True, False])
def test_the_doubt_about_an_earlier_attempt_is_kept(last: AlgosyncError, first_sent: bool) -> None:
    first = Unreachable("lost")
    first.sent = first_sent
    last.repeated = False
    with pytest.raises(type(last)) as caught:
        Retry(tries=3, pause=lambda _: None).run(Failing(first, unsent(Unreachable("away")), last))
    assert caught.value is last
    assert caught.value.repeated is first_sent


def test_an_unsent_request_is_retried_without_a_look() -> None:
    def look() -> None:
        raise AssertionError

    with pytest.raises(Denied):
        Retry(pause=lambda _: None).run_once(Failing(unsent(Unreachable("away")), Denied("no")), look)


def test_a_busy_server_gets_a_pause_before_the_look() -> None:
    order: list[str] = []

    def look() -> str:
        order.append("look")
        return "done"

    busy = Throttled("busy", status=503)
    busy.retry_after = 9.0
    assert Retry(pause=lambda _: order.append("wait")).run_once(Failing(busy), look) == "done"
    assert order == ["wait", "look"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b'{"error":"No such algorithm"}', NotFound),
        (404, b'{"error":{"message":"path not found"}}', NotFound),
        (404, b'{"id":"x","code":1000,"message":"gone"}', NotFound),
        (404, b"", NotFound),
        (404, b"<html>404 Not Found</html>", Unexpected),
        (404, b"default backend - 404", Unexpected),
        (404, b'{"message":"no Route matched"}', Unexpected),
        (404, b'{"status":404,"error":"Not Found","path":"/x"}', Unexpected),
        (404, b"[]", Unexpected),
        (404, None, Unexpected),
        (502, b'{"error":{"code":1000,"message":"x"}}', Unexpected),
        (503, b'{"error":{"code":1001,"message":"x"}}', Unexpected),
        (400, b'{"error":{"code":1000,"message":"x"}}', NotFound),
    ],
)
def test_not_found_only_for_replies_of_the_platform(status: int, body: bytes | None, kind: type[ClusterError]) -> None:
    error = from_reply("GET /", status, {}, body, SettingNames())
    assert type(error) is kind
    assert is_transient(error) is (kind is Unexpected)


@pytest.mark.parametrize(
    "rest",
    [b"Content-Length: 50\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\nzz", b"\r\n", b"\r\n" + b"x" * (2 << 20)],
)
def test_a_failure_with_a_broken_body_keeps_its_status(rest: bytes) -> None:
    with listening(once(b"HTTP/1.1 401 No\r\n" + rest)) as raw:
        assert type(failure(host(raw.url))) is Denied
    with listening(once(b"HTTP/1.1 503 No\r\nRetry-After: 7\r\n" + rest)) as raw:
        assert failure(host(raw.url)).retry_after == 7
    with listening(once(b"HTTP/1.1 404 No\r\n" + rest)) as raw:
        assert type(failure(host(raw.url))) is Unexpected


@pytest.mark.parametrize("status", [b"401 No", b"407 No"])
def test_a_refusal_by_a_proxy_for_plain_http_names_the_proxy(status: bytes) -> None:
    reply = b"HTTP/1.1 " + status + b"\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
    with listening(once(reply)) as proxy:
        net = Net(Proxies.read({"HTTP_PROXY": proxy.url}), Retry(tries=1))
        error = failure(Host("http://far.example", SettingNames.of("SOURCE"), net))
    assert (type(error), error.sent) == (Denied, False)
    assert error.hint is not None
    assert error.hint.startswith("look at HTTP_PROXY: ")


def test_an_https_git_server_of_an_http_api_is_checked_with_the_given_ca_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = certificate(tmp_path / "server.pem", tmp_path / "cluster")
    ca = tmp_path / "cluster/tls/ca.pem"
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    with listening(once(OK), served) as raw:
        api = Host("http://127.0.0.1:9", SettingNames(), Net(retry=Retry(tries=1)), Trust(str(ca), "DESTINATION_CA_CERT"))
        assert api.at(raw.secure, SettingNames()).answer("GET", "/", {}).body == b"{}"
        assert (
            type(failure(Host("http://127.0.0.1:9", SettingNames(), Net()).at(raw.secure, SettingNames()))).__name__ == "Untrusted"
        )
    assert not (tmp_path / "keys.log").exists()


def test_the_common_name_of_a_certificate_is_ignored() -> None:
    context = Trust().context()
    assert isinstance(context, ssl.SSLContext)
    assert context.hostname_checks_common_name is False
