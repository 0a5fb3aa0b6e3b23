"""Limits on the sizes of requests."""

import base64
import contextlib
import re
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Emulator, Reply

from algosync.emulator.http.limited_protocol import MAX_FILES
from algosync.emulator.http.request_limits import DRAINED_BYTES, MIB, largest_body

GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("method", "path", "most"),
    [
        ("PUT", "/v1/data/.my/box/file", 5 * GIB),
        ("PUT", "/v1/connector/data/.my/box/file", 5 * GIB),
        ("POST", "/v1/data/.my", 4 * MIB),
        ("PUT", "/v1/connector/s3/file", 4 * MIB),
        ("PUT", "/v1/algorithms/local/data", 4 * MIB),
        ("POST", "/v1/algo/local/Name", 10 * MIB + 65536),
        ("POST", "/git/local/Name.git/git-receive-pack", GIB),
        ("POST", "/webapi/v1/algorithm-environments/edge", 4 * MIB),
        ("POST", "/v1/insights", 4 * MIB),
        ("GET", "/page/", 65536),
        ("GET", "/health", 65536),
        ("POST", "/nothing", 65536),
    ],
)
def test_maximum_sizes_of_bodies(method: str, path: str, most: int) -> None:
    assert largest_body(method, path, 5 * GIB) == most


def test_data_files_have_no_limit_by_default() -> None:
    assert largest_body("PUT", "/v1/data/.my/box/file", None) is None


@pytest.mark.parametrize(
    ("path", "size"),
    [("/v1/algorithms/local", 4 * MIB + 1), ("/health", 65537), ("/v1/algo/a/b", 11 * MIB), ("/git/a/b.git/x", GIB + 1)],
)
def test_a_declared_length_above_the_limit(site: Emulator, path: str, size: int) -> None:
    """A client that expects `100 Continue`, such as curl, is refused at once."""
    key = f"Authorization: {site.key}\r\n" if not path.startswith("/git/") else f"Authorization: Basic {_basic(site)}\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: {site.host}\r\n{key}Expect: 100-continue\r\nContent-Length: {size}\r\n\r\n"
    received = answered(site, head.encode())
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close\r\n" in received


def test_a_chunked_body_above_the_limit(site: Emulator) -> None:
    def blocks(count: int) -> Iterator[bytes]:
        yield from (b" " * MIB for _ in range(count))

    fits = site.request("POST", "/v1/algorithms/local", blocks(4), {"Content-Type": "application/json"})
    assert (fits.status, fits.json["error"]["message"][:17]) == (400, "An algorithm's na")
    refused = site.request("POST", "/v1/algorithms/local", blocks(5), {"Content-Type": "application/json"})
    assert said(refused) == (413, f"The request is larger than {4 * MIB} bytes", "TooLargeError")


def said(reply: Reply) -> tuple[int, str, str]:
    return reply.status, reply.json["error"]["message"], reply.json["error"]["error_type"]


def test_a_refused_body_is_not_drained_without_bound(site: Emulator) -> None:
    """For a declared length above the bound, the reply comes at once, and the connection is closed."""
    head = f"PUT /v1/data/.my/none/file HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: {DRAINED_BYTES + 1}\r\n\r\n"
    received = answered(site, head.encode() + b"x" * 1000)
    assert received.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nconnection: close\r\n" in received


def test_a_connection_can_be_reused_after_a_refused_body(site: Emulator) -> None:
    """The rest of the body is not read as the next request."""
    head = f"PUT /v1/data/.my/none/file HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: 25\r\n\r\n".encode()
    health = f"GET /health HTTP/1.1\r\nHost: {site.host}\r\nConnection: close\r\n\r\n".encode()
    received = answered(site, head + b"GET /evil HTTP/1.1\r\nHost:" + health)
    assert re.findall(rb"HTTP/1.1 (\d+) ", received) == [b"401", b"200"]


def test_two_lengths_of_a_body(site: Emulator) -> None:
    """Two lengths would allow request smuggling."""
    head = f"POST /v1/insights HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    received = answered(site, head.encode() + b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+) ", received) == [b"400"]


def test_a_head_above_the_limit(site: Emulator) -> None:
    for path, headers in (("/health?" + "a" * 33000, {}), ("/health", {"A": "a" * 33000}), ("/" + "%41" * 11000, {})):
        refused = site.request("GET", path, headers=headers)
        assert (refused.status, refused.headers["content-type"]) == (431, "application/json")
    assert site.request("GET", "/health", headers={"A": "a" * 30000}).status == 200


def test_the_limit_of_open_files_is_raised(site: Emulator) -> None:
    soft, hard = resource.prlimit(site.process.pid, resource.RLIMIT_NOFILE)
    assert soft == (MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES))


def test_it_listens_on_loopback_only(site: Emulator) -> None:
    port = int(site.host.rpartition(":")[2])
    listening = {
        local.rpartition(":")[0]
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
        if table.exists()  # there may be no IPv6
        for local, state in [line.split()[1:4:2] for line in table.read_text().splitlines()[1:]]
        if state == "0A" and int(local.rpartition(":")[2], 16) == port
    }
    assert listening == {"0100007F"}


def _basic(site: Emulator) -> str:
    return base64.b64encode(f"{site.user}:{site.key}".encode()).decode()


def answered(site: Emulator, sent: bytes) -> bytes:
    """Everything that the server sends until it closes the connection."""
    host, _, port = site.host.rpartition(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=60) as connection, contextlib.suppress(ConnectionResetError):
        connection.sendall(sent)
        while data := connection.recv(65536):
            received += data
    return received


def test_bodies_of_unauthenticated_requests_are_not_held_in_memory(site: Emulator) -> None:
    """Incomplete bodies to a route that needs no key. Each may have 4 MiB."""
    count, body = 20, b"x" * (4 * MIB - 1)
    head = f"POST /v1/insights HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: {len(body) + 1}\r\n\r\n"
    host, _, port = site.host.partition(":")
    before = memory(site)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection((host, int(port)), 60)) for _ in range(count)]
        for connection in connections:
            connection.sendall(head.encode() + body)
        assert memory(site) - before < count * len(body) // 4
        for connection in connections:
            connection.sendall(b"x")
            assert connection.recv(12) == b"HTTP/1.1 200"


def memory(site: Emulator) -> int:
    """Resident memory of the server in bytes."""
    pages = Path(f"/proc/{site.process.pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()
