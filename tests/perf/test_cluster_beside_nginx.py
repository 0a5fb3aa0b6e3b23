"""Rates of the cluster's data files, as a ratio to nginx with static files and WebDAV: same client, same disk, in turn.

Both servers are one process: nginx runs with its defaults, which are one worker and an access log. It checks no key and keeps no
listing. Its `PUT` is made as durable as the cluster's, which answers when a file and its folder are on disk: the client syncs both
after each answer, within the measured time. A large file takes one connection. Small files take sixteen, each in a process of its
own. Servers and clients share the cores of the machine, so the client's work is part of each rate.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from emulated import Emulator, emulator
from http_load import Job, run
from nginx_peer import Nginx, nginx, program

pytestmark = [pytest.mark.alone, pytest.mark.skipif(program() is None, reason="nginx is missing: apt-get install nginx-light")]

MEMORY = 64 << 10  # KiB
SMALL = [f"{number:04}.bin" for number in range(2000)]
LARGE = ["large.bin"]
FOLDER = "/v1/data/local/files"


@dataclass(frozen=True, slots=True)
class Load:
    """Transfers of files of one size with one method. `least` is the required ratio to nginx's rate."""

    method: str
    names: Sequence[str]
    size: int
    connections: int
    rounds: int
    least: float
    repeated: int = 1

    def __str__(self) -> str:
        return f"{self.method} {len(self.names)} x {self.size >> 10} KiB"


LOADS = [
    # Bare uvicorn with h11, without any application, reaches about 0.3 in requests for small files. Where syncing a file costs
    # little, the small PUTs come near that, too: 0.76 on a disk that syncs slowly, 0.25 on one that syncs fast.
    Load("PUT", SMALL, 20 << 10, 16, 5, least=0.12),
    Load("GET", SMALL, 20 << 10, 16, 9, least=0.06, repeated=5),
    Load("PUT", LARGE, 1 << 30, 1, 3, least=0.5),
    Load("GET", LARGE, 1 << 30, 1, 5, least=0.5),
]


@dataclass(frozen=True, slots=True)
class Pair:
    """The cluster and nginx. `resting` is the memory of the cluster's server before its first request, in KiB."""

    cluster: Emulator
    peer: Nginx
    resting: int

    def ours(self, load: Load) -> float:
        """The cluster's rate in files per second."""
        port = int(self.cluster.address.rpartition(":")[2])
        paths = [f"{FOLDER}/{name}" for name in load.names] * load.repeated
        headers = f"Authorization: Simple {self.cluster.key}\r\n"
        return len(paths) / run(Job(port, load.method, paths, load.size, load.connections, headers))

    def theirs(self, load: Load) -> float:
        """nginx's rate in files per second."""
        paths = [f"/files/{name}" for name in load.names] * load.repeated
        sync = str(self.peer.root / "files") if load.method == "PUT" else None
        return len(paths) / run(Job(self.peer.port, load.method, paths, load.size, load.connections, sync=sync))

    def round(self, load: Load, number: int) -> tuple[float, float]:
        """The rates of the cluster and of nginx. They take turns to be first: the second may wait for disk writes of the first."""
        if number % 2:
            theirs = self.theirs(load)
            return self.ours(load), theirs
        return self.ours(load), self.theirs(load)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("beside")
    with emulator(folder / "cluster", environments) as cluster, nginx(folder / "nginx") as peer:
        both = Pair(cluster, peer, _peak(cluster))
        assert cluster.request("POST", "/v1/data/local", {"name": "files"}).status == 200
        (peer.root / "files").mkdir()
        for load in LOADS:
            if load.method == "PUT":
                both.round(load, 0)
        yield both
    for file in (*folder.glob("cluster/blobs/*"), *peer.root.glob("files/*")):
        # The files have gigabytes, and pytest keeps the folders of three runs.
        with contextlib.suppress(IsADirectoryError):
            file.unlink()


@pytest.mark.parametrize("load", LOADS, ids=str)
def test_rates_beside_nginx(load: Load, pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    if load.method == "GET":
        pair.round(load, 0)  # fills caches
    rounds = [pair.round(load, number) for number in range(load.rounds)]
    grown = _peak(pair.cluster) - pair.resting
    ratios = sorted(ours / theirs for ours, theirs in rounds)
    ratio = statistics.median(ratios)
    ours, theirs = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    with capsys.disabled():
        print(f"\n{load}: {ratio:.2f} x nginx ({ratios[0]:.2f} to {ratios[-1]:.2f} in {load.rounds} rounds);", end=" ")
        print(f"{_rate(ours, load)} and {_rate(theirs, load)}; memory: {grown / 1024:.0f} MiB more than at rest")
    assert grown < MEMORY, f"{grown} KiB"
    assert ratio >= load.least


def _rate(files: float, load: Load) -> str:
    return f"{files:.0f} files/s" if len(load.names) > 1 else f"{files * load.size / 1e6:.0f} MB/s"


def _peak(cluster: Emulator) -> int:
    """The peak memory of the server, in KiB."""
    status = Path(f"/proc/{cluster.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
