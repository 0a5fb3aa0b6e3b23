"""What algorithms and builds can access on the machine, in a jail and without one."""

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulated import ADK, Emulator, alive, command_line, emulator, until, within

from algosync.emulator.processes import jail
from algosync.emulator.records.database import Database
from algosync.emulator.records.secrets import SecretEntry, Secrets

WITH = "This cluster runs the code it is given, in a jail (bubblewrap): not a security boundary"
WITHOUT = "This cluster runs the code it is given, without a jail: bubblewrap (bwrap) is missing or does not work"

SECRETS = ("ALGORITHMIA_API_KEY_CANARY", "DESTINATION_API_KEY", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "GITHUB_TOKEN")

PROBE = """
import os, sys
def attempt(action, path):
    try:
        if action == "read":
            return open(path).read()
        if action == "list":
            return sorted(os.listdir(path))
        if action == "write":
            with open(path, "w") as file:
                file.write("written")
            return open(path).read()
    except OSError as error:
        return type(error).__name__
def apply(input):
    if input == "environment": return dict(os.environ)
    if input == "processes": return [name for name in os.listdir("/proc") if name.isdigit()]
    if input == "places": return [os.getcwd(), os.environ["HOME"], os.environ["TMPDIR"], sys.prefix]
    return [attempt(*each) for each in input]
"""

# A package whose build reports what it could read.
BACKEND = """
import os, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    found = [path for path in {paths!r} if os.path.exists(path)]
    with zipfile.ZipFile(os.path.join(directory, "curious-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("curious.py", "found = " + repr([found, dict(os.environ)]))
        wheel.writestr("curious-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: curious\\nVersion: 1\\n")
        wheel.writestr("curious-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("curious-1.dist-info/RECORD", "")
    return "curious-1-py3-none-any.whl"
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'

# A package whose module runs at the start of Python. It replaces the copy of the source by a link as soon as that appears.
STARTING = """
import os, zipfile
CODE = '''
import os, time
end = time.monotonic() + 0.5
while time.monotonic() < end and not os.path.isdir("source"):
    time.sleep(0.001)
if os.path.isdir("source"):
    os.rename("source", "moved")
    os.symlink({target!r}, "source")
'''
def build_wheel(directory, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(os.path.join(directory, "starting-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("starting.pth", "import starting")
        wheel.writestr("starting.py", CODE)
        wheel.writestr("starting-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: starting\\nVersion: 1\\n")
        wheel.writestr("starting-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("starting-1.dist-info/RECORD", "")
    return "starting-1-py3-none-any.whl"
"""

LEAVES_A_DAEMON = """
import os, signal
def apply(input):
    if os.fork() == 0:
        os.setsid()
        open("/tmp/begun", "w").close()
        signal.pause()
    while not os.path.exists("/tmp/begun"):
        pass
    if input == "wait":
        signal.pause()
    os._exit(3)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a private file."""
    home = tmp_path_factory.mktemp("user")
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id_canary").write_text("canary")
    return home


@pytest.fixture(scope="module")
def jailed(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Emulator]:
    """A cluster on a machine with a jail."""
    if jail.find().program is None:
        pytest.skip("bubblewrap is missing or does not work")
    environ = {"HOME": str(home), **dict.fromkeys(SECRETS, "canary")}
    folder = tmp_path_factory.mktemp("jailed")
    with emulator(folder / "root", folder / "environments", environ=environ, jailed=True) as site:
        yield site


def log_of(site: Emulator, name: str) -> list[str]:
    [build, *_] = site.get(f"/v1/algorithms/local/{name}/builds")["results"]
    return site.logs(name, build).splitlines()


def test_a_jailed_algorithm_reads_and_writes_only_its_own_files(jailed: Emulator, home: Path) -> None:
    other = jailed.deploy("Other", "def apply(input):\n    return 'canary'\n")
    reference = jailed.deploy("Probe", PROBE)
    [theirs] = (jailed.root / "builds").rglob("src/Other.py")
    outside = home / "written"
    attempts = [
        ("read", str(jailed.root / "cluster.json")),
        ("read", str(jailed.root / "cluster.sqlite")),
        ("list", str(jailed.root / "builds")),
        ("list", str(jailed.root / "blobs")),
        ("read", str(theirs)),
        ("read", str(home / ".ssh" / "id_canary")),
        ("list", str(home)),
        ("read", "/etc/shadow"),
        ("list", "/etc/ssl/private"),
        ("read", f"/proc/{jailed.process.pid}/environ"),
        ("write", str(outside)),
        ("write", "/usr/algosync-canary"),
        ("write", os.path.join(sys.base_prefix, "algosync-canary")),
    ]
    found = jailed.call(reference, attempts)["result"]
    assert set(found) <= {"FileNotFoundError", "PermissionError", "OSError"}, list(zip(attempts, found, strict=True))
    assert (theirs.read_text(), outside.exists()) == ("def apply(input):\n    return 'canary'\n", False)
    folder, own_home, temporary, environment = jailed.call(reference, "places")["result"]
    own = [("write", os.path.join(place, "x")) for place in (folder, own_home, temporary, "/tmp")]
    assert jailed.call(reference, own)["result"] == ["written"] * 4
    assert jailed.call(reference, [("write", os.path.join(environment, "x"))])["result"] == ["OSError"]
    assert jailed.call(other, 1)["result"] == "canary"
    assert WITH in log_of(jailed, "Probe")


def test_a_jailed_algorithm_sees_neither_other_processes_nor_secrets(jailed: Emulator) -> None:
    reference = jailed.deploy("Alone", PROBE)
    assert len(jailed.call(reference, "processes")["result"]) <= 2
    environment = jailed.call(reference, "environment")["result"]
    assert set(SECRETS) & set(environment) == set()
    assert "canary" not in environment.values()


def test_jailed_algorithms_call_each_other(jailed: Emulator) -> None:
    leaf = jailed.deploy("Leaf", "def apply(input):\n    return input + 1\n")
    source = "import Algorithmia\ndef apply(input):\n    return Algorithmia.client().algo(input).pipe(1).result\n"
    reference = jailed.deploy("Calling", source, ADK)
    assert jailed.call(reference, leaf)["result"] == 2
    [packages] = (jailed.root.parent / "environments").glob("*/lib/python*/site-packages/Algorithmia")
    assert list(packages.glob("__pycache__/*.pyc")), "workers cannot compile it"


def test_a_jailed_build_reads_and_writes_only_its_own_files(jailed: Emulator, home: Path) -> None:
    paths = [str(home / ".ssh"), str(jailed.root / "cluster.json"), str(jailed.root / "blobs"), "/etc/shadow"]
    files: dict[str, str | bytes | None] = {
        "src/Curious.py": "import curious\ndef apply(input):\n    return curious.found\n",
        "requirements.txt": "./package\n",
        "package/pyproject.toml": PROJECT,
        "package/backend.py": BACKEND.format(paths=paths),
        ".adk": None,
    }
    jailed.create("Curious")
    commit = jailed.push("Curious", files)
    build = jailed.build_of("Curious", commit)
    assert build["status"] == "succeeded", jailed.logs("Curious", build)
    found, environment = jailed.call(f"local/Curious/{commit}", None)["result"]
    assert found == []
    assert set(SECRETS) & set(environment) == set()


@pytest.mark.parametrize("which", ["server", "leash", "program"])
def test_a_killed_jail_leaves_no_process(tmp_path: Path, which: str, jailed: Emulator) -> None:
    environments = jailed.root.parent / "environments"
    with emulator(tmp_path / "root", environments, jailed=True) as site:
        reference = site.deploy("Daemon", LEAVES_A_DAEMON)
        error = site.call(reference, None)["error"]
        assert error["message"] == "The algorithm's process ended with exit code 3"
        until(lambda: not list((site.root / "run").glob("*/tmp/begun")))
        before = site.descendants()
        caller = threading.Thread(target=lambda: attempt(site, reference))
        caller.start()
        until(lambda: list((site.root / "run").glob("*/tmp/begun")))
        [folder] = [path.parents[1] for path in (site.root / "run").glob("*/tmp/begun")]
        family = site.descendants()
        assert len(family - before) >= 1
        os.kill(victim(site, which, folder), signal.SIGKILL)
        if which == "server":
            until(lambda: not any(map(alive, family)))
            assert site.process.wait(60) == -signal.SIGKILL
        else:
            caller.join()
            until(lambda: not folder.exists())
            site.stop()
        caller.join()
        until(lambda: not within(tmp_path))


def victim(site: Emulator, which: str, folder: Path) -> int:
    """The process to kill: the server, the leash of the worker in this folder, or the program below it, which is the jail."""
    if which == "server":
        return site.process.pid
    [leash] = [pid for pid in site.children() if str(folder).encode() in command_line(pid)]
    if which == "leash":
        return leash
    return int(Path(f"/proc/{leash}/task/{leash}/children").read_text().split()[0])


def attempt(site: Emulator, reference: str) -> Any:
    try:
        return site.call(reference, "wait")
    except OSError:
        return None


def test_a_cluster_without_a_jail_works_and_reports_it_in_the_log(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments) as site:
        reference = site.deploy("Probe", PROBE)
        assert WITHOUT in log_of(site, "Probe")
        assert site.call(reference, "places")["result"][0].startswith(str(site.root / "run"))
        read = site.call(reference, [("read", str(site.root / "cluster.json"))])["result"][0]
        assert json.loads(read)["key"] == site.key, "as it says: this is no boundary"


def test_a_jail_that_does_not_work_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert jail.find() == jail.NO_JAIL
    (tmp_path / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    assert jail.find() == jail.NO_JAIL
    for kind, refused in zip(jail.KINDS, ("--none", "--disable-userns", "--disable-userns*|*--size"), strict=True):
        (tmp_path / "bwrap").write_text(f'#!/bin/sh\ncase "$*" in *{refused}*) exit 1; esac\n')
        assert jail.find() == jail.Jail(str(tmp_path / "bwrap"), *kind)


def test_secrets_affect_nothing_outside_the_jail(jailed: Emulator) -> None:
    """They can neither load code into the programs around a worker nor make files visible to it."""
    reference = jailed.deploy("Steering", PROBE)
    cluster = str(jailed.root / "cluster.json")
    with contextlib.closing(Database(jailed.root / "cluster.sqlite")) as database:
        # As stored by an older cluster. The current one refuses the first of them.
        identity = jailed.get("/v1/algorithms/local/Steering")["id"]
        for variable, value in (("LD_DEBUG", "libs"), ("SSL_CERT_DIR", str(jailed.root)), ("TOKEN", "=a\nb ü")):
            Secrets(database).add(SecretEntry(variable, identity, variable, "x", "", variable, value))
    assert jailed.call(reference, [("read", cluster)])["result"] == ["FileNotFoundError"]
    environment = jailed.call(reference, "environment")["result"]
    assert [environment[name] for name in ("LD_DEBUG", "SSL_CERT_DIR", "TOKEN")] == ["libs", str(jailed.root), "=a\nb ü"]
    arounds = [Path(f"/proc/{pid}/environ").read_bytes() for pid in jailed.children()]
    assert set(arounds) == {b""}


def test_the_server_does_not_follow_links_of_a_worker(tmp_path: Path, jailed: Emulator) -> None:
    """A package that runs at the start of Python, before the source is copied, cannot redirect the copy elsewhere."""
    target = tmp_path / "target"
    target.mkdir()
    files: dict[str, str | bytes | None] = {
        "src/Planted.py": "import os\ndef apply(input):\n    return sorted(os.listdir())\n",
        "requirements.txt": "./package\n",
        "package/pyproject.toml": PROJECT,
        "package/backend.py": STARTING.format(target=str(target)),
        ".adk": None,
        # Copying these takes longer than starting Python.
        **{f"data/{number}": "x" for number in range(1500)},
    }
    jailed.create("Planted")
    commit = jailed.push("Planted", files)
    assert jailed.build_of("Planted", commit)["status"] == "succeeded"
    assert "src" in jailed.call(f"local/Planted/{commit}", None)["result"]
    assert list(target.iterdir()) == []


def test_shared_memory_of_a_jail_is_limited(jailed: Emulator) -> None:
    """Limits of processes do not count files in memory. Shared memory has a maximum size, and no other tmpfs is writable."""
    code = """
import multiprocessing, os
def apply(input):
    shared = os.statvfs("/dev/shm")
    multiprocessing.Lock()
    written = []
    for path in input:
        try:
            open(path + "/x", "w").close()
            written.append(path)
        except OSError:
            pass
    open("/dev/null", "w").write("x")
    return [shared.f_frsize * shared.f_blocks, written]
"""
    found = jailed.call(jailed.deploy("Bounded", code), ["/", "/dev", "/run", "/home", "/etc", "/var", "/dev/shm", "/tmp"])[
        "result"
    ]
    assert found[1] == ["/dev/shm", "/tmp"]
    assert found[0] == jail.SHARED_MEMORY or jail.find().limits == jail.UNLIMITED


OPENS = """
import ctypes, os
NEW_USER_NAMESPACE = 0x10000000
def changed(path):
    try:
        os.chmod(path, os.stat(path).st_mode & 0o7777)
        return True
    except OSError:
        return False
def unshares():
    # A process with more than one thread cannot do this.
    child = os.fork()
    if child == 0:
        os._exit(ctypes.CDLL(None).unshare(NEW_USER_NAMESPACE) & 1)
    return os.waitpid(child, 0)[1] == 0
def opens(path):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW))
        return True
    except OSError:
        return False
def apply(input):
    # Files are only opened, not written, and modes keep their values, as these may be the machine's own files.
    tops = ["/proc/" + name for name in os.listdir("/proc")]
    kernels = [top for top in tops if not os.path.islink(top) and not os.path.basename(top).isdigit()]
    files = [os.path.join(folder, name) for top in kernels for folder, _, names in os.walk(top) for name in names]
    with open("/dev/stdout", "a") as stdout:
        stdout.write("printed")
    return {
        "seen": "/proc/sys/kernel/core_pattern" in files,
        "opened": [path for path in files + kernels if opens(path)],
        "changed": [path for path in kernels if changed(path)],
        "unshared": unshares(),
    }
"""


def test_a_jailed_algorithm_cannot_change_settings_of_the_kernel(jailed: Emulator) -> None:
    """Root outside the jail owns `/proc/sys`, and could mount the control groups in another user namespace."""
    answer = jailed.call(jailed.deploy("Kernel", OPENS), None, "?stdout=true")
    assert answer["result"].pop("unshared") is False or jail.find().alone == jail.OLDER
    assert answer["result"] == {"seen": True, "opened": [], "changed": []}
    assert answer["metadata"]["stdout"] == "printed"


STOPS_ITS_LEASH = """
import os, signal
def apply(input):
    os.kill(os.getppid(), signal.SIGSTOP)
    if input == "hang":
        signal.pause()
    return input
"""


def test_a_stopped_leash_does_not_block_the_cluster(tmp_path: Path, environments: Path) -> None:
    """Neither the reply to a call, nor the end of the server, nor the lock for the next start."""
    with emulator(tmp_path / "root", environments) as site:
        reference = site.deploy("Stopping", STOPS_ITS_LEASH)
        assert site.call(reference, "hang", "?timeout=1")["error"]["error_type"] == "TimeoutError"
        assert site.call(reference, "idle")["result"] == "idle"
        assert site.stop() == 0
        until(lambda: not within(tmp_path))
