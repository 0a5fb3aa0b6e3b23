"""Pushes that could harm the server or its other users."""

import base64
import contextlib
import os
import random
import socket
from pathlib import Path

import pytest
from dulwich.protocol import pkt_line
from emulated import DEADLINE, Emulator, until
from gitwork import Work, needs_git

from algosync.emulator.git.repositories import Repositories


@needs_git
@pytest.mark.parametrize(("there", "wanted"), [("x/y", "x/y/z"), ("x/y/z", "x/y"), ("other", "long" * 75)])
def test_a_push_builds_updated_refs_even_if_another_ref_fails(site: Emulator, tmp_path: Path, there: str, wanted: str) -> None:
    """Refs are files: the path of one cannot be a folder of others, and names have a maximum length."""
    name = f"Conflict{len(there)}{len(wanted)}"
    site.create(name)
    work = Work(site, name, tmp_path / "work")
    work.run("push", "-q", "origin", f"master:{there}")
    (work.folder / ".adk").unlink()
    commit = work.commit("requirements.txt", "")
    said = work.run("push", "--porcelain", "origin", "master", f"master:{wanted}", code=1)
    assert f"!\trefs/heads/master:refs/heads/{wanted}\t[remote rejected] (failed to update ref)\n" in said.stdout
    assert site.fetch(name)[1] == commit.encode()
    builds = site.get(f"/v1/algorithms/local/{name}/builds")["results"]
    assert [build["commit_sha"] for build in builds] == [commit]
    work.run("push", "-q", "origin", "master:afterwards")
    assert list(site.root.glob("git/*.git/refs/**/*.lock")) == []


def nameless(site: Emulator) -> list[str]:
    """The folders of unlinked files that the server has open."""
    found = []
    for entry in Path(f"/proc/{site.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            path, _, state = os.readlink(entry).rpartition(" ")
            if state == "(deleted)" and path.startswith("/") and not path.startswith("/memfd:"):
                found.append(os.path.dirname(path))
    return found


def test_temporary_packs_are_on_the_disk_of_the_repositories(site: Emulator) -> None:
    """Not in the system's folder for temporary files, which may be in memory."""
    site.create("Passing")
    head = site.push("Passing", {"requirements.txt": "", ".adk": None, "file": random.Random(5).randbytes(6_000_000)}).encode()
    folder = str(site.root / "git")
    with sending(site, "Passing", "git-receive-pack", b"0000", length=10) as push:
        until(lambda: nameless(site) == [folder])
        push.sendall(b"0" * 6)
        assert push.recv(100).startswith(b"HTTP/1.1 ")
    until(lambda: not nameless(site))
    wanted = pkt_line(b"want " + head + b" side-band-64k ofs-delta thin-pack\n") + pkt_line(None) + pkt_line(b"done\n")
    with sending(site, "Passing", "git-upload-pack", wanted) as fetch:
        assert fetch.recv(100).startswith(b"HTTP/1.1 200 ")
        until(lambda: nameless(site) == [folder])
    until(lambda: not nameless(site))


def test_a_start_removes_temporary_files_of_a_killed_server(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path / "git")
    (tmp_path / "git" / "passing-abc").write_bytes(b"half")
    repositories.sweep(set())
    assert list((tmp_path / "git").iterdir()) == []


def test_waiting_pushes_do_not_block_other_requests(site: Emulator) -> None:
    """One push blocks while it reads a pipe. More pushes than the server has threads wait behind it."""
    pipe = site.root / "git" / f"{site.create('Waited')['id']}.git" / "packed-refs"
    os.mkfifo(pipe)
    body = pkt_line(b"1" * 40 + b" " + b"0" * 40 + b" refs/heads/none\0report-status") + pkt_line(None)
    with contextlib.ExitStack() as stack:
        pushes = [stack.enter_context(sending(site, "Waited", "git-receive-pack", body)) for _ in range(40)]
        end = until(lambda: writing_end(pipe))
        try:
            # Creating the repository needs one of the shared threads.
            site.create("Meanwhile")
        finally:
            pipe.unlink()
            os.write(end, b"# pack-refs with: peeled\n")
            os.close(end)
        refused = pkt_line(b"unpack ok\n") + pkt_line(b"ng refs/heads/none fetch first\n") + pkt_line(None)
        assert [answer(push).partition(b"\r\n\r\n")[2] for push in pushes] == [refused] * 40


def writing_end(pipe: Path) -> int | None:
    """The writing end of a pipe; None while no process reads it."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def answer(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.read()


def sending(site: Emulator, name: str, service: str, body: bytes, length: int | None = None) -> socket.socket:
    """A connection that has sent a request with this body. A larger `length` leaves the body incomplete."""
    host, _, port = site.host.rpartition(":")
    connection = socket.create_connection((host, int(port)), DEADLINE)
    credentials = base64.b64encode(f"{site.user}:{site.key}".encode()).decode()
    head = (
        f"POST /git/local/{name}.git/{service} HTTP/1.1\r\nHost: {site.host}\r\nAuthorization: Basic {credentials}\r\n"
        f"Content-Type: application/x-{service}-request\r\nContent-Length: {length or len(body)}\r\nConnection: close\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return connection
