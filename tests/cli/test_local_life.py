"""The life of local clusters: start, stop, status, and commands that use one."""

from __future__ import annotations

import fcntl
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import ClassVar

import pytest
from harness import Workspace, certificate, cluster_process, lasting_port
from local_commands import cluster_root, document, listening, only_stderr, run_state, stderr_of, stdout_of

from algosync.cli.local import joined_cluster, running, server_process
from algosync.core.error import AlgosyncError, Unreachable
from algosync.emulator.server import server_lock


def test_start_status_and_stop(place: Workspace) -> None:
    home = place.folder / "state" / "local"
    assert only_stderr(place, "status", code=0) == f"There are no local clusters in {home}.\n"
    url = stdout_of(place, "start", "--port", str(lasting_port())).strip()
    first = document(place)
    assert first["address"] == url
    assert stdout_of(place, "start").strip() == url
    assert document(place) == first
    line = f"default  running  {url}  pid {first['pid']}  user local  0 algorithms  since {first['started_at']}  page {url}/page/\n"
    assert stdout_of(place, "status") == stdout_of(place, "status", "--name", "default") == line
    assert f"is already running at {url}, with another --port, --tls\n" in only_stderr(place, "start", "--tls", "--port", "1")
    assert only_stderr(place, "stop", code=0) == "The local cluster default has stopped.\n"
    assert not listening(url)
    assert only_stderr(place, "stop", code=0) == f"The local cluster default in {home} is not running.\n"
    assert stdout_of(place, "status", "--name", "default", code=1) == "default  stopped  0 algorithms\n"
    assert stdout_of(place, "start").strip() == url, "the port is kept"
    assert document(place)["key"] == first["key"]


def test_a_port_in_use_is_replaced_unless_it_is_requested(place: Workspace) -> None:
    port = str(lasting_port())
    url = stdout_of(place, "start", "--port", port).strip()
    stdout_of(place, "stop")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(port)))
        other.listen()
        assert "Address already in use" in only_stderr(place, "start", "--port", port)
        assert not (cluster_root(place) / "kept.json").exists()
        assert stdout_of(place, "start").strip() != url


def test_a_changed_port_is_reported(place: Workspace) -> None:
    """The new port is then the one of the last start, so it is reported once only."""
    last = str(lasting_port())
    stderr_of(place, "start", "--port", last)
    address = place.folder / "state" / "local" / "default" / "cluster.json"
    stderr_of(place, "stop")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(last)))
        other.listen()
        told = stderr_of(place, "start")
        other.setblocking(False)
        with pytest.raises(BlockingIOError):  # nothing was sent to the other program
            other.accept()
    url = json.loads(address.read_text())["address"]
    line = f"Another program uses port {last} of the last start. The address is now {url}, and stays the same."
    assert [each for each in told.splitlines() if " port " in each] == [line]


def test_a_kept_cluster_serves_commands_and_keeps_running(place: Workspace) -> None:
    place.algorithm("Echo")
    place.write([{"name": "Echo", "language": "python3", "test_payload": 1}])
    stdout_of(place, "start", "--name", "two", "--tls")
    before = document(place, "two")
    for _ in range(2):
        place.apply("--destination", "local:two")
    assert document(place, "two") == before
    assert run_state(place, "two") == ("running", True)


def test_start_keeps_a_cluster_that_a_command_has_started(place: Workspace) -> None:
    """`start` uses the running cluster, which then does not end with the command."""
    root = cluster_root(place)
    root.mkdir(parents=True)
    users = os.open(root / "users.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(users, fcntl.LOCK_SH)
    command = [sys.executable, "-m", "algosync.emulator", str(root), "--until-unlocked", str(root / "users.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().removeprefix("Serving ").strip()
        assert run_state(place) == ("running", False)
        assert stdout_of(place, "start").strip() == url
        os.close(users)
        assert stdout_of(place, "start").strip() == url, "no command uses it, and it still runs"
        assert run_state(place) == ("running", True)
        stdout_of(place, "stop")
        assert server.wait(60) == 0


def test_a_cluster_with_a_given_certificate_is_recognized(place: Workspace) -> None:
    """The certificate itself is trusted, because its issuer is unknown."""
    root = cluster_root(place)
    given = certificate(place.folder / "given.pem", place.folder / "elsewhere")
    with cluster_process(root, certificate=given):
        assert run_state(place) == ("running", False)
        assert document(place)["ca_cert"] is None


def test_files_of_a_killed_server_are_not_trusted(place: Workspace) -> None:
    stdout_of(place, "start")
    pid = int(str(document(place)["pid"]))
    os.kill(pid, signal.SIGKILL)
    with (cluster_root(place) / "server.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    # The process id may belong to another process by now, such as this one.
    for file in ("cluster.json", "server.lock"):
        path = cluster_root(place) / file
        path.write_text(path.read_text().replace(str(pid), str(os.getpid())))
    assert stdout_of(place, "status", "--name", "default", code=1) == "default  stopped  0 algorithms\n"
    running = f"he local cluster default in {place.folder / 'state' / 'local'} is not running"
    assert only_stderr(place, "stop", code=0) == f"T{running}.\n"
    assert f"Error: t{running}\n" in only_stderr(place, "env")


class OtherProgram(http.server.BaseHTTPRequestHandler):
    """A server that answers every request with the cluster's token."""

    heard: ClassVar[list[str]] = []
    token: ClassVar[object] = None

    def do_GET(self) -> None:
        self.heard.append(self.requestline + str(self.headers))
        body = json.dumps({"token": self.token, "proof": self.token}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def test_another_program_at_the_old_port_gets_no_key(place: Workspace) -> None:
    url = stdout_of(place, "start", "--port", str(lasting_port())).strip()
    found = document(place)
    stdout_of(place, "stop")
    OtherProgram.token = found["token"]
    OtherProgram.heard.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", int(url.rpartition(":")[2])), OtherProgram) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        assert run_state(place) == ("stopped", False)
        assert OtherProgram.heard == []
        with server_lock.held(cluster_root(place)):
            assert run_state(place) == ("stopped", False), "what a killed server leaves behind holds its lock for a while"
        other.shutdown()
    [heard] = OtherProgram.heard
    assert re.match(r"GET /health\?nonce=[\w-]{32} HTTP", heard)
    assert [secret for secret in ("token", "key") if str(found[secret]) in heard] == []


def test_a_slow_cluster_keeps_its_files(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_ANSWER_WITHIN", 0)
    stdout_of(place, "start")
    found, log = document(place), cluster_root(place) / "server.log"
    os.kill(int(str(found["pid"])), signal.SIGSTOP)
    try:
        silent = pytest.raises(Unreachable, match=rf"local cluster default does not answer \(pid {found['pid']}\)")
        with silent, joined_cluster.joined_cluster(cluster_root(place)):
            pass
        assert run_state(place) == ("not answering", False)
    finally:
        os.kill(int(str(found["pid"])), signal.SIGCONT)
    assert document(place) == found
    assert log.read_text() == f"Serving {found['address']}\n"
    assert run_state(place) == ("running", True)


def test_stop_signals_no_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process id in the lock file belongs to another process by now, and a third one holds the lock."""
    monkeypatch.setattr(server_process, "_STOP_WITHIN", 0.05)
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        (tmp_path / "server.lock").write_text(f"{other.pid} 1")
        with server_lock.held(tmp_path), pytest.raises(AlgosyncError, match="does not end: another process uses its folder"):
            server_process.end_server(tmp_path)
        assert other.poll() is None
        other.kill()


def test_a_missing_cluster_is_reported_with_its_folder(place: Workspace) -> None:
    """The message shows both, because the user may have mistaken either."""
    there = f"there is no local cluster other in {place.folder / 'state' / 'local'}"
    start = "  algosync emulator start --name other\n"
    assert stderr_of(place, "status", "--name", "other", code=1) == f"Error: {there}\n{start}"
    assert stderr_of(place, "env", "--name", "other", code=1) == f"Error: {there}\n{start}"
    assert stderr_of(place, "stop", "--name", "other") == f"T{there[1:]}.\n"
    ended = place.run("emulator", "status", "--name", "other", "--json")
    [seen] = json.loads(ended.stdout)["clusters"]
    assert (ended.returncode, seen["state"]) == (1, "absent")


def test_clusters_that_never_ran_or_were_removed_are_not_listed(place: Workspace) -> None:
    home = place.folder / "state" / "local"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        stderr_of(place, "start", "--port", str(other.getsockname()[1]), code=1)
    assert stderr_of(place, "status") == f"There are no local clusters in {home}.\n"
    assert "server.log" in [path.name for path in (home / "default").iterdir()]
    # The files of the failed start are removed, but they were no cluster. The second reset has nothing to approve.
    told = [stderr_of(place, "reset", *approved) for approved in (["--auto-approve"], [])]
    assert told == [f"There is no local cluster default in {home}.\n"] * 2
    assert {path.suffix for path in (home / "default").glob("[!.]*")} == {".lock"}
    stderr_of(place, "key", "add")
    assert stderr_of(place, "status") == f"Local clusters in {home}:\n"
    stderr_of(place, "reset", "--auto-approve")
    assert stderr_of(place, "status") == f"There are no local clusters in {home}.\n"
