"""The options of the commands that work on a state. Their arguments name records, so the workflow is an option."""

from algosync.cli.options import ClusterOptions, LockTimeout, WorkflowOption
from algosync.core.lean import dataclass

__all__ = ["StateChangeOptions", "StateOptions"]


@dataclass(frozen=True, slots=True)
class StateOptions(ClusterOptions):
    """Options that say which state."""

    workflow: WorkflowOption = None


@dataclass(frozen=True, slots=True)
class StateChangeOptions(StateOptions):
    """Options of the commands that change a state."""

    lock_timeout: LockTimeout = 0
