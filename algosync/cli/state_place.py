"""State place: which state a command works with, and whether that state belongs to its workflow file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.error import AlgosyncError, PlanRefused
from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.options import ClusterOptions
    from algosync.cli.terminal import Terminal
    from algosync.cluster.connection import Cluster
    from algosync.core.error import LockHeld
    from algosync.core.workflow import Workflow
    from algosync.state import Patience, Session, TestResults
    from algosync.workflow import FileIdentity

__all__ = [
    "NamedDestination",
    "StateKey",
    "claim",
    "journals",
    "nothing_recorded",
    "patience",
    "state_found",
    "state_opened",
    "state_place",
    "tell_place",
]

DEFAULT_STATE = "state"
_HOSTS = ("127.0.0.1", "localhost", "[::1]", "api.localhost", "git.localhost")  # of a local cluster, in addresses


@dataclass(frozen=True, slots=True)
class NamedDestination:
    """A destination as states know it. `label`: its address as it was named, `local` or `local:NAME`.

    `identity`: of a local cluster, whose state it names, so that the state is the same at every address. None: any other cluster.
    """

    label: str
    identity: str | None
    authority: str

    @staticmethod
    def of(label: str, cluster: Cluster) -> NamedDestination:
        """Ask the cluster for its identity, if it is on this machine."""
        from algosync.cluster.local_identity import local_identity

        return NamedDestination(label, local_identity(cluster), cluster.address.authority)

    @property
    def is_local(self) -> bool:
        from algosync.cli.local.location import is_local

        return self.identity is not None or is_local(self.label)

    @property
    def name(self) -> str:
        """What names its states."""
        return self.label if self.identity is None else f"local-{self.identity}"

    def former_names(self, state: str) -> list[str]:
        """What named its states in older versions: the addresses that a local cluster may have had. `state`: as of `--state`."""
        if self.identity is None:
            return []
        port = self.authority.rpartition(":")[2]
        addresses = [f"{scheme}://{host}:{port}" for scheme in ("http", "https") for host in _HOSTS] if port.isdecimal() else []
        return [*_former_labels(self.identity, state), *addresses]


def _former_labels(identity: str, state: str) -> Iterator[str]:
    """`local` or `local:NAME`, if the cluster is where older versions kept the local clusters of this state."""
    from algosync.cli.local.location import local_home
    from algosync.emulator.server.identity import identity as identity_of

    home = local_home(None, state)
    for root in sorted((home.former or home.folder).glob("*")):
        if identity_of(root) == identity:
            yield "local" if root.name == "default" else f"local:{root.name}"


@dataclass(frozen=True, slots=True)
class StateKey:
    """What a state is known by. `workflow`: its name."""

    workflow: str
    owner: str
    destination: NamedDestination

    @property
    def name(self) -> str:
        """The name of the state at any place of states."""
        from algosync.state import state_name

        return state_name(self.workflow, self.destination.name, self.owner)

    def former_names(self, state: str) -> list[str]:
        """Its names in older versions. `state`: as of `--state`."""
        from algosync.state import state_name

        return [state_name(self.workflow, each, self.owner) for each in self.destination.former_names(state)]


@contextmanager
def state_opened(
    options: ClusterOptions, terminal: Terminal, of: StateKey, command: str, *, writes: bool
) -> Iterator[tuple[Session, TestResults]]:
    """The session on a state, and its test results, while the body runs.

    A state under a name of older versions is found; `writes`: it is renamed. `command`: what others see while the state is locked.
    LockHeld: another command writes the state.
    """
    from algosync.cli.workflow_file import lasting
    from algosync.state import TestResults, open_session, parse_address

    create = parse_address(options.state)
    wait = patience(options, terminal)
    with state_found(options, terminal, of, writes=writes, command=command) as name, ExitStack() as opened:
        with lasting():
            found = open_session(options.state, name, exclusive=writes, command=command, wait=wait, journals=journals(options))
            session = opened.enter_context(found)
        if session.running is not None:
            terminal.tell(f"Note: {session.running} is working on this state. What it has not recorded yet is not in it.")
        yield session, TestResults(lambda name: create(name, command), name)


@contextmanager
def state_found(options: ClusterOptions, terminal: Terminal, of: StateKey, *, writes: bool, command: str) -> Iterator[str]:
    """The name of that state. While the body runs, its names in older versions are locked if `writes`."""
    from algosync.state import located, parse_address

    create = parse_address(options.state)
    wait = patience(options, terminal)
    with located(lambda name: create(name, command), of.name, of.former_names(options.state), exclusive=writes, wait=wait) as found:
        for place in found.unused:
            terminal.tell(f"Note: {printable(place)} has older records of the same local cluster. They are not used.")
        yield found.name


def patience(options: ClusterOptions, terminal: Terminal) -> Patience:
    """How long the command waits for a lock. It tells who holds the lock, and a signal ends the wait."""
    from algosync.cli.interrupt import pause
    from algosync.state import Patience

    seconds = options.lock_timeout

    def tell(refusal: LockHeld) -> None:
        terminal.tell(f"Note: {printable(refusal.message)}. Waiting for it, up to {seconds} s.")

    return Patience(seconds, tell, pause=pause)


def journals(options: ClusterOptions) -> Path:
    """The folder of the journals of states that are not on this machine."""
    return options.home.folder / ".journals"


def tell_place(session: Session, state: str, file: Path, terminal: Terminal) -> None:
    """Print a note if the state is new, and in the current folder although the workflow file is not.

    `state`: as of `--state`. Whoever names it knows where the state is.
    """
    is_new = session.file is None and not session.records
    if is_new and state == DEFAULT_STATE and not Path(os.path.abspath(file)).is_relative_to(Path.cwd()):
        place = printable(str(Path(state).absolute()), 300)
        terminal.tell(
            f"Note: {printable(str(file), 300)} has no state in {place} yet. States are kept in the current folder, not beside "
            "the workflow. To keep this one elsewhere, use --chdir or --state."
        )


def claim(session: Session, file: FileIdentity, workflow: Workflow, terminal: Terminal) -> None:
    """Make the state that of the workflow file, and print a note if it was that of another file.

    PlanRefused: the other file still exists, or the state has records, and of none of this file's algorithms.
    """
    recorded = session.file
    if recorded is not None and file.matches(recorded):
        return
    if recorded is not None:
        _check_takeover(session, recorded, file, workflow)
        terminal.tell(
            f"Note: The state was that of {printable(recorded, 300)}, which no longer exists. "
            f"It is now that of {printable(file.path, 300)}."
        )
    session.file = file.path


def _check_takeover(session: Session, recorded: str, file: FileIdentity, workflow: Workflow) -> None:
    known = {address.algorithm for address in session.records}
    if file.finds(recorded):
        reason = ""
    elif known and known.isdisjoint((*workflow.depends_on, *(move.old for move in workflow.moved), *workflow.removed)):
        reason = " That file no longer exists, but none of its algorithms is in this one."
    else:
        return
    old, new = printable(recorded, 300), printable(file.path, 300)
    raise PlanRefused(
        f"the state {printable(session.where)} belongs to the workflow file {old}, not to {new}.{reason}",
        hint=f"give {new} a `name:` of its own, or keep its states in another place with --state. With the new name, "
        f"`algosync state rename {printable(workflow.name, 80)}` takes this state along",
    )


def state_place(session: Session) -> str:
    """The place of the state, as an absolute path if it is in a folder."""
    return session.where if "://" in session.where else str(Path(session.where).absolute())


def nothing_recorded() -> AlgosyncError:
    """The error of a command that needs a state with records."""
    message = "nothing is recorded: this workflow was never applied to this destination, or it was destroyed"
    return AlgosyncError(message, hint="run algosync apply first")
