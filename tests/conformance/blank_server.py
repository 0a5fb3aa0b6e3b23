"""A server that gives the same answer to every request. A test that passes against it proves nothing about a cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["ANSWERS", "blank_server"]

ANSWERS = {"404": (404, b""), "200": (200, b"{}")}


@contextmanager
def blank_server(name: str) -> Iterator[str]:
    """Yields the address while the server runs."""
    status, body = ANSWERS[name]
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Blank", (_Same,), {"status": status, "body": body}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Same(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    status = 404
    body = b""

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        self._take()
        self.send_response(self.status)
        if self.body:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.body)

    def _take(self) -> None:
        """Read the whole request, with a length or in chunks. Otherwise the rest would be read as the next request."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            self.rfile.read(size + 2)
        while self.rfile.readline().strip():
            pass

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
