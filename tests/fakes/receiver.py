"""A service that takes the messages of apprise, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qsl

TOKEN = "T0ken1234567"


class Receiver(HTTPServer):
    """Keeps what services are sent. `status`: its answer."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status = status
        self.got: list[dict[str, str]] = []

    @property
    def address(self) -> str:
        """Of a service for people, which gets Markdown."""
        return f"form://127.0.0.1:{self.server_port}/{TOKEN}"

    @property
    def json_address(self) -> str:
        return f"json://127.0.0.1:{self.server_port}/{TOKEN}"


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.headers["Content-Type"] == "application/json":
            self.server.got.append(json.loads(body))
        else:
            self.server.got.append(dict(parse_qsl(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiving(status: int = 200) -> Iterator[Receiver]:
    with Receiver(status) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
