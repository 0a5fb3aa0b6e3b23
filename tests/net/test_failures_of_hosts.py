"""Real failures on real sockets, and their messages: one error type, one sentence, and the setting to look at."""

from __future__ import annotations

import contextlib
import gc
import re
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import certificate
from rawserver import OK, Script, head, host, listening, once, refusing_port, silent

from algosync.core.error import ClusterError, Denied, TimedOut, Unexpected, Unreachable, Untrusted

ADDRESS = "look at DESTINATION_API_ADDRESS"
PROXY = "look at HTTPS_PROXY; NO_PROXY names hosts that need no proxy"
CA = "look at DESTINATION_CA_CERT: the PEM file of the authority that signed that certificate"
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def reset(begin: bytes, *, read: bool = True) -> Script:
    def script(connection: socket.socket) -> None:
        if read:
            head(connection)
        connection.sendall(begin)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return script


BROKE = "the connection to HOST broke off: {}"
FAULTS: dict[str, tuple[Script, type[ClusterError], str, str]] = {
    "closed unanswered": (once(b""), Unreachable, BROKE.format("Remote end closed connection without response"), ADDRESS),
    "reset unanswered": (reset(b""), Unreachable, BROKE.format("Connection reset by peer"), ADDRESS),
    "no HTTP": (once(b"SSH-2.0-OpenSSH_9.2\r\n"), Unreachable, BROKE.format("SSH-2.0-OpenSSH_9.2"), ADDRESS),
    "a body cut": (once(BODY + b"123"), Unreachable, BROKE.format("IncompleteRead(3 bytes read, 2 more expected)"), ADDRESS),
    "a body reset": (reset(BODY + b"123"), Unreachable, BROKE.format("Connection reset by peer"), ADDRESS),
    "no body at all": (once(BODY), Unreachable, BROKE.format("IncompleteRead(0 bytes read, 5 more expected)"), ADDRESS),
    "a chunk cut": (once(CHUNKS + b"5\r\n123"), Unreachable, BROKE.format(".*"), ADDRESS),
    "chunks without their end": (once(CHUNKS + b"2\r\n{}\r\n"), Unreachable, BROKE.format(".*"), ADDRESS),
    "chunks that are none": (once(CHUNKS + b"zz\r\n{}\r\n0\r\n\r\n"), Unreachable, BROKE.format(".*"), ADDRESS),
    "headers cut": (
        once(b"HTTP/1.1 200 OK\r\nContent-Le"),
        Unreachable,
        BROKE.format("it ends within its headers"),
        ADDRESS,
    ),
    "two lengths": (once(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n12345"), Unreachable, BROKE.format(".*5, 6.*"), ADDRESS),
    "a header of a megabyte": (
        once(b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20)),
        Unreachable,
        BROKE.format(".*header line.*|Connection reset by peer"),
        ADDRESS,
    ),
    "headers without end": (
        once(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000),
        Unreachable,
        BROKE.format(".*100 headers|Connection reset by peer"),
        ADDRESS,
    ),
    "a redirect": (
        once(b"HTTP/1.1 307 Moved\r\nLocation: https://evil.example/x?y\r\nContent-Length: 0\r\n\r\n"),
        Unexpected,
        "307, a redirect to evil.example; redirects are never followed, because they would carry the key elsewhere",
        ADDRESS,
    ),
    "a wrong key": (
        once(b'HTTP/1.1 401 No\r\nContent-Length: 36\r\n\r\n{"error":{"message":"no such user"}}'),
        Denied,
        "401 no such user",
        "look at DESTINATION_API_KEY: it is wrong, or has expired",
    ),
    "a weak key": (
        once(b"HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nread only"),
        Denied,
        "403 read only",
        "look at DESTINATION_API_KEY: it may not do this",
    ),
}


def message_of(url: str, error: ClusterError) -> str:
    """The message after the request, with HOST for the unpredictable part. Checks what no message may contain."""
    assert re.search(r"0x[0-9a-f]{6}|<urllib3|object at|Traceback|_ssl\.c", error.message) is None
    assert error.message.startswith("GET /v1/data/: ")
    return error.message.removeprefix("GET /v1/data/: ").replace(url.partition("//")[2], "HOST")


@pytest.mark.parametrize("name", FAULTS)
def test_each_failure_has_its_message(name: str) -> None:
    script, kind, message, hint = FAULTS[name]
    with listening(script) as raw, pytest.raises(ClusterError) as caught:
        host(raw.url).answer("GET", "/v1/data/?marker=x", {})
    assert type(caught.value) is kind
    assert re.fullmatch(message if ".*" in message else re.escape(message), message_of(raw.url, caught.value))
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:{}", "HOST cannot be reached: Connection refused"),
        ("http://nobody.invalid:{}", "the name of HOST cannot be resolved: .*"),
        (f"http://{'a' * 70}.example:{{}}", "the name of HOST cannot be resolved: .*"),
    ],
)
def test_unreachable_hosts(url: str, message: str) -> None:
    url = url.format(refusing_port())
    with pytest.raises(Unreachable) as caught:
        host(url).answer("GET", "/v1/data/", {})
    assert type(caught.value) is Unreachable
    assert re.fullmatch(message, message_of(url, caught.value))
    assert caught.value.hint == ADDRESS


def test_ipv4_is_tried_if_ipv6_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(once(OK)) as raw:
        here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", raw.port))
        refused = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", refusing_port(), 0, 0))
        unknown = (31, socket.SOCK_STREAM, 6, "", ("x", 1))  # an address family that this kernel lacks
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [refused, unknown, here])
        assert host(raw.url).answer("GET", "/", {}).body == b"{}"
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [unknown])
    with pytest.raises(Unreachable, match="cannot be reached"):
        host(raw.url).answer("GET", "/", {})
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    with pytest.raises(Unreachable, match="the name has no address"):
        host(raw.url).answer("GET", "/", {})


@pytest.mark.parametrize(
    ("names", "days", "message", "hint"),
    [
        (("localhost",), 1, "the certificate of HOST is refused: .*local issuer.*", CA),
        (
            ("localhost",),
            -1,
            "the certificate of HOST is refused: certificate has expired",
            "it has to be renewed on the server, or this machine's clock is wrong; DESTINATION_CA_CERT cannot help",
        ),
        (
            ("elsewhere.example",),
            1,
            "the certificate of HOST is refused: Hostname mismatch.*",
            f"{ADDRESS}: it has to be the name that the certificate was made for",
        ),
    ],
)
def test_certificates(names: tuple[str, ...], days: float, message: str, hint: str, tmp_path: Path) -> None:
    served = certificate(tmp_path / "server.pem", tmp_path / "cluster", names, days)
    ca = None if hint == CA else tmp_path / "cluster" / "tls" / "ca.pem"
    with listening(once(OK), served) as raw, pytest.raises(ClusterError) as caught:
        host(raw.secure, ca=ca).answer("GET", "/v1/data/", {})
    assert type(caught.value) is Untrusted
    assert re.fullmatch(message, message_of(raw.secure, caught.value))
    assert caught.value.hint == hint


def test_a_certificate_for_another_address(tmp_path: Path) -> None:
    served = certificate(tmp_path / "server.pem", tmp_path / "cluster", ("localhost",))
    with listening(once(OK), served) as raw, pytest.raises(Untrusted) as caught:
        host(f"https://127.0.0.1:{raw.port}", ca=tmp_path / "cluster/tls/ca.pem").answer("GET", "/v1/data/", {})
    assert caught.value.hint == f"{ADDRESS}: it has to be the name that the certificate was made for"


def test_a_server_without_tls() -> None:
    with listening(lambda connection: connection.sendall(b"HTTP/1.1 400 This is plain HTTP\r\n\r\n")) as raw:
        with pytest.raises(Unreachable) as caught:
            host(raw.secure).answer("GET", "/v1/data/", {})
        assert type(caught.value) is Unreachable
        assert re.fullmatch(r"HOST does not speak TLS correctly: .*", message_of(raw.secure, caught.value))
        assert caught.value.hint == ADDRESS


def test_truncated_tls_is_a_broken_connection() -> None:
    with listening(lambda connection: connection.shutdown(socket.SHUT_WR)) as raw, pytest.raises(Unreachable) as caught:
        host(raw.secure).answer("GET", "/v1/data/", {})
    assert re.fullmatch(
        r"the connection to HOST broke off: (EOF .*|TLS/SSL connection has been closed \(EOF\)|Connection reset by peer)",
        message_of(raw.secure, caught.value),
    )


@pytest.mark.parametrize("tls", [False, True])
def test_a_refusal_during_an_upload_is_reported(tls: bool, tmp_path: Path) -> None:
    """The server refuses after the headers and closes: its reply is reported, not the failed write."""
    served = certificate(tmp_path / "server.pem", tmp_path / "cluster") if tls else None

    def refuse(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    with listening(refuse, served) as raw:
        target = host(raw.secure, ca=tmp_path / "cluster/tls/ca.pem") if tls else host(raw.url)
        with pytest.raises(Denied):
            target.answer("PUT", "/big", {"Content-Length": str(32 << 20)}, iter([b"x" * (1 << 20)] * 32))


@contextmanager
def proxy(reply: bytes) -> Iterator[str]:
    with listening(once(reply)) as raw:
        yield raw.url


PROXIES: dict[str, tuple[bytes, type[ClusterError], str, str]] = {
    "a password is missing": (
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
        Denied,
        "the proxy asks for a user name and a password, or refuses the given ones: 407",
        "look at HTTPS_PROXY: http://USER:PASSWORD@PROXY:PORT, special characters of both written as %XX",
    ),
    "a password is wrong": (
        b"HTTP/1.1 401 Unauthorized\r\n\r\n",
        Denied,
        "the proxy asks for a user name and a password, or refuses the given ones: 401",
        "look at HTTPS_PROXY: http://USER:PASSWORD@PROXY:PORT, special characters of both written as %XX",
    ),
    "forbidden": (b"HTTP/1.1 403 Filtered\r\n\r\n", Denied, "the proxy refuses to connect to HOST: 403 Filtered", PROXY),
    "no such host": (
        b"HTTP/1.1 502 Bad \x1b[2JGateway\r\n\r\n",
        Unreachable,
        "the proxy cannot connect to HOST: 502 Bad \\x1b[2JGateway",
        f"{ADDRESS}, HTTPS_PROXY and NO_PROXY",
    ),
    "closed": (
        b"",
        Unreachable,
        "the connection to HOST, through the proxy, broke off: Remote end closed connection without response",
        f"{ADDRESS}, HTTPS_PROXY and NO_PROXY",
    ),
    "no HTTP": (
        b"nonsense\r\n\r\n",
        Unreachable,
        "the connection to HOST, through the proxy, broke off: nonsense",
        f"{ADDRESS}, HTTPS_PROXY and NO_PROXY",
    ),
}


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_that_refuses_the_tunnel(name: str) -> None:
    reply, kind, message, hint = PROXIES[name]
    with proxy(reply) as address, pytest.raises(ClusterError) as caught:
        host("https://far.example:8443", proxy=address.replace("//", "//me:hunter2@")).answer("GET", "/v1/data/", {})
    assert type(caught.value) is kind
    assert message_of("https://far.example:8443", caught.value) == message
    assert caught.value.hint == hint
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://127.0.0.1:{}", "the proxy cannot be reached: Connection refused"),
        ("http://nobody.invalid:{}", "the name of the proxy cannot be resolved: .*"),
    ],
)
def test_an_unreachable_proxy(address: str, message: str) -> None:
    with pytest.raises(Unreachable) as caught:
        host("https://far.example", proxy=address.format(refusing_port())).answer("GET", "/v1/data/", {})
    assert re.fullmatch(message, message_of("https://far.example", caught.value))
    assert caught.value.hint == PROXY


def test_a_proxy_for_plain_http_that_requires_a_password() -> None:
    from algosync.net import Host, Net, Proxies, SettingNames

    with proxy(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as address:
        net = Net(Proxies.read({"HTTP_PROXY": address}))
        with pytest.raises(Denied) as caught:
            Host("http://far.example", SettingNames.of("SOURCE"), net, None).answer("GET", "/v1/data/", {})
    assert caught.value.hint == "look at HTTP_PROXY: http://USER:PASSWORD@PROXY:PORT, special characters of both written as %XX"


def test_a_reply_that_is_too_long_for_memory_is_refused() -> None:
    def script(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"{},\n" * 100_000)

    with listening(script) as raw, pytest.raises(Unexpected, match="the reply is longer than 33554432 bytes"):
        host(raw.url).answer("GET", "/v1/data/", {})


def test_a_host_without_setting_names_has_a_message() -> None:
    from algosync.net import Host, Net, SettingNames

    url = f"http://127.0.0.1:{refusing_port()}"
    with pytest.raises(Unreachable) as caught:
        Host(url, SettingNames(), Net(), None).answer("GET", "/v1/data/", {})
    assert caught.value.hint is None


@pytest.mark.parametrize("size", [1000, 100_000])  # a small one is sent over a kept connection
def test_a_failed_request_leaves_no_body_for_the_garbage_collector(size: int) -> None:
    body = bytes(size)
    references = sys.getrefcount(body)
    with listening(once(b"")) as raw:
        connection = host(raw.url)
        gc.disable()
        try:
            for _ in range(3):
                with contextlib.suppress(ClusterError):
                    connection.answer("PUT", "/v1/data/o/c/f", {}, body)
            assert sys.getrefcount(body) == references
        finally:
            gc.enable()


def test_a_timeout_names_the_option() -> None:
    with listening(silent) as raw:
        with pytest.raises(TimedOut) as caught:
            host(raw.url).answer("GET", "/v1/data/", {}, within=0.3)
        assert message_of(raw.url, caught.value) == "HOST sent no complete reply within 0 s, or it was slower than the minimum rate"
    assert caught.value.hint == f"{ADDRESS}; --request-timeout gives it more time"


@pytest.mark.parametrize("status", [b"404 No", b"502 Bad Gateway", b"400 No", b"503 Busy"])
def test_a_bare_status_names_the_host_and_its_variable(status: bytes) -> None:
    with listening(once(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")) as raw, pytest.raises(ClusterError) as caught:
        host(raw.url).answer("GET", "/v1/data/", {})
    assert caught.value.hint == f"127.0.0.1:{raw.port} answered; look at DESTINATION_API_ADDRESS"
