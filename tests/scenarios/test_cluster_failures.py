"""A local cluster that is killed, or whose disk is full, during an apply: the same apply converges afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import Workspace, cluster_process, lasting_port

DISK = 64 * 1024 * 1024
UNSHARED = ("unshare", "--user", "--map-root-user", "--mount")
MOMENTS = os.environ.get("ALGOSYNC_TEST_MOMENTS", "0.1 0.5 0.9").split()
"""Moments of the kill, as fractions of the duration of an undisturbed apply."""

RELIEF_SECONDS = 20.0
"""The disk gets free space again after this time, even if the apply has not ended."""

ROOM = os.environ.get("ALGOSYNC_TEST_ROOM", "0 8 64").split()
"""Free space on the cluster's disk, in KiB."""


def released(workspace: Workspace) -> None:
    """Check that the same command converges: the release is complete, its tests pass, and the next plan is empty."""
    output = workspace.apply()
    assert workspace.actions() == {}, output
    assert workspace.run("test").returncode == 0


def written(folder: Path, environ: dict[str, str]) -> Workspace:
    workspace = Workspace(folder, environ)
    folder.mkdir(parents=True, exist_ok=True)
    workspace.algorithm("One")
    (folder / "algorithms" / "One" / "src" / "table.txt").write_bytes(os.urandom(20_000))
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    return workspace


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> float:
    """The duration of an apply in seconds."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with cluster_process(folder / "root") as cluster:
        workspace = written(folder / "workspace", cluster.environ())
        started = time.monotonic()
        workspace.apply()
        return time.monotonic() - started


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_cluster_is_killed(tmp_path: Path, undisturbed: float, moment: str) -> None:
    port = lasting_port()
    with cluster_process(tmp_path / "root", port=port) as cluster:
        workspace = written(tmp_path / "workspace", cluster.environ())
        killer = threading.Timer(undisturbed * float(moment), lambda: cluster.process.send_signal(signal.SIGKILL))
        killer.start()
        workspace.run("apply", "--auto-approve")
        cluster.process.wait(60)
    with cluster_process(tmp_path / "root", port=port) as again:
        workspace.environ = again.environ()
        released(workspace)


@contextmanager
def on_a_disk_of_its_own(folder: Path) -> Iterator[tuple[dict[str, str], Path]]:
    """A cluster on a small disk. Yields the variables of its clients, and a path to the disk from outside its mount namespace."""
    if shutil.which(UNSHARED[0]) is None or subprocess.run([*UNSHARED, "true"], capture_output=True, check=False).returncode:
        pytest.skip("users cannot mount file systems on this machine")
    folder.mkdir()
    script = 'mount -t tmpfs -o size="$1" tmpfs "$2" && exec "$3" -m algosync.emulator "$2/root"'
    arguments = ["sh", "-c", script, "-", str(DISK), str(folder), sys.executable]
    with subprocess.Popen([*UNSHARED, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Serving ")
            seen = Path(f"/proc/{process.pid}/root{folder}")
            told = json.loads((seen / "root" / "cluster.json").read_text())
            yield {"DESTINATION_API_ADDRESS": told["address"], "DESTINATION_API_KEY": told["key"]}, seen
        finally:
            process.terminate()


def fill(folder: Path, left: int) -> Path:
    """Write a file that leaves `left` bytes of the disk free."""
    filler = folder / "filler"
    disk = os.statvfs(folder)
    with filler.open("wb") as file:
        file.write(bytes(max(0, disk.f_bavail * disk.f_frsize - left)))
    return filler


@pytest.mark.parametrize("room", ROOM)
def test_the_disk_is_full(tmp_path: Path, room: str) -> None:
    """The cluster keeps running, and works again when the disk has free space."""
    with on_a_disk_of_its_own(tmp_path / "disk") as (environ, folder):
        workspace = written(tmp_path / "workspace", environ)
        filler = fill(folder, int(room) * 1024)
        # The apply waits for a build whose end cannot be recorded yet.
        relief = threading.Timer(RELIEF_SECONDS, filler.unlink)
        relief.start()
        failed = workspace.run("apply", "--auto-approve")
        relief.cancel()
        relief.join()
        assert failed.returncode == 0 or "room left on the disk" in failed.stderr or "No space left" in failed.stderr, failed.stderr
        filler.unlink(missing_ok=True)
        released(workspace)


def test_a_call_finds_the_disk_full(tmp_path: Path) -> None:
    """A running worker cannot write its output. The next call works when the disk has free space."""
    with on_a_disk_of_its_own(tmp_path / "disk") as (environ, folder):
        workspace = written(tmp_path / "workspace", environ)
        workspace.algorithm("One", "def apply(input):\n    print('x' * 100_000 * input)\n    return input\n")
        released(workspace)

        def called(path: str, times: int) -> tuple[int, str]:
            headers = {"Authorization": environ["DESTINATION_API_KEY"], "Content-Type": "application/json"}
            request = urllib.request.Request(f"{environ['DESTINATION_API_ADDRESS']}/v1/algo/local/{path}", b"%d" % times, headers)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()

        filler = fill(folder, 0)
        status, text = called("One/latestPrivate", 10)
        assert (status, "There is no room left on the disk" in text) == (507, True), text
        filler.unlink()
        assert called("One/latestPrivate", 10)[0] == 200
