"""The stage: what a command works on, put together from the options and the environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.choice import Choice
from algosync.core.error import Denied, UsageError
from algosync.core.plan import PlanHeader
from algosync.core.secret import Secret
from algosync.core.text import printable
from algosync.core.workflow import Workflow

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.core.ports import Ledger
    from algosync.engine.plan import Scene
    from algosync.kinds import Context

__all__ = ["Stage", "found", "hidden_keys", "loaded", "opened"]


_KEYS = ("SOURCE_API_KEY", "DESTINATION_API_KEY")


@dataclass(frozen=True, slots=True)
class Stage:
    workflow: Workflow
    scene: Scene[Context]
    session: Ledger
    header: PlanHeader


def loaded(choice: Choice, terminal: Terminal) -> tuple[Path, Workflow]:
    """The workflow file and what it says; its sensitive variables, and the keys that it must not hold, are hidden from then on."""
    from algosync import workflow

    keys = hidden_keys(choice, terminal)
    path = found(choice)
    given = workflow.variables(choice.variables, choice.variable_files, choice.environ)
    for secret in workflow.sensitive(path, given):
        terminal.hide(secret.reveal())
    return path, workflow.load(path, given, keys)


def hidden_keys(choice: Choice, terminal: Terminal) -> list[Secret]:
    """The keys that the environment gives, hidden from now on."""
    from algosync.core.credential import bare

    keys = [Secret(text) for name in _KEYS if (text := bare(choice.environ.get(name, "")).strip())]
    for key in keys:
        terminal.hide(key.reveal())
    return keys


def found(choice: Choice) -> Path:
    """The workflow file, as people would name it from here."""
    from algosync.workflow import find

    path = find(choice.workflow, choice.environ, Path.cwd())
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@contextmanager
def opened(choice: Choice, terminal: Terminal, *, writes: bool, needs_source: bool = True) -> Iterator[Stage]:
    """Both clusters and the state, open while the command works.

    `writes`: the state is locked for this command alone. `needs_source` is False for what goes by the record.
    """
    from algosync.cli.clusters import clusters, git_host
    from algosync.cli.interrupt import pause
    from algosync.cli.ledger import RedactingLedger
    from algosync.cli.live import reading
    from algosync.engine.plan import Scene
    from algosync.kinds import KINDS, PERFORMERS, READ_BACK, Context, DesiredSources, destination_of
    from algosync.sources import Sources, SourceStore
    from algosync.state import open_session, parse_address, state_name

    parse_address(choice.state)  # a mistake in it is reported before any cluster is asked
    path, workflow = loaded(choice, terminal)
    with ExitStack() as stack:
        reach = clusters(choice, terminal, stack)
        label, destination = reach.destination()
        given, source_label = _source_label(choice, workflow)
        source = reach.source(source_label, Path(workflow.folder), given) if needs_source and _takes(workflow) else None
        with reading(terminal, "the destination"):
            owners = destination.data.owners()
        owner = _owner(workflow, owners)
        name = state_name(workflow.name, label, owner)
        session = stack.enter_context(open_session(choice.state, name, exclusive=writes, command="algosync apply"))
        ledger = RedactingLedger(session, terminal.redacted, READ_BACK)
        sources = Sources(
            workflow.algorithms,
            folder=Path(workflow.folder),
            owner=owner,
            store=SourceStore(source, source_label or "", destination.retry),
            secrets=tuple(hidden_keys(choice, terminal)),
        )
        context = Context(
            destination_of(destination, git_host(choice, label, destination), owner, key_owner=owners[0]),
            DesiredSources(sources, ledger),
            build_deadline=float(choice.build_timeout),
            recorded_only=not needs_source,
            pause=pause,
        )
        header = PlanHeader(f"{workflow.name} ({path})", source_label, label, owner)
        yield Stage(workflow, Scene(KINDS, PERFORMERS, context, choice.parallelism), ledger, header)


def _takes(workflow: Workflow) -> bool:
    """Whether anything is taken from a source cluster: otherwise none need be named, nor is one asked."""
    taken = any(spec.data_files or (spec.code or "").startswith("data://") for spec in workflow.algorithms)
    return taken and not workflow.run_only


def _source_label(choice: Choice, workflow: Workflow) -> tuple[str, str | None]:
    """Where the source's address was given, and its one canonical form, so that two spellings are one source.

    UsageError: it is none. A local one has a key of its own, and needs no variable to agree.
    """
    from algosync.cli.clusters import label
    from algosync.cli.embedded import is_local

    named = choice.environ.get("SOURCE_API_ADDRESS", "")
    given = "source_info.cluster_address" if workflow.source_address else "SOURCE_API_ADDRESS"
    address = workflow.source_address or named
    if address.startswith("file://") or not address:
        return given, address or None
    source = label(address, given, choice)
    if named and not is_local(source) and label(named, "SOURCE_API_ADDRESS", choice) != source:
        raise UsageError(
            f"the workflow takes from {source}, and SOURCE_API_ADDRESS is another cluster: its key goes nowhere else",
            hint="unset SOURCE_API_ADDRESS, or set it to the address in the workflow",
        )
    return given, source


def _owner(workflow: Workflow, owners: tuple[str, ...]) -> str:
    if workflow.owner is None or workflow.owner in owners:
        return workflow.owner or owners[0]
    reached = ", ".join(printable(name, 80) for name in owners)
    raise Denied(
        f"the destination's key does not belong to {printable(workflow.owner)}",
        hint=f"it reaches {reached}; the workflow's algorithm_owner must be one of them",
    )
