"""Transfers on the workers of a Dask cluster, in real processes: deaths, faults, signals, and what can be read of the keys."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from dask_processes import DaskProcesses, dask_processes
from distributed import Client, Scheduler
from gate import gate_before
from harness import Cluster, Workspace, cluster_process
from scan import Finding, Scanner

from algosync import __version__

PAGES = (
    "/info/main/workers.html",
    "/info/main/logs.html",
    "/info/main/exceptions.html",
    "/json/counts.json",
    "/metrics",
    "/status",
)
WORKER_PAGES = ("worker", "logs", "call-stacks")
SIZE = 4 << 20  # bytes: several blocks
HANG = 300  # seconds; only a failing test waits this long


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """Two workers. Tests that kill workers start their own cluster."""
    with dask_processes(tmp_path_factory.mktemp("dask"), "first", "second") as cluster:
        yield cluster


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    path = tmp_path / "faults.json"
    path.write_text("[]")
    return path


@pytest.fixture
def source(tmp_path: Path, faults: Path) -> Iterator[Cluster]:
    with cluster_process(tmp_path / "origin", faults=faults) as running:
        running.api().data.create_collection("local", "models")
        yield running


def content(number: int, size: int = 20 << 10) -> bytes:
    return number.to_bytes(4, "big") * (size // 4)


def exporting(folder: Path, source: Cluster, destination: Cluster, files: int, size: int = 20 << 10) -> Workspace:
    """A workspace whose workflow copies this many files from the source."""
    for number in range(files):
        source.api().data.put("local", "models", f"{number}.bin", iter([content(number, size)]), size)
    workspace = Workspace(folder, {**source.environ("SOURCE"), **destination.environ()}, interpreter=True)
    workspace.algorithm("Uses")
    uris = [f"data://local/models/{number}.bin" for number in range(files)]
    document: list[dict[str, object]] = [{"name": "Uses", "language": "python3", "data_files": uris}]
    workspace.write(document, source_info={"cluster_address": source.url})
    return workspace


def arrived(destination: Cluster, files: int, size: int = 20 << 10) -> bool:
    """Whether the destination has exactly these files."""
    data, whole = destination.api().data, True
    for number in range(files):
        with data.open("local", "Uses", f"{number}.bin") as download:
            whole &= b"".join(download.blocks) == content(number, size)
    return whole and len(data.files("local", "Uses")) == files


def digests_recorded(workspace: Workspace) -> set[str]:
    (state,) = (workspace.folder / "state").glob("*.json")
    records = json.loads(state.read_text())["records"]
    return {record["digest"] for address, record in records.items() if address.startswith("data.")}


def started_apply(workspace: Workspace, dask: DaskProcesses) -> subprocess.Popen[bytes]:
    """Its output goes to a file: a pipe that nobody reads would stop it."""
    command = [sys.executable, "-m", "algosync", "apply", "--auto-approve", "--executor", dask.executor]
    with (workspace.folder / "output").open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=workspace.folder,
            env=workspace.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def ended(process: subprocess.Popen[bytes], workspace: Workspace, code: int) -> str:
    """The output of an apply that must end with this exit code."""
    process.wait(600)
    shown = (workspace.folder / "output").read_text()
    assert process.returncode == code, shown
    assert "Traceback" not in shown
    return shown


def wait_until_written(destination: Cluster, files: int) -> None:
    until = time.monotonic() + HANG
    while sum(str(r["path"]).startswith("/v1/data/local/Uses/") for r in destination.requests()) < files:
        assert time.monotonic() < until
        time.sleep(0.02)


def keys_found(dask: DaskProcesses, scanner: Scanner, folder: Path) -> list[Finding]:
    """Where a key is found: in pages of the scheduler, and in all that scheduler and workers hold about tasks, events and logs."""

    def held_tasks(dask_scheduler: Scheduler) -> bytes:
        import pickle

        return pickle.dumps([(task.key, task.run_spec) for task in dask_scheduler.tasks.values()])

    with Client(dask.address, set_as_default=False) as client:
        ours = [f"/info/{page}/{quote(address, safe='')}.html" for page in WORKER_PAGES for address in client.nthreads()]
        found = [finding for path in (*PAGES, *ours) for finding in scanner.data(dask.page(path), path)]
        tasks = client.run_on_scheduler(held_tasks)
        client.dump_cluster_state(str(folder / "dump"), write_from_scheduler=False)
    dump = gzip.decompress((folder / "dump.msgpack.gz").read_bytes())
    assert b"algosync-progress" in dump  # the events are in it
    return [*found, *scanner.data(dump, "dump"), *scanner.data(tasks, "tasks")]


def test_a_worker_is_killed_while_500_files_are_sent(tmp_path: Path, source: Cluster, cluster: Cluster) -> None:
    files = 500
    (tmp_path / "work").mkdir()
    workspace = exporting(tmp_path / "work", source, cluster, files)
    scanner = Scanner({"source key": source.key, "destination key": cluster.key})
    with dask_processes(tmp_path / "dask", "first", "second", "third") as dask:
        process = started_apply(workspace, dask)
        wait_until_written(cluster, 100)
        dask.processes["second"].send_signal(signal.SIGKILL)
        dask.start_worker("fourth")  # it gets the keys with its first task
        during = keys_found(dask, scanner, tmp_path)
        shown = ended(process, workspace, 0)
        assert f"{files + 3} added" in shown
        after = keys_found(dask, scanner, tmp_path)
        for name in dask.processes:
            assert ("Run out-of-band function 'accept'" in dask.log(name)) == (name != "scheduler")
    assert (during, after) == ([], [])
    assert list(scanner.folder(tmp_path / "dask")) == []  # logs, and what the workers wrote
    assert list(scanner.text(shown, "output")) == []
    assert arrived(cluster, files)
    assert digests_recorded(workspace) == {hashlib.sha256(content(number)).hexdigest() for number in range(files)}
    assert workspace.actions() == {}


def test_faults_on_the_way(tmp_path: Path, source: Cluster, faults: Path, dask: DaskProcesses) -> None:
    """The source cuts, resets, tells a wrong length, is slow, or stalls. The destination returns other bytes than it accepted."""
    liar_faults = tmp_path / "liar.json"
    liar_faults.write_text("[]")
    (tmp_path / "work").mkdir()
    with cluster_process(tmp_path / "liar", faults=liar_faults) as liar:
        workspace = exporting(tmp_path / "work", source, liar, 7, SIZE)
        thens: list[object] = [{"truncate": 5000}, {"reset": "body"}, {"length": 7}, {"drip": SIZE // 2}, {"stall": 5000}]
        replace(faults, [{"match": f"GET /v1/data/local/models/{n}.bin", "then": then} for n, then in enumerate(thens)])
        replace(liar_faults, [{"match": "GET /v1/data/local/Uses/5.bin", "times": "always", "then": {"corrupt": 150}}])
        arguments = ("--executor", dask.executor, "--request-timeout", "3", "--report", "jsonl:events")
        shown = workspace.apply(*arguments, code=4)
        assert "GET /v1/data/local/models/4.bin: " in shown
        events = [json.loads(line) for line in (workspace.folder / "events").read_text().splitlines()]
        assert 0 < min(e["done"] for e in events if e["type"] == "progress" and e["address"] == 'data.Uses["3.bin"]') < SIZE
        assert 'data.Uses["3.bin"]: Uploaded' in shown
        shown = workspace.apply("--executor", dask.executor, code=4)
        assert 'data.Uses["5.bin"]: what the destination holds is not what was sent' in shown
        replace(liar_faults, [])
        workspace.apply("--executor", dask.executor)
        assert arrived(liar, 7, SIZE)
        assert workspace.actions() == {}


def replace(path: Path, rules: object) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(rules))
    os.replace(new, path)


def test_a_source_that_changes_meanwhile(tmp_path: Path, source: Cluster, cluster: Cluster, dask: DaskProcesses) -> None:
    longer = b"longer" * 5000
    (tmp_path / "work").mkdir()
    workspace = exporting(tmp_path / "work", source, cluster, 2)
    with gate_before(cluster.url) as gate:
        workspace.environ["DESTINATION_API_ADDRESS"] = gate.url
        reached = gate.waiting_for("POST /v1/algorithms/local")
        process = started_apply(workspace, dask)
        assert reached.wait(HANG)
        source.api().data.put("local", "models", "1.bin", iter([longer]), len(longer))
        gate.hold = None
        gate.opened.set()
        assert "30000 bytes are announced, its listing says 20480" in ended(process, workspace, 4)
    workspace.environ.update(cluster.environ())
    workspace.apply("--executor", dask.executor)
    with cluster.api().data.open("local", "Uses", "1.bin") as download:
        assert b"".join(download.blocks) == longer


def test_one_ctrl_c_ends_the_transfers_on_the_workers(
    tmp_path: Path, source: Cluster, cluster: Cluster, dask: DaskProcesses
) -> None:
    def runs_held() -> int:
        from algosync.executors import worker

        return len(worker._runs)

    (tmp_path / "work").mkdir()
    workspace = exporting(tmp_path / "work", source, cluster, 3)
    with gate_before(cluster.url) as gate, Client(dask.address, set_as_default=False) as client:
        workspace.environ["DESTINATION_API_ADDRESS"] = gate.url
        reached = gate.waiting_for("PUT /v1/data/local/Uses/*")
        process = started_apply(workspace, dask)
        assert reached.wait(HANG)
        assert set(client.run(runs_held).values()) == {1}
        process.send_signal(signal.SIGINT)
        assert "run the same command again to continue" in ended(process, workspace, 130)
        assert set(client.run(runs_held).values()) == {0}
        assert set(client.processing().values()) == {()}
    workspace.environ.update(cluster.environ())
    workspace.apply("--executor", dask.executor)
    assert arrived(cluster, 3)
    assert workspace.actions() == {}


def test_executors_that_cannot_be_used(tmp_path: Path, workspace: Workspace, dask: DaskProcesses) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3"}])
    shown = workspace.apply("--executor", "dask://127.0.0.1:9", code=1)
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in shown
    shown += workspace.apply("--executor", dask.executor.replace("dask:", "tls:"), code=64)
    assert "Dask's settings distributed.comm.tls name the certificates" in shown
    other = tmp_path / "other" / "algosync-9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: algosync\nVersion: 9.9\n")
    with dask_processes(tmp_path / "dask") as old:
        old.start_worker("old", {"PYTHONPATH": str(tmp_path / "other")})
        shown += workspace.apply("--executor", old.executor, code=64)
    assert f"has algosync 9.9, and this is algosync {__version__}" in shown
    assert "distributed." not in shown.replace("distributed.comm.tls", "").replace("//distributed.dask", "")  # no log of Dask


def test_files_of_a_folder_are_sent_from_here(workspace: Workspace, cluster: Cluster, dask: DaskProcesses) -> None:
    workspace.algorithm("Uses")
    text = secrets.token_bytes(1000)
    workspace.write([{"name": "Uses", "language": "python3", "data_files": [workspace.data("models", "0.bin", text)]}])
    shown = workspace.apply("--executor", dask.executor)
    assert "its files are sent from here, and Dask workers read them back" in shown
    with cluster.api().data.open("local", "Uses", "0.bin") as download:
        assert b"".join(download.blocks) == text
