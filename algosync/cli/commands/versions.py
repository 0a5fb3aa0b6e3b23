"""`algosync versions`: list the published versions of an algorithm at the destination."""

from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.options import ClusterOptions, JsonOutput, WorkflowOption
from algosync.cli.report_output import diagnosed
from algosync.cli.terminal import Terminal
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosync.cli.session import CommandSession
    from algosync.cluster.algorithms import Version

__all__ = ["AlgorithmName", "require_known", "versions", "versions_of"]

AlgorithmName = Annotated[str, typer.Argument(metavar="ALGORITHM", help="An algorithm of the workflow.", show_default=False)]


@dataclass(frozen=True, slots=True)
class VersionsOptions(ClusterOptions):
    """The argument is an algorithm, so the workflow is an option."""

    workflow: WorkflowOption = None


@command
def versions(terminal: Terminal, algorithm: AlgorithmName, options: VersionsOptions, json: JsonOutput = False) -> None:
    """List the published versions of an algorithm, the newest first. Changes nothing."""
    with diagnosed("versions", {"-": "json"} if json else {}, terminal):
        _list(terminal, algorithm, options, json=json)


def _list(terminal: Terminal, algorithm: str, options: VersionsOptions, *, json: bool) -> None:
    from algosync.cli.commands.plan import metadata
    from algosync.cli.session import Needs, command_session
    from algosync.core.address import Address
    from algosync.core.planning.target import Selection
    from algosync.views.listings.versions import VersionRow, version_lines, versions_document
    from algosync.views.plan import header_lines

    needs = Needs("versions", source=False, secrets=False, selection=Selection((algorithm,)))
    with command_session(options, terminal, needs) as session:
        require_known(algorithm, session)
        with terminal.reading("the destination"):
            found = versions_of(algorithm, session)
        record = session.ledger.records.get(Address("version", algorithm))
    stamp = record.destination_stamp if record else None
    rows = [VersionRow(v.number, v.commit, v.built_at, _callability(v), recorded=stamp == f"{v.number}@{v.commit}") for v in found]
    if json:
        terminal.document(versions_document(algorithm, rows, session.header, metadata(session.header)))
        return
    terminal.result_lines(header_lines(session.header, terminal.redact))
    terminal.result_lines(version_lines(algorithm, rows))


def require_known(algorithm: str, session: "CommandSession") -> None:
    """UsageError: the workflow has no such algorithm, and the state has no record of one."""
    from algosync.core.error import UsageError
    from algosync.core.planning.target import UnknownTarget

    names = [*session.workflow.depends_on, *(address.algorithm for address in session.ledger.records)]
    if algorithm not in names:
        error = UnknownTarget.unnamed([algorithm], names)
        raise UsageError(str(error), hint=error.hint)


def versions_of(algorithm: str, session: "CommandSession") -> "Sequence[Version]":
    """The newest first. NotFound: the destination does not have the algorithm."""
    from algosync.core.error import NotFound

    destination = session.scene.site.destination
    try:
        return destination.algorithms.versions(destination.owner, algorithm)
    except NotFound:
        raise NotFound(f"{algorithm} is not at the destination", hint="algosync apply creates it") from None


def _callability(version: "Version") -> str:
    return str(version.settings.get("algorithm_callability", "private"))
