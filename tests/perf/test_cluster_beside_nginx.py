"""The cluster's data beside nginx's static files and WebDAV: the same client, the same disk, in turn, as ratios of rates.

One process beside one process: nginx runs as it does where nothing else is configured, with one worker, and an access log. It asks
for no key and keeps no listing. Its `PUT` is made as durable as the cluster's, which answers when a file and the folder that names
it are on disk: the client syncs both when nginx has answered, file by file, within what is timed. One connection for a large file;
sixteen for small ones, each in a process of its own. All share two cores or few more: what the client takes is part of each rate.
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
from nginx_peer import Nginx, nginx

pytestmark = pytest.mark.alone

LIMIT = 0.5
MEMORY = 64 << 10  # KiB
SMALL = [f"{number:04}.bin" for number in range(2000)]
LARGE = ["large.bin"]
FOLDER = "/v1/data/local/files"


@dataclass(frozen=True, slots=True)
class Load:
    """Files of one size, moved in one way, in so many rounds."""

    method: str
    names: Sequence[str]
    size: int
    connections: int
    rounds: int

    def __str__(self) -> str:
        return f"{self.method} {len(self.names)} x {self.size >> 10} KiB"


LOADS = [
    Load("PUT", SMALL, 20 << 10, 16, 5),
    Load("GET", SMALL, 20 << 10, 16, 15),
    Load("PUT", LARGE, 1 << 30, 1, 3),
    Load("GET", LARGE, 1 << 30, 1, 5),
]


@dataclass(frozen=True, slots=True)
class Pair:
    """The cluster and its peer."""

    cluster: Emulator
    peer: Nginx

    def ours(self, load: Load) -> float:
        """Files in a second, of the cluster."""
        port = int(self.cluster.address.rpartition(":")[2])
        paths = [f"{FOLDER}/{name}" for name in load.names]
        headers = f"Authorization: Simple {self.cluster.key}\r\n"
        return len(paths) / run(Job(port, load.method, paths, load.size, load.connections, headers))

    def theirs(self, load: Load) -> float:
        """Files in a second, of nginx."""
        paths = [f"/files/{name}" for name in load.names]
        sync = str(self.peer.root / "files") if load.method == "PUT" else None
        return len(paths) / run(Job(self.peer.port, load.method, paths, load.size, load.connections, sync=sync))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("beside")
    with emulator(folder / "cluster", environments) as cluster, nginx(folder / "nginx") as peer:
        assert cluster.request("POST", "/v1/data/local", {"name": "files"}).status == 200
        (peer.root / "files").mkdir()
        yield Pair(cluster, peer)
    for file in (*folder.glob("cluster/blobs/*"), *peer.root.glob("files/*")):
        # Gigabytes, which pytest would keep for three runs.
        with contextlib.suppress(IsADirectoryError):
            file.unlink()


@pytest.mark.parametrize("load", LOADS, ids=str)
def test_at_least_half_the_rate_of_nginx(load: Load, pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    pair.ours(load), pair.theirs(load)  # what comes first makes the files, and fills caches
    before = _peak(pair.cluster)
    rounds = [(pair.ours(load), pair.theirs(load)) for _ in range(load.rounds)]
    grown = _peak(pair.cluster) - before
    ratio = statistics.median(ours / theirs for ours, theirs in rounds)
    ours, theirs = (statistics.median(rates) * load.size / 1e6 for rates in zip(*rounds, strict=True))
    files = 1e6 / load.size
    with capsys.disabled():
        print(f"\n{load}: {ratio:.2f} x nginx", end=" ")
        print(f"({ours:.0f} and {theirs:.0f} MB/s, {ours * files:.0f} and {theirs * files:.0f} files/s, +{grown / 1024:.0f} MiB)")
    assert grown < MEMORY, f"{grown} KiB"
    assert ratio >= LIMIT


def _peak(cluster: Emulator) -> int:
    """The most memory that the server ever had, in KiB."""
    status = Path(f"/proc/{cluster.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
