"""The stage: what a command works on, put together from the options and the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.choice import Choice
from algosync.core.error import Denied, UsageError
from algosync.core.plan import Plan
from algosync.core.secret import Secret
from algosync.core.text import printable
from algosync.core.workflow import Workflow

if TYPE_CHECKING:
    from algosync.cluster.connection import Cluster
    from algosync.cluster.data import DataStore
    from algosync.engine.plan import Scene
    from algosync.kinds import Site
    from algosync.state import Session
    from algosync.views.terminal import Terminal

__all__ = ["Stage", "found", "loaded", "opened"]


@dataclass(frozen=True, slots=True)
class Stage:
    """`plan` names everything and has no changes yet."""

    workflow: Workflow
    scene: Scene[Site]
    session: Session
    plan: Plan


def loaded(choice: Choice, terminal: Terminal) -> tuple[Path, Workflow]:
    """The workflow file and what it says; its sensitive variables are hidden from then on."""
    from algosync import workflow

    path = found(choice)
    given = workflow.variables(choice.variables, choice.variable_files, choice.environ)
    for secret in workflow.sensitive(path, given):
        terminal.hide(secret.reveal())
    return path, workflow.load(path, given)


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
    from algosync.cli.interrupt import pause
    from algosync.engine.plan import Scene
    from algosync.kinds import KINDS, Site
    from algosync.state import open_session, state_name

    path, workflow = loaded(choice, terminal)
    with ExitStack() as stack:
        label, destination = _destination(choice, terminal, stack)
        source_label, source = _source(choice, terminal, stack, workflow) if needs_source else (None, None)
        owners = destination.data.owners()
        owner = _owner(workflow, owners)
        name = state_name(workflow.name, label, owner)
        session = stack.enter_context(open_session(choice.state, name, exclusive=writes, command=f"pid {os.getpid()}"))
        site = Site(
            owner=owner,
            key_owner=owners[0],
            folder=Path(workflow.folder),
            ledger=session,
            destination=destination,
            git_base=_git_base(choice, destination),
            source=source,
            build_deadline=float(choice.build_timeout),
            recorded_only=not needs_source,
            pause=pause,
        )
        depends_on = tuple((spec.name, spec.depends_on) for spec in workflow.algorithms)
        plan = Plan(f"{workflow.name} ({path})", source_label, label, owner, (), (), depends_on)
        yield Stage(workflow, Scene(KINDS, site, choice.parallelism), session, plan)


def _destination(choice: Choice, terminal: Terminal, stack: ExitStack) -> tuple[str, Cluster]:
    address = choice.destination or choice.environ.get("DESTINATION_API_ADDRESS", "")
    if not address:
        raise UsageError(
            "no destination is named",
            hint="set DESTINATION_API_ADDRESS and DESTINATION_API_KEY, or use --destination local for an embedded cluster",
        )
    return _cluster("DESTINATION", address, choice, terminal, stack)


def _source(choice: Choice, terminal: Terminal, stack: ExitStack, workflow: Workflow) -> tuple[str | None, DataStore | None]:
    """Only where something is taken from a source cluster: otherwise no source need be named, nor is one asked."""
    from algosync.cluster.directory import Directory

    address = workflow.source_address or choice.environ.get("SOURCE_API_ADDRESS", "")
    taken = any(spec.data_files or (spec.code or "").startswith("data://") for spec in workflow.algorithms)
    if not address or not taken or workflow.run_only:
        return address or None, None
    if address.startswith("file://"):
        return address, Directory(Path(workflow.folder) / address.removeprefix("file://"))
    label, cluster = _cluster("SOURCE", address, choice, terminal, stack)
    return label, cluster.data


def _cluster(side: str, address: str, choice: Choice, terminal: Terminal, stack: ExitStack) -> tuple[str, Cluster]:
    """The cluster of one side, and how it is called."""
    from algosync.cli.embedded import is_local, running
    from algosync.cluster.address import parse
    from algosync.cluster.connection import connect

    variable = f"{side}_API_ADDRESS"
    if is_local(address):
        local = stack.enter_context(running(address, choice.state))
        terminal.hide(local.key.reveal())
        return address, connect(parse(local.url, variable), local.key, None, variable)
    parsed = parse(address, variable)
    key = _key(f"{side}_API_KEY", choice.environ)
    terminal.hide(key.reveal())
    ca_variable = f"{side}_CA_CERT"
    return parsed.url, connect(parsed, key, choice.environ.get(ca_variable), ca_variable)


def _key(variable: str, environ: Mapping[str, str]) -> Secret:
    """Never shown, also where it is refused: a message would end in a log."""
    key = environ.get(variable, "")
    if not key:
        raise UsageError(f"{variable} is not set")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(f"{variable} holds spaces or characters that no key has", hint="look for a line break at its end")
    return Secret(key)


def _owner(workflow: Workflow, owners: tuple[str, ...]) -> str:
    if workflow.owner is None or workflow.owner in owners:
        return workflow.owner or owners[0]
    reached = ", ".join(printable(name, 80) for name in owners)
    raise Denied(
        f"DESTINATION_API_KEY does not belong to {printable(workflow.owner)}",
        hint=f"it reaches {reached}; the workflow's algorithm_owner must be one of them",
    )


def _git_base(choice: Choice, destination: Cluster) -> str:
    from algosync.cluster.address import git_base, parse_git

    given = choice.environ.get("DESTINATION_GIT_ADDRESS")
    return parse_git(given, "DESTINATION_GIT_ADDRESS") if given else git_base(destination.address)
