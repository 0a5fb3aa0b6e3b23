"""The local cluster behind `--destination local`: the one that runs, or one that lives as long as commands use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from algosync.cli.local.cluster_locks import USERS, cluster_in_use, start_lock
from algosync.cli.local.running import KEPT, LocalCluster, running_cluster
from algosync.cli.local.server_process import launch

__all__ = ["joined_cluster"]


@contextmanager
def joined_cluster(root: Path) -> Iterator[LocalCluster]:
    """Use the cluster in this folder while the body runs; start it if it does not run.

    Unreachable: it does not start, or does not answer. UsageError: the extra `local` is not installed.
    """
    with cluster_in_use(root):
        with start_lock(root):
            cluster = running_cluster(root)
            if cluster is None:
                # A killed cluster may have left this file. The new one must end with the commands that use it.
                (root / KEPT).unlink(missing_ok=True)
                cluster = launch(root, ["--until-unlocked", str(root / USERS)])
        yield cluster
