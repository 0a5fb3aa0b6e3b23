"""Examination: what the checks share, and what they have found so far."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from algosync.core.diagnosis import Diagnosis, Status
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.cli.clusters import Clusters
    from algosync.cli.options import ClusterOptions
    from algosync.cli.terminal import Terminal
    from algosync.cli.workflow_file import LoadedWorkflow
    from algosync.cluster.connection import Cluster
    from algosync.core.workflow import Workflow

__all__ = ["Examination", "NotExaminedError", "Side", "Site", "finding"]

Side = Literal["SOURCE", "DESTINATION"]


class NotExaminedError(Exception):
    """A check needs what an earlier check did not find. The text says what."""


@dataclass(slots=True)
class Site:
    """One cluster. `label`: its canonical address, `local` or `local:NAME`; `setting`: where the address comes from.

    `cluster`: a connection with its key, which the cluster has accepted. `owners`: the owner of the key, then organizations.
    """

    side: Side
    label: str
    setting: str
    cluster: Cluster | None = None
    owners: tuple[str, ...] = ()

    def connected(self) -> Cluster:
        """NotExaminedError: its key was not accepted."""
        if self.cluster is None:
            raise NotExaminedError(f"needs a key that the {self.side.lower()} accepts")
        return self.cluster


@dataclass(slots=True)
class Examination:
    """The options of the command, and the workflow and the clusters as far as checks have found them."""

    options: ClusterOptions
    terminal: Terminal
    connections: Clusters
    loaded: LoadedWorkflow | None = None
    sites: dict[Side, Site] = field(default_factory=dict)

    @property
    def workflow(self) -> Workflow | None:
        return self.loaded.workflow if self.loaded else None

    @property
    def folder(self) -> Path:
        """The folder of the workflow file, which a directory as source is relative to."""
        return Path(self.workflow.folder) if self.workflow else Path.cwd()

    def site(self, side: Side) -> Site:
        """NotExaminedError: its address is not known, or is not valid."""
        if side not in self.sites:
            raise NotExaminedError(f"needs the address of the {side.lower()}")
        return self.sites[side]


def finding(status: Status, text: str, hint: str | None = None) -> Diagnosis:
    """A diagnosis that does not have the name of its check yet."""
    return Diagnosis("", status, text, hint)
