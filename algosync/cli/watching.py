"""What local clusters do: their status and their logs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import typer

from algosync.cli.embedded import KEPT, LocalCluster, folder, is_there, named, present
from algosync.cli.interrupt import silently
from algosync.cli.keeping import command, option_texts, settings
from algosync.core.error import AlgosyncError
from algosync.core.text import plural, printable
from algosync.emulator.server import server_lock

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.core.resource import Json

__all__ = ["logs", "status"]

_LOOK_EVERY = 0.2  # seconds
_BLOCK = 1024 * 1024
_LONGEST = 2000  # characters of a line
_OLDER = "requests.older.jsonl"  # what `requests.jsonl` was, until it became too large
_PAGES = "/page/"  # for people, below the address
_State = Literal["running", "not answering", "stopped", "absent"]


@dataclass(frozen=True, slots=True)
class _Seen:
    name: str
    folder: Path
    state: _State
    cluster: LocalCluster | None
    kept: bool
    algorithms: int


def status(state: Path, name: str | None, terminal: Terminal, *, json: bool) -> None:
    """One line for each cluster. Exit 1: the named one does not run."""
    roots = [folder(state, name)] if name is not None else sorted(filter(is_there, state.glob("local/*")))
    seen = [_look(root) for root in roots]
    if name is not None and seen[0].state == "absent" and not json:
        raise AlgosyncError(f"there is no local cluster {named(roots[0])}", hint=command("start", name))
    if seen and not json:
        terminal.tell(f"Local clusters in {printable(str(state.resolve()))}:")
    if json:
        terminal.document({"format_version": "1.0", "clusters": [_document(each) for each in seen]})
    else:
        for each in seen:
            terminal.result(_line(each))
    if not seen:
        terminal.tell(f"There are no local clusters in {printable(str(state.resolve()))}.")
    if name is not None and seen[0].state != "running":
        raise typer.Exit(1)


def logs(state: Path, name: str, terminal: Terminal, *, follow: bool) -> None:
    """What the server has said, then the requests. Following ends with a signal, or when its reader leaves.

    AlgosyncError: there is no such cluster.
    """
    root = folder(state, name)
    if not (root / "server.log").exists():
        raise AlgosyncError(f"there is no local cluster {named(root)} that has been started", hint=command("start", name))
    files = [_Tail(root / "server.log"), _Tail(root / "requests.jsonl")]
    with silently():
        with closing(_Tail(root / _OLDER)) as older:
            _tell(older, terminal)
        while True:
            for file in files:
                _tell(file, terminal)
            if not follow or terminal.out in terminal.left:
                return
            time.sleep(_LOOK_EVERY)


def _tell(file: _Tail, terminal: Terminal) -> None:
    for line in file.lines():
        shown = _request(line) if file.path.suffix == ".jsonl" else line
        terminal.result(printable(shown, _LONGEST))


def _look(root: Path) -> _Seen:
    cluster = present(root)
    found: _State = "running" if cluster else "not answering" if server_lock.taken(root) else "stopped"
    return _Seen(
        root.name,
        root.resolve(),
        found if is_there(root) else "absent",
        cluster,
        (root / KEPT).exists(),
        _algorithms(root / "cluster.sqlite"),
    )


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
    told = "  ".join([told, *filter(None, [" ".join(printable(each, 200) for each in option_texts(cluster))])])
    return f"{seen.name}  running  {told}"


def _document(seen: _Seen) -> Json:
    cluster = seen.cluster
    return {
        "name": seen.name,
        "state": seen.state,
        "address": cluster.url if cluster else None,
        "folder": str(seen.folder),
        "git": f"{cluster.url}/git" if cluster else None,
        "page": f"{cluster.url}{_PAGES}" if cluster else None,
        "pid": cluster.pid if cluster else None,
        "user": cluster.user if cluster else None,
        "started_at": cluster.started_at if cluster else None,
        "ca_cert": cluster.ca_cert if cluster else None,
        "faults": cluster.faults if cluster else None,
        "stances": {**settings(cluster)} if cluster else None,
        "kept": seen.kept and cluster is not None,
        "algorithms": seen.algorithms,
    }


class _Tail:
    """The lines of a file, whole ones only, and those that are added.

    From the beginning where it has begun anew; of one that another has taken the place of, the last lines first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._rest = b""

    def lines(self) -> Iterator[str]:
        """Those that have not been read yet."""
        while True:
            # Whoever takes its place has nothing to add to this one.
            replaced = self._file is None or not self._is_there(self._file)
            if self._file:
                yield from self._added(self._file)
            if not replaced or not self._begun():
                return

    def close(self) -> None:
        """No more lines."""
        if self._file:
            self._file.close()

    def _is_there(self, file: BinaryIO) -> bool:
        try:
            return os.path.samestat(self.path.stat(), os.fstat(file.fileno()))
        except FileNotFoundError:
            return True

    def _begun(self) -> bool:
        self.close()
        try:
            self._file, self._rest = self.path.open("rb"), b""
        except FileNotFoundError:
            self._file = None
        return self._file is not None

    def _added(self, file: BinaryIO) -> Iterator[str]:
        if os.fstat(file.fileno()).st_size < file.tell():
            file.seek(0)
            self._rest = b""
        while block := file.read(_BLOCK):
            *lines, self._rest = (self._rest + block).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)


def _request(line: str) -> str:
    """A request as people read it."""
    try:
        entry = json.loads(line)
        parts = [entry["time"], entry["status"], entry["caller"] or "-", entry["method"], entry["path"], f"{entry['bytes']} B"]
        parts += ["the client had left"] if entry.get("left") is True else []
        parts += [f"{name}: {entry[name]}" for name in ("fault", "error", "needs", "key", "id") if name in entry]
    except (ValueError, KeyError, TypeError):
        return line
    return "  ".join(map(str, parts))
