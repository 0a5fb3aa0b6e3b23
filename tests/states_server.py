"""Servers that keep states: an S3 API (moto), Terraform's HTTP protocol, and PostgreSQL. Each runs until its `with` ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment  # new in Python 3.11

BUCKET = "states"
PASSWORD = 'pass word/+&"=%41'
POSTGRESQL = ":".join(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin"))
"""Where Debian keeps PostgreSQL's programs, which are not on the PATH."""


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """An S3 API with an empty bucket. Yields the variables that name it."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # the name in the base class
            pass

    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, _one_by_one(app), threaded=True, request_handler=Quiet)
    with _serving(server):
        endpoint = f"http://127.0.0.1:{server.server_port}"
        _make_bucket(endpoint)
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "me",
            "AWS_SECRET_ACCESS_KEY": PASSWORD,
            "AWS_REGION": "us-east-1",
        }


def _one_by_one(app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]) -> Any:
    """moto compares and writes in two steps. S3 does it in one."""
    guard = threading.Lock()

    def serve(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        with guard:
            return list(app(environ, start))

    return serve


def _make_bucket(endpoint: str) -> None:
    from urllib.request import Request, urlopen

    signed = "AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x"
    with urlopen(Request(f"{endpoint}/{BUCKET}", method="PUT", headers={"Authorization": signed})) as reply:
        assert reply.status == 200


@contextmanager
def _serving(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class TerraformServer(ThreadingHTTPServer):
    """States in memory, as Terraform's HTTP protocol keeps them. `gitlab`: with GitLab's methods for locks.

    `log`: the requests. `operations`: the commands that took a lock, as they named themselves.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *, gitlab: bool = False, password: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.guard = threading.Lock()
        self.states: dict[str, bytes] = {}
        self.locks: dict[str, dict[str, str]] = {}
        self.log: list[tuple[str, str]] = []
        self.operations: list[str] = []
        self.gitlab = gitlab
        self.authorization: str | None = None
        if password:
            import base64

            self.authorization = "Basic " + base64.b64encode(f"jane:{password}".encode()).decode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        path = urlsplit(target).path
        lock_id = parse_qs(urlsplit(target).query).get("ID", [""])[0]
        if self.gitlab and path.endswith("/lock"):
            path, method = path.removesuffix("/lock"), {"POST": "LOCK", "DELETE": "UNLOCK"}[method]
        held = self.locks.get(path)
        match method:
            case "GET":
                return (200, self.states[path]) if path in self.states else (404, b"")
            case "POST":
                if (held or {}).get("ID", "") != lock_id:
                    return 409, json.dumps(held).encode()
                self.states[path] = body
                return 200, b""
            case "LOCK":
                if held is not None:
                    return 423, json.dumps(held).encode()
                self.locks[path] = json.loads(body)
                self.operations.append(self.locks[path]["Operation"])
                return 200, b""
            case "UNLOCK":
                if held is None or held["ID"] != json.loads(body)["ID"]:
                    return 409, b""
                del self.locks[path]
                return 200, b""
            case _:
                return 405, b""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TerraformServer

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the client was killed; no server stores a part of a body
            self.close_connection = True
            return
        if self.server.authorization not in (None, self.headers.get("Authorization")):
            status, reply = 401, b""
        else:
            with self.server.guard:
                self.server.log.append((self.command, self.path))
                status, reply = self.server.answer(self.command, self.path, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        pass


for _method in ("GET", "POST", "DELETE", "LOCK", "UNLOCK"):
    setattr(_Request, f"do_{_method}", _Request._serve)


@contextmanager
def terraform_server(*, gitlab: bool = False, password: str = "") -> Iterator[TerraformServer]:
    server = TerraformServer(gitlab=gitlab, password=password)
    with _serving(server):
        yield server


@contextmanager
def postgresql_server() -> Iterator[str]:
    """A database server with a password. Yields its address without a database's name and password."""
    places = f"{os.environ.get('PATH', os.defpath)}:{POSTGRESQL}"
    initdb, postgres = (shutil.which(name, path=places) or name for name in ("initdb", "postgres"))
    user: dict[str, Any] = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="algosync-pg-"))
    try:
        (folder / "password").write_text(PASSWORD)
        if user:
            shutil.chown(folder, "nobody")
            shutil.chown(folder / "password", "nobody")
        data = folder / "data"
        subprocess.run(
            [initdb, "-D", data, "-U", "jane", "-A", "scram-sha-256", "--pwfile", folder / "password", "-N"],
            check=True,
            capture_output=True,
            cwd=folder,
            **user,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [postgres, "-D", str(data), "-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
        command += ["-c", "fsync=off"]  # its data need not outlive a test, and each test has a database
        server: subprocess.Popen[bytes]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder, **user) as server:
            try:
                assert server.stderr is not None
                for line in server.stderr:
                    if b"ready to accept connections" in line:
                        break
                threading.Thread(target=server.stderr.read, daemon=True).start()
                yield f"postgresql://jane@127.0.0.1:{port}/"
            finally:
                server.send_signal(signal.SIGINT)  # it ends its sessions; after SIGTERM it would wait for them
                server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
