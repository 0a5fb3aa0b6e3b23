"""Pushes that are meant to hurt the server, or everybody else who uses it."""

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
def test_what_has_moved_is_built_although_another_ref_of_the_push_cannot_be(
    site: Emulator, tmp_path: Path, there: str, wanted: str
) -> None:
    """Refs are files: one cannot be a folder of others, nor have any length."""
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
    """The folders of files that the server has open, and that are in no folder any more."""
    found = []
    for entry in Path(f"/proc/{site.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            path, _, state = os.readlink(entry).rpartition(" ")
            if state == "(deleted)" and path.startswith("/") and not path.startswith("/memfd:"):
                found.append(os.path.dirname(path))
    return found


def test_what_is_pushed_and_fetched_passes_beside_the_repositories(site: Emulator) -> None:
    """Not in the system's folder for temporary files, which can be memory."""
    site.create("Passing")
    head = site.push("Passing", {"requirements.txt": "", ".adk": None, "file": random.Random(5).randbytes(6_000_000)}).encode()
    folder = str(site.root / "git")
    with sending(site, "Passing", "git-receive-pack", b"0000", length=10) as push:
        assert until(lambda: nameless(site)) == [folder]
        push.sendall(b"0" * 6)
        assert push.recv(100).startswith(b"HTTP/1.1 ")
    until(lambda: not nameless(site))
    wanted = pkt_line(b"want " + head + b" side-band-64k ofs-delta thin-pack\n") + pkt_line(None) + pkt_line(b"done\n")
    with sending(site, "Passing", "git-upload-pack", wanted) as fetch:
        assert fetch.recv(100).startswith(b"HTTP/1.1 200 ")
        assert until(lambda: nameless(site)) == [folder]
    until(lambda: not nameless(site))


def test_files_that_a_killed_server_could_not_remove_are_removed(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path / "git")
    (tmp_path / "git" / "passing-abc").write_bytes(b"half")
    repositories.sweep(set())
    assert list((tmp_path / "git").iterdir()) == []


def test_pushes_that_wait_for_another_keep_nobody_else_from_being_served(site: Emulator) -> None:
    """One push hangs in a file that it reads, which is a pipe; more than the server has threads wait behind it."""
    pipe = site.root / "git" / f"{site.create('Waited')['id']}.git" / "packed-refs"
    os.mkfifo(pipe)
    body = pkt_line(b"1" * 40 + b" " + b"0" * 40 + b" refs/heads/none\0report-status") + pkt_line(None)
    with contextlib.ExitStack() as stack:
        pushes = [stack.enter_context(sending(site, "Waited", "git-receive-pack", body)) for _ in range(40)]
        end = until(lambda: writing_end(pipe))
        try:
            # Its repository is made in one of the threads that everybody shares.
            site.create("Meanwhile")
        finally:
            pipe.unlink()
            os.write(end, b"# pack-refs with: peeled\n")
            os.close(end)
        refused = pkt_line(b"unpack ok\n") + pkt_line(b"ng refs/heads/none fetch first\n") + pkt_line(None)
        assert [answer(push).partition(b"\r\n\r\n")[2] for push in pushes] == [refused] * 40


def writing_end(pipe: Path) -> int | None:
    """Of a pipe, once somebody reads it."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def answer(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.read()


def sending(site: Emulator, name: str, service: str, body: bytes, length: int | None = None) -> socket.socket:
    """A connection that has sent a request, or of a longer body its beginning."""
    host, _, port = site.host.rpartition(":")
    connection = socket.create_connection((host, int(port)), DEADLINE)
    credentials = base64.b64encode(f"{site.user}:{site.key}".encode()).decode()
    head = (
        f"POST /git/local/{name}.git/{service} HTTP/1.1\r\nHost: {site.host}\r\nAuthorization: Basic {credentials}\r\n"
        f"Content-Type: application/x-{service}-request\r\nContent-Length: {length or len(body)}\r\nConnection: close\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return connection
