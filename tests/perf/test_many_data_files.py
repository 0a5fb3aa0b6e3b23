"""The time of an apply with many data files, on a local cluster: eight times the files take at most eight times as long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from harness import Cluster, Workspace

SIZE = 20 << 10  # bytes
FEW, MANY = 100, 800


def seconds_of_apply(workspace: Workspace, number: int) -> float:
    """The seconds of an apply that sends this many files to a new algorithm."""
    name = f"Has{number}"
    workspace.algorithm(name)
    files = [workspace.data(name, f"{place}.bin", place.to_bytes(4, "big") * (SIZE // 4)) for place in range(number)]
    workspace.write([{"name": name, "language": "python3", "data_files": files}])
    workspace.settle_source()
    began = time.monotonic()
    done = workspace.run("apply", "--auto-approve", timeout=1200)
    took = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assert f"{number + 3} added" in done.stdout
    assert workspace.actions() == {}
    return took


def test_eight_times_the_files_take_at_most_eight_times_as_long(
    tmp_path: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    took = {}
    for number in (FEW, MANY):
        folder = tmp_path / str(number)
        folder.mkdir()
        took[number] = seconds_of_apply(Workspace(folder, cluster.environ(), interpreter=True), number)
        listings = sum(r["method"] == "GET" and r["path"] == f"/v1/data/local/Has{number}" for r in cluster.requests())
    with capsys.disabled():
        print(f"\n{FEW} files: {took[FEW]:.1f} s; {MANY} files: {took[MANY]:.1f} s; {listings} listings of the latter")
    assert listings < 20
    assert took[MANY] <= took[FEW] * MANY / FEW
