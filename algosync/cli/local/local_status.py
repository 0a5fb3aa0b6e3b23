"""The status of a local cluster, running or not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from algosync.cli.local.location import exists
from algosync.cli.local.running import KEPT, LocalCluster, answering_cluster
from algosync.core.lean import dataclass
from algosync.emulator.server import server_lock

__all__ = ["LocalStatus", "RunState", "status_of"]

RunState = Literal["running", "not answering", "stopped", "absent"]


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """The status of a local cluster. `cluster` is None unless it runs. `algorithms` is their number."""

    root: Path
    state: RunState
    cluster: LocalCluster | None
    kept: bool
    algorithms: int


def status_of(root: Path) -> LocalStatus:
    """The cluster of this folder."""
    cluster = answering_cluster(root)
    # Processes of a killed server hold its lock for some seconds until they end. Such a cluster can be started again at once.
    runs = server_lock.taken(root) and server_lock.owner(root) is not None
    state: RunState = "running" if cluster else "not answering" if runs else "stopped"
    return LocalStatus(
        root=root.resolve(),
        state=state if exists(root) else "absent",
        cluster=cluster,
        kept=(root / KEPT).exists(),
        algorithms=_count_algorithms(root / "cluster.sqlite"),
    )


def _count_algorithms(database: Path) -> int:
    """0 if the cluster has never run."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM algorithms").fetchone()[0])
    except sqlite3.Error:
        return 0
