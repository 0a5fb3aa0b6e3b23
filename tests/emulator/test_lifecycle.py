"""The server process: its lock, its address file, its end, and what outlives it."""

import fcntl
import hmac
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

from emulated import DEADLINE, alive, emulator, parent, start, until
from harness import lasting_port

from algosync.emulator.server import server_lock


def proof(token: str, nonce: str) -> str:
    return hmac.new(token.encode(), nonce.encode(), "sha256").hexdigest()


SLEEPER = """
import os, subprocess, sys, time
def apply(input):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    open(input, "w").write("%d %d" % (os.getpid(), child.pid))
    time.sleep(1000)
"""


def test_files_of_a_start(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments, "--user", "someone") as site:
        document = json.loads((site.root / "cluster.json").read_text())
        assert set(document) == {
            "format_version",
            "address",
            "user",
            "key",
            "admin_key",
            "pid",
            "token",
            "started_at",
            "ca_cert",
            "ca_bundle",
            "faults",
            "stances",
            "told",
            "identity",
        }
        assert document["format_version"] == 1
        assert document["user"] == "someone"
        assert document["pid"] == site.process.pid
        assert document["key"].startswith("sim")
        assert len(document["key"]) == 28
        assert stat.S_IMODE(site.root.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in site.root.iterdir() if path.is_file()} == {0o600}
        told = {"proof": proof(document["token"], "once"), "identity": document["identity"]}
        assert site.request("GET", "/health?nonce=once", key="").json == told
        assert site.get("/v1/data/") == {"folders": [{"name": "someone"}]}


def test_it_listens_on_loopback_only(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments) as site:
        port = int(site.host.rpartition(":")[2])
        tables = [path for path in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if path.exists()]  # there may be no IPv6
        rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
        listening = [row[1] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port]
        assert listening == [f"0100007F:{port:04X}"]


def test_a_second_server_on_the_same_folder(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments) as site:
        command = [sys.executable, "-m", "algosync.emulator", str(site.root), "--environments", str(environments)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == f"Error: Another server is using {site.root}\n"
        assert site.request("GET", "/health").status == 200


def test_a_taken_port(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments) as site:
        port = site.host.rpartition(":")[2]
        command = [sys.executable, "-m", "algosync.emulator", str(tmp_path / "other"), "--port", port]
        second = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert second.returncode == 1
        assert second.stderr == f"Error: Cannot listen on port {port}: Address already in use\n"


def test_the_server_runs_until_nobody_shares_the_lock(tmp_path: Path, environments: Path) -> None:
    """Two users of a cluster: the server ends after the second one, and holds its lock until then."""
    lock = tmp_path / "users.lock"
    first, second = (os.open(lock, os.O_RDWR | os.O_CREAT) for _ in range(2))
    fcntl.flock(first, fcntl.LOCK_SH)
    with emulator(tmp_path / "root", environments, "--until-unlocked", str(lock)) as site:
        fcntl.flock(second, fcntl.LOCK_SH)
        os.close(first)
        assert site.request("GET", "/health").status == 200
        os.close(second)
        late = os.open(lock, os.O_RDWR)
        assert site.process.wait(DEADLINE) == 0
        fcntl.flock(late, fcntl.LOCK_SH)
        os.close(late)


def test_the_lock_is_free_only_after_the_server(tmp_path: Path, environments: Path) -> None:
    """A user who arrives while the server is stopping waits for its end, and never connects to a stopping server."""
    lock = tmp_path / "users.lock"
    user = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(user, fcntl.LOCK_SH)
    with emulator(tmp_path / "root", environments, "--until-unlocked", str(lock)) as site:
        fcntl.flock(user, fcntl.LOCK_UN)
        until(lambda: _is_locked(lock) or site.process.poll() is not None)
        fcntl.flock(user, fcntl.LOCK_SH)
        until(lambda: not alive(site.process.pid))
        os.close(user)
        with emulator(site.root, environments) as again:
            assert again.key == site.key


def _is_locked(lock: Path) -> bool:
    probe = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(probe)
    return False


def _content(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_signals_end_the_server_and_all_its_processes(tmp_path: Path, environments: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with emulator(tmp_path / number.name, environments) as site:
            reference = site.deploy("Sleeper", SLEEPER)
            pids = tmp_path / f"{number.name}.pids"
            site.call(reference, str(pids), "?output=void")
            worker, child = map(int, until(partial(_content, pids)).split())
            assert alive(worker)
            assert alive(child)
            assert site.stop(number) == 0
            assert not alive(worker)
            assert not alive(child)


def test_a_killed_server_leaves_no_process_and_loses_nothing(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments) as site:
        reference = site.deploy("Sleeper", SLEEPER)
        assert site.request("POST", "/v1/data/.my", {"name": "kept"}).status == 200
        assert site.request("PUT", "/v1/data/.my/kept/file", b"content").status == 200
        pids = tmp_path / "pids"
        site.call(reference, str(pids), "?output=void")
        worker, child = map(int, until(lambda: pids.exists() and pids.read_text()).split())
        assert site.stop(signal.SIGKILL) == -signal.SIGKILL
        until(lambda: not alive(worker) and not alive(child))
    with emulator(site.root, environments) as again:
        assert again.key == site.key
        assert again.request("GET", "/v1/data/.my/kept/file").body == b"content"
        assert again.publish("Sleeper").json["version_info"]["semantic_version"] == "0.1.0"
        assert again.environment() == again.get("/v1/algorithms/local/Sleeper")["settings"]["algorithm_environment"]


def test_a_push_survives_a_kill_and_its_build_is_finished_by_the_next_server(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments) as site:
        site.create("Half")
        source = {"src/Half.py": "def apply(input):\n    return 7\n", ".adk": None, "requirements.txt": ""}
        commit = site.push("Half", source)
        site.stop(signal.SIGKILL)
    with emulator(site.root, environments) as again:
        assert again.get("/v1/algorithms/local/Half")["version_info"]["git_hash"] == commit
        assert again.build_of("Half", commit)["status"] == "succeeded"
        assert len(again.get("/v1/algorithms/local/Half/builds")["results"]) == 1
        assert again.call(f"local/Half/{commit}", None)["result"] == 7


def test_a_stale_address_is_recognized_by_its_token(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments, "--port", str(lasting_port())) as site:
        stale = json.loads((site.root / "cluster.json").read_text())
        site.stop(signal.SIGKILL)
    with emulator(site.root, environments, "--port", site.host.rpartition(":")[2]) as again:
        assert again.address == site.address
        assert again.request("GET", "/health?nonce=n").json["proof"] != proof(stale["token"], "n")


def test_the_lock_is_free_when_all_processes_of_a_killed_server_have_ended(tmp_path: Path, environments: Path) -> None:
    """The lock can be examined meanwhile."""
    with emulator(tmp_path / "root", environments) as site:
        reference = site.deploy("Sleeper", SLEEPER)
        site.call(reference, str(tmp_path / "pids"), "?output=void")
        worker = int(until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text()).split()[0])
        [leash] = [pid for pid in site.children() if pid == parent(worker)]
        assert server_lock.owner(site.root) == site.process.pid
        os.kill(leash, signal.SIGSTOP)
        try:
            site.stop(signal.SIGKILL)
            assert (server_lock.taken(site.root), server_lock.owner(site.root)) == (True, None)
        finally:
            os.kill(leash, signal.SIGCONT)
        until(lambda: not server_lock.taken(site.root))
        assert not alive(worker)
    with emulator(site.root, environments) as again:
        assert again.stop() == 0
        assert (again.root / "server.lock").read_text() == "", "no process is the owner any more"


def test_looking_for_a_server_does_not_prevent_a_start(tmp_path: Path) -> None:
    (tmp_path / "server.lock").write_text(f"{os.getpid()} 1")
    assert server_lock.owner(tmp_path) is None, "a process with this id and another start time is not the owner"
    looking = os.open(tmp_path / "server.lock", os.O_RDWR)
    fcntl.flock(looking, fcntl.LOCK_SH)
    assert not server_lock.taken(tmp_path)
    threading.Timer(0.1, os.close, (looking,)).start()
    lock = server_lock.take(tmp_path)
    assert (server_lock.taken(tmp_path), server_lock.owner(tmp_path)) == (True, os.getpid())
    os.close(lock)


def test_leftovers_of_a_killed_server_are_removed(tmp_path: Path, environments: Path) -> None:
    site = start(tmp_path / "root", environments)
    site.stop(signal.SIGKILL)
    leftovers = [
        site.root / "blobs" / "incoming" / ("a" * 32),
        site.root / "blobs" / ("b" * 32),
        site.root / "git" / "unknown.git" / "HEAD",
        site.root / "builds" / "unknown" / "build.log",
        site.root / "run" / "worker" / "output.log",
    ]
    for path in leftovers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left")
    with emulator(site.root, environments):
        assert [path for path in leftovers if path.exists()] == []


def test_a_lost_address_file_means_a_new_key(tmp_path: Path, environments: Path) -> None:
    site = start(tmp_path / "root", environments)
    site.stop()
    (site.root / "cluster.json").write_text("{}")
    with emulator(site.root, environments) as again:
        assert again.key != site.key
        assert again.request("GET", "/v1/data/").status == 200
        assert again.request("GET", "/v1/data/", key=site.key).status == 401


def test_an_address_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "cluster.json.new").mkdir()
    ended = subprocess.run(
        [sys.executable, "-m", "algosync.emulator", str(tmp_path)], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"Error: Cannot use {tmp_path}/cluster.json.new: Is a directory\n"


def test_reasons_why_a_server_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, content in (("newer", None), ("broken", b"no database" * 100)):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "cluster.sqlite"
        if content:
            path.write_bytes(content)
        else:
            with sqlite3.connect(path) as connection:
                connection.execute("PRAGMA user_version=99")
            connection.close()
    folders = {name: tmp_path / f"with {name}" / name for name in ("cluster.json", "cluster.json.new", "requests.jsonl")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "builds").touch()
    newer, broken = (tmp_path / name / "cluster.sqlite" for name in ("newer", "broken"))
    lock = tmp_path / "missing" / "lock"
    newest = f"{newer} has format 99; this version of algosync knows formats up to 6"
    reasons: dict[tuple[str, ...], str] = {
        ("file",): f"Cannot use the folder {tmp_path / 'file'}: File exists",
        ("good", "--until-unlocked", str(lock)): f"Cannot open {lock}: No such file or directory",
        ("newer",): f"Cannot use the database {newer}: {newest}",
        ("broken",): f"Cannot use the database {broken}: file is not a database",
        ("flat",): f"Cannot use {tmp_path / 'flat' / 'builds'}: File exists",
        **{(folder.parent.name,): f"Cannot use {folder}: Is a directory" for folder in folders.values()},
    }
    for (name, *options), reason in reasons.items():
        command = [sys.executable, "-m", "algosync.emulator", str(tmp_path / name), *options]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"Error: {reason}\n")


def test_a_pushed_head_without_a_build_is_built(tmp_path: Path, environments: Path) -> None:
    """A kill between a push and the record of its build."""
    with emulator(tmp_path / "root", environments) as site:
        site.create("Moved")
        commit = site.push("Moved", {"requirements.txt": ""})
        site.build_of("Moved", commit)
        site.stop()
    with sqlite3.connect(site.root / "cluster.sqlite") as connection:
        connection.execute("DELETE FROM builds")
    connection.close()
    with emulator(site.root, environments) as again:
        assert again.build_of("Moved", commit)["status"] == "succeeded"
        again.create("Untouched")
    with emulator(site.root, environments) as third:
        assert len(third.get("/v1/algorithms/local/Moved/builds")["results"]) == 1
        assert third.get("/v1/algorithms/local/Untouched/builds")["results"] == []


def test_cleanup_runs_regularly(tmp_path: Path, environments: Path) -> None:
    """Temporary files of algorithms are removed after a day. Other files are kept."""
    with emulator(tmp_path / "root", environments) as site:
        for kind in ("temp", "perm"):
            assert site.request("PUT", f"/v1/data/.algo/local/A/{kind}/file", b"x").status == 200
        site.stop()
    with sqlite3.connect(site.root / "cluster.sqlite") as connection:
        connection.execute("UPDATE files SET modified = modified - 90000")
    connection.close()
    with emulator(site.root, environments) as again:
        until(lambda: again.request("GET", "/v1/data/.algo/local/A/temp/file").status == 404)
        assert again.request("GET", "/v1/data/.algo/local/A/perm/file").body == b"x"
        assert len([path for path in (again.root / "blobs").iterdir() if path.is_file()]) == 1
