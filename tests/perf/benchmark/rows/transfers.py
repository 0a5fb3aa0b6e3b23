"""Files from one cluster to another: by algosync, by rclone over WebDAV to the same servers, and by bare clients.

The rows with targets have nginx at both ends, as the measurements that the targets are from. Between servers that cost next to
nothing the client alone counts, and so does its hashing, which rclone does not do here. With several large files algosync reads
the first ones back while it uploads the others, which "upload alone" contains.
"""

from __future__ import annotations

import contextlib
import http.client
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmark.behind_nginx import behind_nginx, has_nginx
from benchmark.result import Bench, Measure, Result, interleaved
from benchmark.running import Cost, Stub, run, stub
from benchmark.workspace import Workspace, options

__all__ = ["relay", "small_files"]

NAME = "Holder"  # the algorithm that the files belong to
SOURCE = "models"  # their collection at the source
BLOCK = 1 << 20
BARE = "bare"
NGINX = "nginx at both ends"
COPY, CHECK = "rclone copy", "rclone copy, then check --download"


@dataclass(slots=True)
class Route:
    """Two stubs, and a workspace whose workflow moves `files` from one to the other.

    `uploads`: the seconds from the head of the first upload to the end of the last one, as the destination saw them, of each apply.
    """

    bench: Bench
    workspace: Workspace
    source: Stub
    destination: Stub
    files: Sequence[str]
    connections: int
    uploads: list[float] = field(default_factory=list)

    def apply(self, *options: str) -> Cost:
        """A whole first apply."""
        self.destination.upload_time()  # of others
        cost = self.workspace.apply(self.destination, self.source, [*self._at_once(), *options])
        self.uploads.append(self.destination.upload_time())
        return cost

    def copy(self) -> Cost:
        """`rclone copy` to an empty destination."""
        self.destination.ask("empty", b"")
        return self._rclone("copy")

    def copy_and_check(self) -> Cost:
        """`rclone copy`, and a second process that reads both sides."""
        copied, checked = self.copy(), self._rclone("check", "--download")
        return Cost(copied.wall + checked.wall, copied.cpu + checked.cpu, max(copied.memory, checked.memory))

    def by(self, client: str) -> Callable[[], Cost]:
        """A bare client, with as many connections."""
        ends = (self.source.address, self.destination.address, SOURCE, NAME)
        command = [sys.executable, "-m", "benchmark.relaying", client, str(self.connections), *ends, *self.files]

        def once() -> Cost:
            self.destination.ask("empty", b"")
            return run(command, self.workspace.folder, log="bare-log")

        return once

    def requests(self, side: Callable[[], Cost]) -> int:
        """How many requests one run sends to the destination."""
        before = self.destination.count()
        side()
        return self.destination.count() - before

    def _rclone(self, *command: str) -> Cost:
        program = self.bench.peer("rclone")
        assert program is not None
        ends = [f':webdav,url="{end.address}/dav":{name}' for end, name in ((self.source, SOURCE), (self.destination, NAME))]
        at_once = ["--transfers", str(self.connections), "--checkers", str(self.connections)]
        return run([program, *command, *ends, "--webdav-pacer-min-sleep", "0", *at_once], self.workspace.folder, log="rclone-log")

    def _at_once(self) -> list[str]:
        known = [option for option in ("--parallelism", "--transfers") if f"{option} " in options("apply")]
        return [part for option in known for part in (option, str(self.connections))]


Server = Callable[[Path], AbstractContextManager[Stub]]


@contextlib.contextmanager
def route(bench: Bench, sizes: Sequence[int], server: Server, *, connections: int = 8) -> Iterator[Route]:
    """Two of these servers, the source with new files of these sizes in bytes."""
    folder = bench.folder / "transfers"
    shutil.rmtree(folder, ignore_errors=True)
    with server(folder / "source") as source, server(folder / "destination") as destination:
        files = [f"f{place}.bin" for place in range(len(sizes))]
        _fill(source, dict(zip(files, sizes, strict=True)))
        workspace = Workspace(folder)
        workspace.algorithm(NAME)
        entry: dict[str, object] = {
            "name": NAME,
            "language": "python3",
            "data_files": [f"data://.my/{SOURCE}/{name}" for name in files],
        }
        workspace.write([entry], source.address)
        yield Route(bench, workspace, source, destination, files, connections)
    shutil.rmtree(folder)


def _fill(source: Stub, sizes: dict[str, int]) -> None:
    connection = http.client.HTTPConnection(source.address.removeprefix("http://"))
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/v1/data/local", f'{{"name": "{SOURCE}"}}', headers)
    connection.getresponse().read()
    with Path("/dev/urandom").open("rb") as random:
        for name, size in sizes.items():
            blocks = (random.read(min(BLOCK, size - at)) for at in range(0, size, BLOCK))
            connection.request("PUT", f"/v1/data/local/{SOURCE}/{name}", blocks, {"Content-Length": str(size)})
            connection.getresponse().read()


def small_files(bench: Bench) -> Iterator[Result]:
    """Many files of 20 KiB, 32 connections on both sides."""
    if bench.peer("rclone") is None or not has_nginx():
        return
    for number in bench.sizes or ([100] if bench.small else [300, 2000]):
        yield from _small_row(bench, number, NGINX, behind_nginx, (3.0, 1.3))
        if not bench.small:
            yield from _small_row(bench, number, "0 ms a request", stub, (None, None))
            yield from _small_row(bench, number, "10 ms a request", partial(stub, delay=0.01), (1.0, 0.5))


def _small_row(
    bench: Bench, number: int, name: str, server: Server, targets: tuple[float | None, float | None]
) -> Iterator[Result]:
    with route(bench, [20 << 10] * number, server, connections=32) as way:
        sides = {"apply": way.apply, COPY: way.copy, CHECK: way.copy_and_check}
        if not bench.small:
            sides |= {f"{BARE} {client}": way.by(client) for client in ("urllib3", "official client")}
        requests = way.requests(way.apply)
        way.uploads.clear()
        found = interleaved(bench.rounds, sides)
    name, ours, uploads = f"{number:,} x 20 KiB, {name}", found["apply"], way.uploads[1:]
    whole, upload = targets if number == 2000 else (None, None)
    yield Result("small-files", f"{name}: whole apply", CHECK, ours.wall, found[CHECK].wall, "s", whole, requests, ours.memory)
    yield Result("small-files", f"{name}: whole apply, processor", CHECK, ours.cpu, found[CHECK].cpu, "s", None, requests)
    yield Result("small-files", f"{name}: upload alone", COPY, uploads, found[COPY].wall, "s", upload, number)
    for side, peer in found.items():
        if side.startswith(BARE):
            yield Result("small-files", f"{name}: upload alone", f"{side}, unhashed", uploads, peer.wall, "s", None, number)


def relay(bench: Bench) -> Iterator[Result]:
    """Large files: one, four, and eight at a time. One also between servers that cost next to nothing."""
    if bench.peer("rclone") is None or not has_nginx():
        return
    size = 64 << 20 if bench.small else 1 << 30
    shown = "64 MiB" if bench.small else "1 GiB"
    targets = (None, None) if bench.small else (1.0, 1.5)
    yield from _relay_row(bench, [size], f"{shown}, {NGINX}", behind_nginx, targets, bare=not bench.small)
    if bench.small:
        return
    yield from _relay_row(bench, [size], f"{shown}, stubs at both ends", stub, (None, None), bare=True)
    yield from _relay_row(bench, [size] * 4, f"4 x {shown}, {NGINX}", behind_nginx, (None, 1.2), bare=False)
    with route(bench, [size // 4] * 8, behind_nginx) as way:
        found = interleaved(min(bench.rounds, 3), {"apply": way.apply, CHECK: way.copy_and_check})
        ours, theirs = ([cost.memory for cost in found[side].costs] for side in ("apply", CHECK))
        note = "target: under 150 MiB"
        yield Result("relay", "8 x 256 MiB at a time: peak memory", CHECK, ours, theirs, "MiB", note=note)


def _relay_row(
    bench: Bench, sizes: Sequence[int], name: str, server: Server, targets: tuple[float | None, float | None], *, bare: bool
) -> Iterator[Result]:
    with route(bench, sizes, server) as way:
        sides = {"apply": way.apply, COPY: way.copy, CHECK: way.copy_and_check}
        if bare:
            sides |= {f"{BARE} {client}": way.by(client) for client in ("urllib3", "urllib3 with SHA-256", "official client")}
        found = interleaved(bench.rounds, sides)
    yield from _relay_results(name, found, way.uploads[1:], targets)


def _relay_results(
    name: str, found: dict[str, Measure], uploads: Sequence[float], targets: tuple[float | None, float | None]
) -> Iterator[Result]:
    ours = found["apply"]
    yield Result("relay", f"{name}: upload alone, hashed", f"{COPY}, unhashed", uploads, found[COPY].wall, "s", targets[0])
    yield Result("relay", f"{name}: whole apply", CHECK, ours.wall, found[CHECK].wall, "s", targets[1], None, ours.memory)
    yield Result("relay", f"{name}: whole apply, processor", CHECK, ours.cpu, found[CHECK].cpu, "s")
    for side, peer in found.items():
        if side.startswith(BARE):
            note = f"the peer's memory {statistics.median(cost.memory for cost in peer.costs):.0f} MiB"
            yield Result("relay", f"{name}: upload alone, hashed", side, uploads, peer.wall, "s", note=note)
