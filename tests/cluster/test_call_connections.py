"""Calls at the same time go over kept connections: at most one for each that runs at once."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from algosync.cluster.address import parse
from algosync.cluster.connection import connect
from algosync.core.credential import credential
from algosync.engine.streaming import concurrently
from algosync.net import Net

REPLY = b'{"result": 1, "metadata": {"content_type": "json", "duration": 0.1}}'


class CountingServer(ThreadingHTTPServer):
    request_queue_size = 64
    accepted = 0

    def get_request(self) -> tuple[object, object]:  # type: ignore[override]  # typeshed names the socket's own types
        self.accepted += 1
        return super().get_request()


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(REPLY)))
        self.end_headers()
        self.wfile.write(REPLY)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with CountingServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def test_sixteen_calls_at_once_take_at_most_sixteen_connections(server: CountingServer) -> None:
    address = parse(f"http://127.0.0.1:{server.server_address[1]}", "test")
    api = connect(address, credential("simKEYKEYKEYKEYKEYKEYKEYKEY", "test"), Net(), ca_cert=None)
    answers = concurrently(lambda _: api.algorithms.call("jane", "One", "0.1.0", "1", 10), range(400), 16)
    assert {answer.body for answer in answers} == {b"1"}
    assert 1 <= server.accepted <= 16
