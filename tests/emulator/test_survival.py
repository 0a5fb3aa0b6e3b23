"""`kill -9` of the server, of a worker or of a build: no process stays, nothing is lost, and the next server continues."""

import fcntl
import hashlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from dulwich.refs import Ref
from emulated import Emulator, alive, emulator, errors, start, until, within

# Leave its session, its process group and its parents.
DAEMON = """
import os, signal
def daemon(path):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open(path + ".new", "w") as file:
                file.write(str(os.getpid()))
            os.rename(path + ".new", path)
            os.closerange(0, 64)
            signal.pause()
        os._exit(0)
    os.wait()
"""

LEAVES_A_DAEMON = (
    DAEMON
    + """
def apply(input):
    if input:
        daemon(input)
        signal.pause()
    return "well"
"""
)

# A package that builds without an index. Its build waits for the gate.
BACKEND = (
    DAEMON
    + """
import time, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    open(os.path.join(os.environ["TMPDIR"], "left"), "w").close()
    daemon({daemon!r})
    while not os.path.exists({gate!r}):
        time.sleep(0.05)
    with zipfile.ZipFile(os.path.join(directory, "held-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("held.py", "value = 7")
        wheel.writestr("held-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: held\\nVersion: 1\\n")
        wheel.writestr("held-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("held-1.dist-info/RECORD", "")
    return "held-1-py3-none-any.whl"
"""
)
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def process_of(site: Emulator, which: str, daemon: int) -> int:
    """The process id of the server, of the leash above `daemon`, or of the program of that leash."""
    if which == "server":
        return site.process.pid
    # The daemon has become a child of the leash. Spare workers have leashes too.
    [leash] = [pid for pid in site.children() if str(daemon) in children(pid)]
    if which == "leash":
        return leash
    [program] = children(leash) - {str(daemon)}
    return int(program)


def children(pid: int) -> set[str]:
    """Empty if the process has ended."""
    try:
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        return set()


@pytest.mark.parametrize("which", ["server", "leash", "program"])
def test_a_killed_call_leaves_no_process(tmp_path: Path, environments: Path, which: str) -> None:
    with emulator(tmp_path / "root", environments) as site:
        reference = site.deploy("Daemon", LEAVES_A_DAEMON)
        answers: list[object] = []
        caller = threading.Thread(target=lambda: answers.append(_answer(site, reference, str(tmp_path / "daemon"))))
        caller.start()
        daemon = int(until(lambda: (tmp_path / "daemon").exists() and (tmp_path / "daemon").read_text()))
        family = site.descendants()
        assert daemon in family
        doomed = family if which == "server" else {process_of(site, "leash", daemon), process_of(site, "program", daemon), daemon}
        os.kill(process_of(site, which, daemon), signal.SIGKILL)
        until(lambda: not any(map(alive, doomed)))
        caller.join()
        if which == "server":
            assert site.process.wait(60) == -signal.SIGKILL
            assert answers == [None]
        else:
            assert answers == ["The algorithm's process was ended by signal SIGKILL (exit code -9)"]
            assert site.call(reference, None)["result"] == "well"
    with emulator(tmp_path / "root", environments) as again:
        assert again.call(reference, None)["result"] == "well"


def _answer(site: Emulator, reference: str, value: object) -> object:
    """The error's message; None if the connection ended instead."""
    try:
        return site.call(reference, value)["error"]["message"]
    except OSError:
        return None


@pytest.mark.parametrize("which", ["server", "leash"])
def test_a_killed_build_leaves_nothing(tmp_path: Path, which: str) -> None:
    """Processes that a build leaves running end with it, even if the build succeeds."""
    environments = tmp_path / "environments"
    noted, gate = tmp_path / "daemon", tmp_path / "gate"
    files: dict[str, str | bytes | None] = {
        "src/Held.py": "import held\ndef apply(input):\n    return held.value\n",
        "requirements.txt": "./package\n",
        "package/pyproject.toml": PROJECT,
        "package/backend.py": BACKEND.replace("{daemon!r}", repr(str(noted))).replace("{gate!r}", repr(str(gate))),
        ".adk": None,
    }
    with emulator(tmp_path / "root", environments) as site:
        site.create("Held")
        commit = site.push("Held", files)
        daemon = int(until(lambda: noted.exists() and noted.read_text()))
        family = site.descendants()
        assert daemon in family
        os.kill(process_of(site, which, daemon), signal.SIGKILL)
        until(lambda: not any(map(alive, family)))
        if which == "server":
            assert site.process.wait(60) == -signal.SIGKILL
            assert [path.name for path in environments.rglob("left")] == ["left"]
        else:
            assert site.build_of("Held", commit)["status"] == "failed"
            assert list(environments.glob("*/tmp")) == []
            site.stop()
    gate.touch()
    noted.unlink()
    with emulator(tmp_path / "root", environments) as again:
        if which != "server":
            assert again.request("POST", "/v1/algorithms/local/Held/compile", {}).status == 200
        until(lambda: again.get("/v1/algorithms/local/Held")["build"]["status"] != "in-progress")
        builds = again.get("/v1/algorithms/local/Held/builds")["results"]
        assert [build["status"] for build in builds] == (["succeeded"] if which == "server" else ["succeeded", "failed"])
        assert again.call(f"local/Held/{commit}", None)["result"] == 7
        assert not alive(int(noted.read_text()))
        assert list(environments.glob("*/tmp")) == []


def test_unfinished_environments_are_removed_unless_in_use(tmp_path: Path, environments: Path) -> None:
    root, cache = tmp_path / "root", tmp_path / "environments"
    with emulator(root, cache) as site:
        site.deploy("Any", "def apply(input):\n    return 1\n")
    [made] = [path for path in cache.glob("env-*") if path.is_dir()]
    left, busy = (made.with_name(f"{made.name.partition('-')[0]}-{name}") for name in ("left", "busy"))
    for path in (left, busy):
        (path / "tmp").mkdir(parents=True)
    with busy.with_name(f"{busy.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with emulator(root, cache):
            assert {path.name for path in cache.glob("env-*") if path.is_dir()} == {made.name, busy.name}


def test_locks_and_packs_of_a_killed_push_are_removed(tmp_path: Path, environments: Path) -> None:
    """With its lock file, a ref could never change again. Refs are kept, whatever their names."""
    site = start(tmp_path / "root", environments)
    site.create("Pushed")
    repository, head = site.fetch("Pushed")
    zero = b"0" * 40
    branches = (Ref(b"refs/heads/tmp-x"), Ref(b"refs/heads/tmp/x"))
    for branch in branches:
        site.send("Pushed", repository, zero, head, branch)
    site.stop(signal.SIGKILL)
    [folder] = (site.root / "git").iterdir()
    left = [folder / "refs/heads/master.lock", folder / "objects/tmp_pack_abc", folder / "objects/pack/tmp_abc.pack"]
    for path in left:
        path.write_bytes(b"half")
    with emulator(site.root, environments) as again:
        assert [path for path in left if path.exists()] == []
        refs = again.git().get_refs("/git/local/Pushed.git").refs
        assert {name: refs.get(name) for name in branches} == dict.fromkeys(branches, head)
        again.push("Pushed", {"new": "1"})


def test_other_algorithms_work_despite_lost_and_damaged_repositories(tmp_path: Path, environments: Path) -> None:
    root = tmp_path / "root"
    site = start(root, environments)
    folders = {
        name: root / "git" / f"{site.create(name)['id']}.git" for name in ("Lost", "Bytes", "Garbage", "Config", "File", "Fine")
    }
    site.stop()
    for name in ("Lost", "File"):
        shutil.rmtree(folders[name])
    folders["File"].touch()
    (folders["Bytes"] / "refs" / "heads" / "master").write_bytes(bytes(range(200, 220)))
    (folders["Garbage"] / "refs" / "heads" / "master").write_bytes(b"garbage")
    (folders["Config"] / "config").write_bytes(b"[core")
    again = start(root, environments)
    again.push("Fine", {"new": "1"})
    assert again.get("/v1/algorithms/local/Garbage/builds")["results"] == []
    assert again.stop() == 0
    damaged = [
        f"ERROR:root:The repository of local/{name} is gone or damaged" for name in ("Bytes", "Config", "File", "Garbage", "Lost")
    ]
    said = errors(root).read_text().splitlines()
    assert said[0] == f"WARNING:root:{folders['File']} is not cleaned up: [Errno 20] Not a directory: '{folders['File'] / 'refs'}'"
    assert sorted(said[1:]) == damaged


@pytest.mark.parametrize("change", [-1, 1])
def test_a_damaged_file_is_not_served(tmp_path: Path, environments: Path, change: int) -> None:
    """Files that are answered in one piece, and one that is streamed."""
    site = start(tmp_path / "root", environments)
    site.request("POST", "/v1/data/local", {"name": "kept"})
    sizes = {"none": 0, "small": 11, "large": 2**21 + 5}
    for name, size in sizes.items():
        assert site.request("PUT", f"/v1/data/local/kept/{name}", b"x" * size).status == 200
        assert site.request("GET", f"/v1/data/local/kept/{name}").body == b"x" * size
    for blob in (path for path in (site.root / "blobs").iterdir() if path.is_file()):
        os.truncate(blob, max(0, blob.stat().st_size + change))
    damaged = {name for name, size in sizes.items() if size or change > 0}
    answers = {name: site.request("GET", f"/v1/data/local/kept/{name}") for name in sizes}
    assert {name for name, answer in answers.items() if answer.status == 500} == damaged
    assert {answer.body for name, answer in answers.items() if name not in damaged} <= {b""}
    assert site.stop() == 0
    assert errors(site.root).read_text().count("This content has another size than was stored: ") == len(damaged)


def test_only_uploads_are_removed(tmp_path: Path, environments: Path) -> None:
    root = tmp_path / "root"
    folders = [root / "blobs" / "incoming" / "folder", root / "blobs" / ("a" * 32)]
    for folder in folders:
        folder.mkdir(parents=True)
    (root / "blobs" / "incoming" / "upload").touch()
    site = start(root, environments)
    assert site.get("/v1/data/") == {"folders": [{"name": "local"}]}
    assert site.stop() == 0
    assert sorted(path.name for path in (root / "blobs").rglob("*")) == ["a" * 32, "folder", "incoming"]
    assert errors(root).read_text() == "".join(f"WARNING:root:{folder} is not removed: Is a directory\n" for folder in folders)


def content(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest() * 100_000


def test_kills_at_many_moments(tmp_path: Path, environments: Path) -> None:
    """The server is killed at increasing times during an upload, a push and calls. Every acknowledged result survives."""
    root = tmp_path / "root"
    with emulator(root, environments) as site:
        reference = site.deploy("Echo", "def apply(input):\n    return input\n")
        assert site.request("POST", "/v1/data/.my", {"name": "kept"}).status == 200
        assert site.request("PUT", "/v1/data/.my/kept/file", content(0)).status == 200
        head = site.fetch("Echo")[1].decode()
        site.call(reference, 1)
        assert set(map(str, site.descendants())) < set(within(root)), "the final check would not find these processes"
    stored = 0
    for moment in range(1, 9):
        site = start(root, environments)
        acknowledged: dict[str, object] = {}
        works = [
            threading.Thread(target=_attempt, args=(acknowledged, "upload", lambda m=moment, s=site: _upload(s, m))),
            threading.Thread(target=_attempt, args=(acknowledged, "push", lambda m=moment, s=site: s.push("Echo", {"n": str(m)}))),
            threading.Thread(target=_attempt, args=(acknowledged, "call", lambda s=site: s.call(reference, 1))),
        ]
        for work in works:
            work.start()
        time.sleep(moment * 0.03)  # the moment of the kill is what varies; nothing is awaited
        family = site.descendants()
        assert site.stop(signal.SIGKILL) == -signal.SIGKILL
        for work in works:
            work.join()
        assert site.process.stdout is not None
        site.process.stdout.close()
        until(partial(_ended, family))
        with emulator(root, environments) as again:
            body = again.request("GET", "/v1/data/.my/kept/file").body
            assert body in ((content(moment),) if "upload" in acknowledged else (content(stored), content(moment)))
            stored = moment if body == content(moment) else stored
            now = again.fetch("Echo")[1].decode()
            if "push" in acknowledged:
                assert now == acknowledged["push"]
            assert now == head or again.files("Echo")["n"] == str(moment).encode()
            head = now
            assert again.build_of("Echo", head)["status"] == "succeeded"
            assert again.call(f"local/Echo/{head}", moment)["result"] == moment
            blobs = [path for path in (root / "blobs").rglob("*") if path.is_file()]
            assert len(blobs) == 1
    assert within(root) == []


def _ended(family: set[int]) -> bool:
    return not any(map(alive, family))


def _upload(site: Emulator, number: int) -> None:
    assert site.request("PUT", "/v1/data/.my/kept/file", content(number)).status == 200


def _attempt(acknowledged: dict[str, object], name: str, work: Callable[[], object]) -> None:
    """Record what was answered. Nothing was acknowledged if the connection ended."""
    try:
        acknowledged[name] = work()
    except Exception:  # noqa: BLE001 - any failure of the client means that nothing was acknowledged
        return
