"""A real git server on a real socket: dulwich's, or the git binary's if it is installed."""

from __future__ import annotations

import base64
import io
import os
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dulwich.objects import Commit
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend
from dulwich.web import HTTPGitApplication

from algosync.core.credential import credential
from algosync.git import Repository
from algosync.net import Host, Net, Retry, SettingNames

USER, KEY = "quality", "sim=/key+with:odd&signs"
PREFIX = "/git/quality/Hello.git"


@dataclass
class Answer:
    """`cut`: end the connection after that many bytes of the body; `chunked`: send no length."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: int | None = None
    chunked: bool = False


Backend = Callable[[str, str, dict[str, str], bytes], Answer]
"""Method, path with query, headers (lower case), body."""


@dataclass
class GitServer:
    """One bare repository at `url`. `before` may reply instead of the repository, `after` may change its reply."""

    repository: Path
    backend: Backend
    url: str = ""
    requests: list[str] = field(default_factory=list)
    pushed: dict[str, str] = field(default_factory=dict)  # the headers of the last push
    before: Callable[[str], Answer | None] = lambda request: None
    after: Callable[[str, Answer], Answer] = lambda request, answer: answer

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        wanted = "Basic " + base64.b64encode(f"{USER}:{KEY}".encode()).decode()
        if headers.get("authorization") != wanted:
            return Answer(401, {"WWW-Authenticate": "Basic"}, b"")
        if not path.startswith(PREFIX):
            return Answer(404, {}, b"")
        request = f"{method} {path[len(PREFIX) + 1 :]}"
        self.requests.append(request)
        if request == "POST git-receive-pack":
            self.pushed = headers
        return self.before(request) or self.after(request, self.backend(method, path, headers, body))

    def client(self, key: str = KEY, path: str = "") -> Repository:
        return Repository(self.url + path, USER, credential(key, "test"), host_of(self.url))

    def repo(self) -> Repo:
        return Repo(str(self.repository))

    def commit(self, name: str) -> Commit:
        found = self.repo()[name.encode()]
        assert isinstance(found, Commit)
        return found

    def git(self, *arguments: str) -> str:
        """Run the git binary in the repository and return its output."""
        done = subprocess.run(["git", *arguments], cwd=self.repository, env=BARE, capture_output=True, check=True)
        return done.stdout.decode()


def host_of(url: str, timeout: float = 60.0) -> Host:
    """The host of a repository; what fails for a moment is tried again at once."""
    return Host(f"http://{urlsplit(url).netloc}", SettingNames(), Net(retry=Retry(pause=lambda _: None), timeout=timeout), None)


BARE = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": os.devnull}


def dulwich_backend(folder: Path) -> Backend:
    repositories: dict[str, BackendRepo] = {PREFIX: Repo(str(folder))}
    application = HTTPGitApplication(DictBackend(repositories))

    def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        heard: dict[str, Any] = {}
        written = io.BytesIO()

        def start_response(status: str, fields: list[tuple[str, str]], *_: object) -> Callable[[bytes], int]:
            heard.update(status=int(status[:3]), headers=dict(fields))
            return written.write

        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path.partition("?")[0],
            "QUERY_STRING": path.partition("?")[2],
            "CONTENT_TYPE": headers.get("content-type", ""),
            "wsgi.input": io.BytesIO(body),
        }
        rest = b"".join(application(environ, start_response))
        return Answer(heard["status"], heard["headers"], written.getvalue() + rest)

    return answer


def binary_backend(folder: Path) -> Backend:
    """`git http-backend`, the program behind most git servers."""

    def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        environ = BARE | {
            "REQUEST_METHOD": method,
            "GIT_PROJECT_ROOT": str(folder.parent),
            "PATH_INFO": path.partition("?")[0].replace(PREFIX, f"/{folder.name}"),
            "QUERY_STRING": path.partition("?")[2],
            "CONTENT_TYPE": headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_USER": USER,
            "GIT_HTTP_EXPORT_ALL": "1",
        }
        done = subprocess.run(["git", "http-backend"], env=environ, input=body, capture_output=True, check=True)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return Answer(int(fields.pop("Status", "200")[:3]), fields, rest)

    return answer


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: with Nagle's algorithm each reply would take 40 ms
    git: GitServer

    def do_GET(self) -> None:
        answer = self.git.answer(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, self._body())
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        body = answer.body
        if answer.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if answer.cut is None else body[: answer.cut])
        if answer.cut is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    do_POST = do_GET  # noqa: N815  # http.server defines the name

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while length := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(length + 2)[:-2])
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *_: object) -> None:
        return


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Ignore clients that close the connection, as tests do."""
