"""The transfer of a file of 2 GiB from one cluster to another is complete and needs memory for a few blocks only."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Cluster, Workspace, cluster_process

SIZE = 2 << 30  # bytes
BLOCK = 1 << 20
LIMIT = 150 << 10  # KiB


def _pseudo_random() -> Iterator[bytes]:
    for number in range(SIZE // BLOCK):
        yield hashlib.shake_128(number.to_bytes(4, "big")).digest(BLOCK)


def _peak(process: subprocess.Popen[bytes]) -> int:
    """The peak memory of the process in KiB, which the kernel keeps until the process ends."""
    peak = 0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), peak)
        time.sleep(0.02)
    return peak


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_a_transfer_needs_memory_for_a_few_blocks(tmp_path: Path, cluster: Cluster, workspace: Workspace) -> None:
    digest = hashlib.sha256()

    def blocks() -> Iterator[bytes]:
        for block in _pseudo_random():
            digest.update(block)
            yield block

    with cluster_process(tmp_path / "source", "quality") as source:
        source.api().data.create_collection("quality", "models")
        source.api().data.put("quality", "models", "large.bin", blocks(), SIZE)
        workspace.algorithm("Large")
        workspace.environ |= {"SOURCE_API_KEY": source.key}
        algorithm: dict[str, object] = {"name": "Large", "language": "python3", "data_files": ["data://.my/models/large.bin"]}
        workspace.write([algorithm], source_info={"cluster_address": source.url})
        with (tmp_path / "log").open("wb") as log:
            command = [sys.executable, "-m", "algosync", "apply", "--auto-approve"]
            process = subprocess.Popen(
                command, cwd=workspace.folder, env=workspace.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            peak = _peak(process)
    assert process.returncode == 0, (tmp_path / "log").read_text()
    assert 0 < peak < LIMIT, f"{peak} KiB"
    arrived = hashlib.sha256()
    with cluster.api().data.open("local", "Large", "large.bin") as download:
        for block in download.blocks:
            arrived.update(block)
    assert (download.length, arrived.hexdigest()) == (SIZE, digest.hexdigest())
    print(f"2 GiB moved with {peak / 1024:.0f} MiB at most")
