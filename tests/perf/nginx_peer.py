"""nginx as a peer, or as the servers of a benchmark, on a free port and in a folder of its own.

It has one worker, which is the default, so both servers are single processes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """
daemon off;
user {user};
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    log_format timed '$msec $request_time $request_method $status $uri';
    access_log {folder}/access.log timed;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {upstream}
    server {{
        listen 127.0.0.1:{port};
        root {folder}/root;
        client_max_body_size 0;
        {locations}
    }}
}}
"""
STATIC = "location / { dav_methods PUT; create_full_put_path on; }"


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx, which serves the folder `root`. Each line of `log` begins with the end and the duration of a request."""

    port: int
    root: Path
    log: Path


def program() -> str | None:
    """The path of nginx. Debian installs it in a folder that is only in the administrator's PATH."""
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def nginx(folder: Path, locations: str = STATIC, upstream: str = "") -> Iterator[Nginx]:
    """Run nginx while the body runs. `locations`: what it serves, in its own language. Without it, files by GET and PUT.

    `upstream`: another server that the locations name.
    """
    found = program()
    assert found, "nginx is not installed: apt-get install nginx-light"
    (folder / "root").mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = "root" if os.getuid() == 0 else "nobody"
    (folder / "nginx.conf").write_text(
        CONFIGURATION.format(folder=folder, port=port, user=user, locations=locations, upstream=upstream)
    )
    process = subprocess.Popen([found, "-e", folder / "error.log", "-c", folder / "nginx.conf", "-p", folder])
    try:
        _wait(process, port, folder)
        yield Nginx(port, folder / "root", folder / "access.log")
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError((folder / "error.log").read_text())
