"""The requests of a command, kept in a file, and processes that send the same ones without algosync."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmark.running import Cost, Stub, run

__all__ = ["bare", "recorded"]


def recorded(file: Path, cluster: Stub, body: Callable[[], object]) -> int:
    """Write the requests that `body` makes into the file. Returns their number."""
    cluster.ask("record", b"")
    body()
    requests = cluster.ask("recorded")
    assert isinstance(requests, list)
    file.write_text(json.dumps(requests))
    return len(requests)


def bare(file: Path, cluster: Stub, connections: int, client: str = "urllib3", modules: tuple[str, ...] = ()) -> Cost:
    """Run a process that imports `modules` and sends the recorded requests."""
    command = [sys.executable, "-m", "benchmark.bare", str(file), cluster.address, str(connections), client, *modules]
    return run(command, file.parent, log="bare-log")
