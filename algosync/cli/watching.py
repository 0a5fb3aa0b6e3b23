"""What local clusters do: their status and their logs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from algosync.cli.embedded import KEPT, LocalCluster, folder, present
from algosync.cli.keeping import command
from algosync.core.error import AlgosyncError
from algosync.core.text import plural, printable
from algosync.emulator import server_lock

if TYPE_CHECKING:
    from algosync.core.resource import Json
    from algosync.views.terminal import Terminal

__all__ = ["logs", "status"]

_LOOK_EVERY = 0.2  # seconds
_BLOCK = 1024 * 1024
_LONGEST = 2000  # characters of a line
_PAGES = "/page/"  # for people, below the address
_State = Literal["running", "not answering", "stopped"]


@dataclass(frozen=True, slots=True)
class _Seen:
    name: str
    state: _State
    cluster: LocalCluster | None
    kept: bool
    algorithms: int


def status(state: Path, name: str | None, terminal: Terminal, *, json: bool) -> None:
    """One line for each cluster. Exit 1: the named one does not run."""
    roots = [folder(state, name)] if name is not None else sorted(path for path in state.glob("local/*") if path.is_dir())
    seen = [_look(root) for root in roots]
    if json:
        terminal.document({"format_version": "1.0", "clusters": [_document(each) for each in seen]})
    else:
        for each in seen:
            terminal.result(_line(each))
    if not seen:
        terminal.tell(f"There are no local clusters in {printable(str(state))}.")
    if name is not None and seen[0].state != "running":
        raise typer.Exit(1)


def logs(state: Path, name: str, terminal: Terminal, *, follow: bool) -> None:
    """What the server has said, then the requests. Following ends with a signal, or when its reader leaves.

    AlgosyncError: there is no such cluster.
    """
    root = folder(state, name)
    if not (root / "server.log").exists():
        raise AlgosyncError(f"there is no local cluster {name} that has been started", hint=command("start", name))
    files = [_Tail(root / "server.log"), _Tail(root / "requests.jsonl")]
    while True:
        for file in files:
            for line in file.lines():
                shown = _request(line) if file.path.suffix == ".jsonl" else line
                terminal.result(printable(shown, _LONGEST))
        if not follow or terminal.out in terminal.left:
            return
        time.sleep(_LOOK_EVERY)


def _look(root: Path) -> _Seen:
    cluster = present(root)
    running: _State = "running" if cluster else "not answering" if server_lock.taken(root) else "stopped"
    return _Seen(root.name, running, cluster, (root / KEPT).exists(), _algorithms(root / "cluster.sqlite"))


def _algorithms(path: Path) -> int:
    """How many there are; a cluster that has never run has none."""
    import sqlite3

    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM algorithms").fetchone()[0])
    except sqlite3.Error:
        return 0


def _line(seen: _Seen) -> str:
    algorithms = plural(seen.algorithms, "algorithm")
    if seen.cluster is None:
        return f"{seen.name}  {seen.state}  {algorithms}"
    cluster = seen.cluster
    user = printable(cluster.user, 80)
    since = printable(cluster.started_at, 40)
    told = f"{cluster.url}  pid {cluster.pid}  user {user}  {algorithms}  since {since}  page {cluster.url}{_PAGES}"
    return f"{seen.name}  running  {told}"


def _document(seen: _Seen) -> Json:
    cluster = seen.cluster
    return {
        "name": seen.name,
        "state": seen.state,
        "address": cluster.url if cluster else None,
        "page": f"{cluster.url}{_PAGES}" if cluster else None,
        "pid": cluster.pid if cluster else None,
        "user": cluster.user if cluster else None,
        "started_at": cluster.started_at if cluster else None,
        "ca_cert": cluster.ca_cert if cluster else None,
        "faults": cluster.faults if cluster else None,
        "stances": {each: value for each, value in cluster.stances.items() if isinstance(value, int | None)} if cluster else None,
        "kept": seen.kept and cluster is not None,
        "algorithms": seen.algorithms,
    }


class _Tail:
    """The lines of a file, whole ones only, and those that are added; from the beginning where it has begun anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._place = 0
        self._rest = b""

    def lines(self) -> Iterator[str]:
        """Those that have not been read yet."""
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._place:
                    self._place, self._rest = 0, b""
                file.seek(self._place)
                while block := file.read(_BLOCK):
                    self._place += len(block)
                    *lines, self._rest = (self._rest + block).split(b"\n")
                    yield from (line.decode("utf-8", "replace") for line in lines)
        except FileNotFoundError:
            return


def _request(line: str) -> str:
    """A request as people read it."""
    try:
        entry = json.loads(line)
        parts = [entry["time"], entry["status"], entry["caller"] or "-", entry["method"], entry["path"], f"{entry['bytes']} B"]
    except (ValueError, KeyError, TypeError):
        return line
    return "  ".join(map(str, parts))
