"""A proxy between algosync and a cluster that modifies replies, to simulate a hostile or broken cluster."""

from __future__ import annotations

import base64
import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias
from urllib.parse import urlsplit

__all__ = ["Answer", "Ask", "Request", "Twist", "twisted"]


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def saying(self, body: bytes, status: int | None = None) -> Answer:
        return replace(self, body=body, status=status or self.status)


Ask: TypeAlias = Callable[[], Answer]  # returns the reply of the cluster, which sees the request only when this is called
Twist: TypeAlias = Callable[[Request, Ask], Answer]


@contextmanager
def twisted(upstream: str, twist: Twist, key: str | None = None) -> Iterator[str]:
    """Yield the address of the proxy. `key` replaces the key of every request."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(urlsplit(upstream).netloc, twist, key))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(upstream: str, twist: Twist, key: str | None) -> type[BaseHTTPRequestHandler]:
    class Between(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            request = Request(self.command, self.path, dict(self.headers.items()), self._body())
            answer = twist(request, partial(_asked, upstream, request, key))
            self.send_response(answer.status, answer.reason)
            for name, value in {"Content-Type": answer.content_type, **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _pass_on  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Between


def _asked(upstream: str, request: Request, key: str | None) -> Answer:
    own = {"host", "connection", "content-length", "transfer-encoding"}
    headers = {name: value for name, value in request.headers.items() if name.lower() not in own}
    if key is not None and "Authorization" in headers:
        headers["Authorization"] = _with_key(headers["Authorization"], key)
    connection = http.client.HTTPConnection(upstream, timeout=60)
    try:
        connection.request(
            request.method, request.path, request.body or None, {**headers, "Content-Length": str(len(request.body))}
        )
        reply = connection.getresponse()
        kept = {n: v for n, v in reply.getheaders() if n.lower() in {"x-error-message", "x-data-type", "date", "last-modified"}}
        return Answer(reply.status, reply.read(), reply.getheader("Content-Type") or "", reply.reason, kept)
    finally:
        connection.close()


def _with_key(authorization: str, key: str) -> str:
    scheme, _, rest = authorization.partition(" ")
    if scheme != "Basic":
        return f"{scheme} {key}"
    user = base64.b64decode(rest).decode().partition(":")[0]
    return f"Basic {base64.b64encode(f'{user}:{key}'.encode()).decode()}"
