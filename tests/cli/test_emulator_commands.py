"""`algosync emulator`, run as users run it."""

from __future__ import annotations

import base64
import fcntl
import http.server
import io
import json
import os
import pty
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
from harness import Workspace, certificate, cluster_process

from algosync.cli import embedded, keeping
from algosync.cli.terminal import Terminal
from algosync.core.error import AlgosyncError, Unreachable
from algosync.emulator.processes.removal import remove
from algosync.emulator.server import server_lock

PLAIN = re.compile(r"sim[A-Za-z0-9]{25}\n")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workspace]:
    """A folder where no cluster runs any more in the end."""
    place = Workspace(tmp_path)
    yield place
    for root in tmp_path.glob("state/local/*"):
        assert place.run("emulator", "stop", "--name", root.name).returncode == 0


def done(place: Workspace, *arguments: str, code: int = 0) -> str:
    """What a command writes to stdout."""
    ended = place.run("emulator", *arguments)
    assert ended.returncode == code, f"exit {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    assert "Traceback" not in ended.stderr
    return ended.stdout


def said(place: Workspace, *arguments: str, code: int = 1) -> str:
    """What a command writes to stderr, and nothing else."""
    ended = place.run("emulator", *arguments)
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
    return ended.stderr


def root_of(place: Workspace, name: str = "default") -> Path:
    return place.folder / "state" / "local" / name


def document(place: Workspace, name: str = "default") -> dict[str, object]:
    found: dict[str, object] = json.loads((root_of(place, name) / "cluster.json").read_text())
    return found


def state_of(place: Workspace, name: str = "default") -> tuple[str, bool]:
    [found] = [each for each in json.loads(done(place, "status", "--json"))["clusters"] if each["name"] == name]
    return found["state"], found["kept"]


def listening(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0


def test_the_life_of_a_cluster(place: Workspace) -> None:
    state = place.folder / "state"
    assert said(place, "status", code=0) == f"There are no local clusters in {state}.\n"
    url = done(place, "start").strip()
    first = document(place)
    assert first["address"] == url
    assert done(place, "start").strip() == url
    assert document(place) == first
    line = f"default  running  {url}  pid {first['pid']}  user local  0 algorithms  since {first['started_at']}  page {url}/page/\n"
    assert done(place, "status") == done(place, "status", "--name", "default") == line
    assert f"running already at {url}, with another --port, --tls\n" in said(place, "start", "--tls", "--port", "1")
    assert said(place, "stop", code=0) == "The local cluster default has ended.\n"
    assert not listening(url)
    assert said(place, "stop", code=0) == f"The local cluster default in {state} is not running.\n"
    assert done(place, "status", "--name", "default", code=1) == "default  stopped  0 algorithms\n"
    assert done(place, "start").strip() == url, "the port is kept"
    assert document(place)["key"] == first["key"]


def test_a_taken_port_is_given_up_unless_it_is_wanted(place: Workspace) -> None:
    url = done(place, "start").strip()
    done(place, "stop")
    port = url.rpartition(":")[2]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(port)))
        other.listen()
        assert "Address already in use" in said(place, "start", "--port", port)
        assert not (root_of(place) / "kept.json").exists()
        assert done(place, "start").strip() != url


def test_commands_join_it_and_it_outlives_them(place: Workspace) -> None:
    place.algorithm("Echo")
    place.write([{"name": "Echo", "language": "python3", "test_payload": 1}])
    done(place, "start", "--name", "two", "--tls")
    before = document(place, "two")
    for _ in range(2):
        place.apply("--destination", "local:two")
    assert document(place, "two") == before
    assert state_of(place, "two") == ("running", True)


def test_a_cluster_that_a_command_started_stays_when_it_is_wanted(place: Workspace) -> None:
    """`start` while a command uses it: both have the same one, which then outlives the command."""
    root = root_of(place)
    root.mkdir(parents=True)
    users = os.open(root / "users.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(users, fcntl.LOCK_SH)
    command = [sys.executable, "-m", "algosync.emulator", str(root), "--until-unlocked", str(root / "users.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().removeprefix("Serving ").strip()
        assert state_of(place) == ("running", False)
        assert done(place, "start").strip() == url
        os.close(users)
        assert done(place, "start").strip() == url, "nobody uses it now, and it is still there"
        assert state_of(place) == ("running", True)
        done(place, "stop")
        assert server.wait(20) == 0


def test_a_cluster_with_a_given_certificate_is_known_too(place: Workspace) -> None:
    """By the certificate itself: who has signed it, nobody has said."""
    root = root_of(place)
    given = certificate(place.folder / "given.pem", place.folder / "elsewhere")
    with cluster_process(root, certificate=given):
        assert state_of(place) == ("running", False)
        assert document(place)["ca_cert"] is None


def test_what_a_killed_server_leaves_deceives_nobody(place: Workspace) -> None:
    done(place, "start")
    pid = int(str(document(place)["pid"]))
    os.kill(pid, signal.SIGKILL)
    with (root_of(place) / "server.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    # The process id may be another's by now: this one's.
    for file in ("cluster.json", "server.lock"):
        path = root_of(place) / file
        path.write_text(path.read_text().replace(str(pid), str(os.getpid())))
    assert done(place, "status", "--name", "default", code=1) == "default  stopped  0 algorithms\n"
    running = f"he local cluster default in {place.folder / 'state'} is not running"
    assert said(place, "stop", code=0) == f"T{running}.\n"
    assert f"Error: t{running}\n" in said(place, "env")


class Stranger(http.server.BaseHTTPRequestHandler):
    """Says whatever would let a cluster in."""

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


def test_a_stranger_at_the_old_port_gets_no_key(place: Workspace) -> None:
    url = done(place, "start").strip()
    found = document(place)
    done(place, "stop")
    Stranger.token = found["token"]
    with http.server.ThreadingHTTPServer(("127.0.0.1", int(url.rpartition(":")[2])), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        assert state_of(place) == ("stopped", False)
        assert Stranger.heard == []
        with server_lock.held(root_of(place)):
            assert state_of(place) == ("not answering", False)
        stranger.shutdown()
    [heard] = Stranger.heard
    assert re.match(r"GET /health\?nonce=[\w-]{32} HTTP", heard)
    assert [secret for secret in ("token", "key") if str(found[secret]) in heard] == []


def test_a_cluster_that_is_slow_keeps_what_is_its_own(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_ANSWER_WITHIN", 0)
    done(place, "start")
    found, log = document(place), root_of(place) / "server.log"
    os.kill(int(str(found["pid"])), signal.SIGSTOP)
    try:
        silent = pytest.raises(Unreachable, match=rf"local cluster default does not answer \(pid {found['pid']}\)")
        with silent, embedded.running("local", place.folder / "state"):
            pass
    finally:
        os.kill(int(str(found["pid"])), signal.SIGCONT)
    assert document(place) == found
    assert log.read_text() == f"Serving {found['address']}\n"
    assert state_of(place) == ("running", True)


def test_stop_signals_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose id stands in the file is another by now, and somebody has the folder."""
    monkeypatch.setattr(keeping, "_STOP_WITHIN", 0.05)
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        (tmp_path / "server.lock").write_text(f"{other.pid} 1")
        with server_lock.held(tmp_path), pytest.raises(AlgosyncError, match="does not end: another process has its folder"):
            keeping._ended(tmp_path)
        assert other.poll() is None
        other.kill()


def test_reset_and_stop_mind_the_commands_that_use_it(place: Workspace) -> None:
    url = done(place, "start").strip()
    users = os.open(root_of(place) / "users.lock", os.O_RDWR)
    fcntl.flock(users, fcntl.LOCK_SH)
    # Both commands wait a moment for one that is about to end.
    assert "Error: commands are using the local cluster default; nothing was changed" in said(place, "reset", "--auto-approve")
    assert roots(url, str(document(place)["key"])) == ["local"]
    assert said(place, "stop", code=0) == "The local cluster default has ended, while commands were using it.\n"
    os.close(users)
    done(place, "reset", "--auto-approve")


def test_who_is_about_to_end_is_waited_for(tmp_path: Path) -> None:
    """As the server of a command that has returned."""
    with (tmp_path / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        timer = threading.Timer(0.3, fcntl.flock, (users, fcntl.LOCK_UN))
        timer.start()
        with keeping._unused(tmp_path) as unused:
            assert unused
        timer.join()


def test_who_waits_for_commands_keeps_none_of_them_waiting(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes meanwhile to start the cluster can, and is done the sooner."""
    root_of(place).mkdir(parents=True)
    users = os.open(root_of(place) / "users.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(users, fcntl.LOCK_SH)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        with (root_of(place) / "start.lock").open("w") as start:
            fcntl.flock(start, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(users)

    monkeypatch.setattr(keeping, "time", SimpleNamespace(monotonic=time.monotonic, sleep=wait))
    err = io.StringIO()
    keeping.stop(place.folder / "state", "default", Terminal(io.StringIO(), err, (False, False), live=False))
    assert err.getvalue() == f"There is no local cluster default in {place.folder / 'state'}.\n"
    assert len(waits) == 1


def test_env_is_for_shells(place: Workspace) -> None:
    place.folder = place.folder / 'it\'s a "folder" with $HOME'
    place.folder.mkdir()
    done(place, "start", "--tls")
    place.environ = {"NO_PROXY": "intern.example, localhost", "NODE_EXTRA_CA_CERTS": ""}
    text = done(place, "env")
    found = document(place)
    variables = dict.fromkeys(("DESTINATION_CA_CERT", "NODE_EXTRA_CA_CERTS"), found["ca_cert"])
    variables |= dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO"), found["ca_bundle"])
    variables |= dict.fromkeys(("ALGORITHMIA_API", "DESTINATION_API_ADDRESS"), found["address"])
    variables |= dict.fromkeys(("ALGORITHMIA_API_KEY", "DESTINATION_API_KEY"), found["key"])
    variables["ADMIN_API_KEY"] = found["admin_key"]
    variables |= dict.fromkeys(("NO_PROXY", "no_proxy"), "intern.example,localhost,127.0.0.1,::1,api.localhost,git.localhost")
    assert sorted(re.findall(r"^export (\w+)=", text, re.MULTILINE)) == sorted(variables)
    shell = subprocess.run(["/bin/sh", "-c", f"{text} env"], capture_output=True, text=True, check=True, env={})
    seen = dict(line.split("=", 1) for line in shell.stdout.splitlines())
    assert {name: seen[name] for name in variables} == variables
    client = "import Algorithmia; print(next(iter(Algorithmia.client().dir('').list())).url)"
    done_by = subprocess.run(
        [sys.executable, "-c", client],
        capture_output=True,
        text=True,
        check=True,
        env={**seen, "HTTPS_PROXY": "http://127.0.0.1:9"},
    )
    assert done_by.stdout == "/v1/data/local\n"
    as_source = {"SOURCE_API_ADDRESS": found["address"], "SOURCE_API_KEY": found["key"], "SOURCE_CA_CERT": found["ca_cert"]}
    as_source |= {name: variables[name] for name in ("NO_PROXY", "no_proxy")}
    told = [line.removeprefix("export ").split("=", 1) for line in done(place, "env", "--source").splitlines()]
    assert {name: "".join(shlex.split(value)) for name, value in told} == as_source
    done(place, "stop")


def test_users_and_keys_with_the_server_and_without(place: Workspace) -> None:
    early = done(place, "key", "add")
    assert PLAIN.fullmatch(early)
    assert stat.S_IMODE((root_of(place) / "cluster.sqlite").stat().st_mode) == 0o600
    url = done(place, "start").strip()
    eve = done(place, "user", "add", "eve", "--organization", "acme", "--organization", "zoo")
    odd = done(place, "key", "add", "--form", "base64").strip()
    token = done(place, "key", "add", "--user", "eve", "--form", "jwt").strip()
    expired = done(place, "key", "add", "--expired").strip()
    assert PLAIN.fullmatch(eve)
    assert {"/", "+"} < set(odd)
    assert odd.endswith("=")
    parts = [base64.urlsafe_b64decode(part + "===") for part in token.split(".")]
    assert [json.loads(parts[0])["typ"], json.loads(parts[1])["sub"], len(parts)] == ["JWT", "eve", 3]
    folders = {}
    for key in (early.strip(), eve.strip(), odd, token, expired):
        folders[key] = roots(url, key)
    assert folders == {
        early.strip(): ["local"],
        eve.strip(): ["eve", "acme", "zoo"],
        odd: ["local"],
        token: ["eve", "acme", "zoo"],
        expired: 401,
    }
    kept = [
        path.name
        for path in root_of(place).rglob("*")
        if path.is_file() and any(key.encode() in path.read_bytes() for key in folders)
    ]
    assert kept == [], "keys are digests"


def test_keys_are_listed_and_removed(place: Workspace) -> None:
    """Whose they are and what they permit; the keys themselves are nowhere in what is said."""
    url = done(place, "start").strip()
    done(place, "user", "add", "eve")
    made = {
        name: done(place, "key", "add", "--user", "eve", *options).strip()
        for name, options in (("admin", ["--admin"]), ("reader", ["--read-only", "--no-call"]), ("old", ["--expired"]))
    }
    statuses = [request("GET", f"{url}/v1/{path}", made["admin"]) for path in ("users/local", "data/")]
    assert statuses == [200, 403], "the administration's, and nothing else's"
    text = done(place, "key", "list")
    known = [line.split("  ", 1) for line in text.splitlines()]
    assert [told for _, told in known] == [
        "local  write, call, management, read  main",
        "local  administration  main",
        "eve  write, call, management, read",
        "eve  administration",
        "eve  read only, management (clone)",
        known[-1][1],
    ]
    assert re.fullmatch(r"eve  write, call, management, read  expired 20\d\d-\d\d-\d\dT[\d:]{8}\+00:00", known[-1][1])
    ids = [found for found, _ in known]
    assert [len(found) for found in ids] == [12] * 6
    assert [key for key in (*made.values(), *keys_of(place)) if key in text] == []
    listed = json.loads(done(place, "key", "list", "--json"))["keys"]
    assert [(each["id"], each["user"], each["main"]) for each in listed] == [
        (found, user, main) for found, user, main in zip(ids, ["local"] * 2 + ["eve"] * 4, [True] * 2 + [False] * 4, strict=True)
    ]
    assert request("GET", f"{url}/v1/data/", made["reader"]) == 200
    assert said(place, "key", "remove", ids[4], code=0) == f"The key {ids[4]} opens nothing any more.\n"
    assert request("GET", f"{url}/v1/data/", made["reader"]) == 401
    assert f"{ids[4]} is the id of no key" in said(place, "key", "remove", ids[4])
    assert f"{ids[0]} is a main key" in said(place, "key", "remove", ids[0])
    assert "there is no local cluster none" in said(place, "key", "list", "--name", "none")
    assert "--admin excludes" in said(place, "key", "add", "--admin", "--no-call", code=64)


def keys_of(place: Workspace) -> list[str]:
    return [str(document(place)[name]) for name in ("key", "admin_key")]


def request(method: str, url: str, key: str) -> int:
    import requests

    return requests.request(method, url, headers={"Authorization": key}, timeout=20).status_code


def test_a_cluster_is_started_as_it_was(place: Workspace) -> None:
    """TLS and what it answers where the evidence is split; a running one with others is not joined."""
    first = said_too(place, "start", "--tls", "--unbuilt-status", "200", "--etag", "--largest-file", "7")
    assert re.search(
        r"^This cluster runs the code it is given, (in|without) a jail.* give it none that you would not run", first, re.M
    )
    assert "is running already" in said_too(place, "start"), "as it runs"
    assert "is running already" in said_too(place, "start", "--tls", "--etag", "--largest-file", "7")
    others = ("--no-tls", "--no-etag", "--strict-names", "--unbuilt-status", "404", "--largest-file", "none")
    assert "with another --tls, --unbuilt-status, --etag, --strict-names, --largest-file\n" in said(place, "start", *others)
    before = document(place)["stances"]
    done(place, "stop")
    assert done(place, "start").startswith("https://")
    assert document(place)["stances"] == before == json.loads(done(place, "status", "--json"))["clusters"][0]["stances"]
    done(place, "stop")
    assert done(place, "start", *others).startswith("http://")
    assert document(place)["stances"] == {
        **{"unbuilt_status": 404, "duplicate_status": 400, "largest_file": None},
        **{"call_errors_as_200": False, "etag": False, "strict_names": True, "strict_versions": False, "my_algorithms": False},
    }
    assert "is no number of bytes, nor none" in said(place, "start", "--largest-file", "1k", code=64)
    done(place, "reset", "--auto-approve")
    done(place, "start")
    assert document(place)["stances"] != before, "a reset forgets"


def said_too(place: Workspace, *arguments: str) -> str:
    """What a command that has a result writes to stderr."""
    ended = place.run("emulator", *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def roots(url: str, key: str) -> object:
    import requests

    answer = requests.get(f"{url}/v1/data/", headers={"Authorization": f"Bearer {key}"}, timeout=20)
    return [each["name"] for each in answer.json()["folders"]] if answer.status_code == 200 else answer.status_code


def test_what_users_and_keys_cannot_be(place: Workspace) -> None:
    done(place, "user", "add", "eve", "--organization", "acme")
    assert "acme is there already: users and organizations share their names" in said(place, "user", "add", "acme")
    assert "eve is there already: users and organizations share their names" in said(
        place, "user", "add", "adam", "--organization", "eve"
    )
    assert "'../x' cannot name an account" in said(place, "user", "add", "../x")
    assert "has no user nobody" in said(place, "key", "add", "--user", "nobody")
    assert "--expired and --expires-in" in said(place, "key", "add", "--expired", "--expires-in", "3", code=64)
    assert "'../x' does not name a local cluster" in said(place, "start", "--name", "../x", code=64)
    assert "Missing command" in said(place, "key", code=64)
    assert said(place, code=64).startswith("Usage: ")
    assert "is no file" in said(place, "start", "--faults", "none.json", code=64)
    (root_of(place) / "cluster.sqlite").write_bytes(b"no database" * 100)
    assert "file is not a database" in said(place, "key", "add")


def test_reset_asks_and_leaves_nothing(place: Workspace) -> None:
    url = done(place, "start", "--tls").strip()
    assert "nobody is there to approve" in said(place, "reset")
    assert on_a_terminal(place, "no") == 1
    assert listening(url)
    assert on_a_terminal(place, "yes") == 0
    assert not listening(url)
    assert sorted(path.name for path in root_of(place).iterdir()) == ["server.lock", "start.lock", "users.lock"]
    assert (
        said(place, "reset", "--auto-approve", "--name", "none", code=0)
        == f"There is no local cluster none in {place.folder / 'state'}.\n"
    )


def test_a_reset_says_what_it_could_not_remove(place: Workspace) -> None:
    stuck = root_of(place) / "cluster.sqlite"
    stuck.mkdir(parents=True)
    assert f"the local cluster default is not removed yet: {stuck}: Is a directory" in said(place, "reset", "--auto-approve")
    stuck.rmdir()
    assert said(place, "reset", code=0) == f"There is no local cluster default in {place.folder / 'state'}.\n"


def test_a_reset_removes_folders_of_any_depth(place: Workspace) -> None:
    folder = root_of(place) / "run"
    folder.mkdir(parents=True)
    for _ in range(1100):
        folder /= "e"
        folder.mkdir()
    try:
        told = f"There is no local cluster default in {place.folder / 'state'}.\n"
        assert said(place, "reset", "--auto-approve", code=0) == told
        assert sorted(path.name for path in root_of(place).iterdir()) == ["start.lock", "users.lock"]
    finally:
        # pytest could not.
        remove(root_of(place) / "run")


def test_keys_wait_for_who_starts_or_removes_the_cluster(place: Workspace) -> None:
    root_of(place).mkdir(parents=True)
    start = os.open(root_of(place) / "start.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(start, fcntl.LOCK_EX)
    command = [sys.executable, "-m", "algosync", "emulator", "key", "add"]
    with subprocess.Popen(command, cwd=place.folder, env=place.environment(), stdout=subprocess.PIPE, text=True) as adding:
        while not waits_for_a_lock(adding.pid):
            assert adding.poll() is None
            time.sleep(0.02)
        assert not (root_of(place) / "cluster.sqlite").exists()
        os.close(start)
        assert PLAIN.fullmatch(adding.communicate(timeout=60)[0])


def waits_for_a_lock(pid: int) -> bool:
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(line[1] == "->" and line[5] == str(pid) for line in lines)


def on_a_terminal(place: Workspace, answer: str) -> int:
    """`reset`, answered; its exit code."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "algosync", "emulator", "reset"]
    environment = {name: value for name, value in place.environment().items() if name != "CI"}
    process = subprocess.Popen(command, cwd=place.folder, env=environment, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    seen = b""
    while b"Enter a value: " not in seen:
        seen += os.read(controller, 1000)
    os.write(controller, answer.encode() + b"\n")
    code = process.wait(60)
    os.close(controller)
    return code


def test_logs(place: Workspace) -> None:
    never = f"Error: there is no local cluster default in {place.folder / 'state'} that has been started\n"
    assert said(place, "logs").startswith(never)
    url = done(place, "start").strip()
    assert roots(url, "wrong\x1b") == 401
    long = f"/{'x' * 3000}"
    roots(f"{url}{long}", "wrong")
    *shown, cut = done(place, "logs").splitlines()
    assert cut.split("  ")[1:4] == ["401", "-", "GET"], "read whole, and cut then"
    assert shown[0] == f"Serving {url}"
    [*told, size, error, refusal] = next(line.split("  ")[1:] for line in shown if "/v1/" in line)
    assert (told, size[-2:], error) == (["401", "-", "GET", "/v1/data/"], " B", "error: The API key is unknown or invalid")
    assert re.fullmatch(r"id: [0-9a-f-]{36}", refusal)
    follower = subprocess.Popen(
        [sys.executable, "-m", "algosync", "emulator", "logs", "--follow"],
        cwd=place.folder,
        env=place.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with follower:
        assert follower.stdout is not None
        for _ in [*shown, cut]:
            follower.stdout.readline()
        roots(url, "later")
        assert "GET  /v1/data/" in follower.stdout.readline()
        follower.send_signal(signal.SIGINT)
    assert follower.returncode == 130
