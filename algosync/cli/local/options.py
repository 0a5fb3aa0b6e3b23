"""The options that several `emulator` commands share, in groups (see `algosync.cli.options`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from algosync.cli.options import CommonOptions, StateFolder

__all__ = ["LocalClusterOptions", "LocalStateOptions"]


@dataclass(frozen=True, slots=True)
class LocalStateOptions(CommonOptions):
    """Options of all commands of local clusters."""

    state: StateFolder = Path("state")


@dataclass(frozen=True, slots=True)
class LocalClusterOptions(LocalStateOptions):
    """Options of the commands that work on one local cluster."""

    name: Annotated[str, typer.Option(metavar="NAME", help="The local cluster's name.")] = "default"

    @property
    def root(self) -> Path:
        """The cluster's folder. UsageError: the name is not valid."""
        from algosync.cli.local.location import cluster_folder

        return cluster_folder(self.state, self.name)
