"""The options of the commands that work on a state. Their arguments name records, so the workflow is an option."""

from dataclasses import dataclass
from typing import Annotated

import typer

from algosync.cli.options import ClusterOptions, LockTimeout

__all__ = ["StateChangeOptions", "StateOptions"]


@dataclass(frozen=True, slots=True)
class StateOptions(ClusterOptions):
    """Options that say which state."""

    workflow: Annotated[
        str | None,
        typer.Option(
            "--workflow",
            metavar="WORKFLOW",
            help="A path, or a name in workflows/. Default: WORKFLOW_NAME, workflow.* here, or the only file in workflows/.",
            show_default=False,
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class StateChangeOptions(StateOptions):
    """Options of the commands that change a state."""

    lock_timeout: LockTimeout = 0
