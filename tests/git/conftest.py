"""The repository fixture of this folder."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from dulwich.repo import Repo
from gitserver import PREFIX, GitServer, Requests, Server, binary_backend, dulwich_backend

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["dulwich", pytest.param("binary", marks=pytest.mark.needs("git"))])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GitServer]:
    """An empty repository whose HEAD names master, on each kind of server."""
    folder = tmp_path / "Hello.git"
    Repo.init_bare(str(folder), mkdir=True, default_branch=b"master").close()
    backend = dulwich_backend(folder) if request.param == "dulwich" else binary_backend(folder)
    git = GitServer(folder, backend)
    http = Server(("127.0.0.1", 0), type("Requests", (Requests,), {"git": git}))
    git.url = f"http://127.0.0.1:{http.server_port}{PREFIX}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield git
    http.shutdown()
    thread.join()
    http.server_close()
