"""A proxy before a cluster that forwards requests until an expected one comes, and holds that one."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

__all__ = ["Gate", "Hold", "gate_before"]


@dataclass
class Hold:
    """An expected request: `METHOD /path-glob`, with its query.

    `how`: `before` it is forwarded, `after` (it was executed, the reply is held), `busy` (503, retry in a minute) or `nothing` (an
    empty list, every time).
    """

    match: str
    how: str = "before"
    reached: threading.Event = field(default_factory=threading.Event)


@dataclass
class Gate:
    """`url` is the address that clients use."""

    upstream: str
    url: str = ""
    hold: Hold | None = None
    opened: threading.Event = field(default_factory=threading.Event)

    def waiting_for(self, match: str, how: str = "before") -> threading.Event:
        """Return an event that is set when such a request has arrived, or has been executed."""
        self.hold = Hold(match, how)
        return self.hold.reached


@contextmanager
def gate_before(url: str) -> Iterator[Gate]:
    gate = Gate(url)
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"gate": gate})) as server:
        server.daemon_threads = True
        server.block_on_close = False
        gate.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield gate
        finally:
            gate.opened.set()
            server.shutdown()
            thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gate: Gate

    def do_GET(self) -> None:
        body = self._body()
        hold = self.gate.hold if self.gate.hold and fnmatchcase(f"{self.command} {self.path}", self.gate.hold.match) else None
        if hold and hold.how == "before":
            self._held(hold)
            return
        if hold and hold.how in ("busy", "nothing"):
            hold.reached.set()
            status, answer = (503, b"{}") if hold.how == "busy" else (200, json.dumps({"results": []}).encode())
            self._answer(status, {"Retry-After": "60"}, answer)
            return
        status, headers, answer = self._passed_on(body)
        if hold:
            self._held(hold)
        else:
            self._answer(status, headers, answer)

    # These names are given by the base class.
    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def _held(self, hold: Hold) -> None:
        self.close_connection = True
        hold.reached.set()
        self.gate.opened.wait(600)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _passed_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.gate.upstream).netloc, timeout=60)
        dropped = ("host", "connection", "transfer-encoding", "content-length")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        try:
            connection.request(self.command, self.path, body or None, {**headers, "Content-Length": str(len(body))})
            reply = connection.getresponse()
            return reply.status, dict(reply.headers), reply.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client was killed, as the test intends
            super().handle()
