"""The options that several `emulator` commands share, in groups (see `algosync.cli.options`)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.options import CommonOptions, LocalHomeFolder, StateFolder
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.cli.local.location import LocalHome
    from algosync.cli.terminal import Terminal

__all__ = ["LocalClusterOptions", "LocalStateOptions"]


@dataclass(frozen=True, slots=True)
class LocalStateOptions(CommonOptions):
    """Options of all commands of local clusters."""

    local_home: LocalHomeFolder = None
    state: StateFolder = Path("state")

    @property
    def home(self) -> "LocalHome":
        """Where the local clusters are."""
        from algosync.cli.local.location import local_home

        return local_home(self.local_home, str(self.state))


@dataclass(frozen=True, slots=True)
class LocalClusterOptions(LocalStateOptions):
    """Options of the commands that work on one local cluster."""

    name: Annotated[str, typer.Option(metavar="NAME", help="The local cluster's name.")] = "default"

    def root(self, terminal: "Terminal") -> Path:
        """The cluster's folder. Prints a note if it is not in the usual place. UsageError: the name is not valid."""
        root = self.home.root(self.name)
        if note := self.home.note(root):
            terminal.tell(note)
        return root
