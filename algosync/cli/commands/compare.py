"""`algosync compare`: call the algorithms at the source and at the destination, and compare the answers."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import field
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.options import ClusterOptions, ReportOptions, TargetOptions
from algosync.cli.report_output import write_reports
from algosync.cli.terminal import Terminal
from algosync.cli.testing.options import TestNames
from algosync.core.error import AlgosyncError, Several
from algosync.core.lean import dataclass
from algosync.core.workflow import SourceAlgorithm

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.cluster.connection import Cluster
    from algosync.core.planning.plan import Plan
    from algosync.core.testing.parity import Comparison

__all__ = ["compare"]


@dataclass(frozen=True, slots=True)
class CallOptions:
    """Options of `compare` alone."""

    filter: TestNames = field(default_factory=list)
    repeat: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="Calls of the destination with each payload; of the source one more.")
    ] = 1


@command
def compare(
    terminal: Terminal, calls: CallOptions, targets: TargetOptions, reports: ReportOptions, options: ClusterOptions
) -> None:
    """Compare the answers of the source and of the destination. Calls both with the payloads of the tests; exit 2 if they differ.

    Where the source itself answers differently each time, nothing is compared. Changes nothing on either side.
    """
    from algosync.cli.commands.plan import metadata
    from algosync.cli.session import Needs, command_session
    from algosync.core.planning.target import Selection
    from algosync.views.subject import Compared

    with command_session(options, terminal, Needs("compare", source=False, selection=Selection(tuple(targets.target)))) as session:
        plan = _plan(calls, targets, session)
        with ExitStack() as stack:
            source = _source(session, options, terminal, stack)
            _require_two_sides(plan, session, source)
            comparison = _compared(plan, (source, calls.repeat), session, terminal)
    write_reports(Compared(session.header, comparison, metadata(session.header, comparison.exit_code)), reports.places, terminal)
    if len(comparison.errors) == 1:
        raise comparison.errors[0]
    if comparison.errors:
        raise Several(comparison.errors)
    raise typer.Exit(comparison.exit_code)


def _plan(calls: CallOptions, targets: TargetOptions, session: CommandSession) -> Plan:
    """The tests to compare. AlgosyncError: there is none, so nothing would be proved."""
    from algosync.cli.testing.selection import TestSelection, tests_of

    plan = TestSelection(tuple(calls.filter)).of(tests_of(session, targets.target))
    if not plan.checks:
        hint = "add a `test_payload`, `tests` or `test_info.tests`"
        raise AlgosyncError("there is nothing to compare: the workflow has no tests", hint=hint)
    return plan


def _source(session: CommandSession, options: ClusterOptions, terminal: Terminal, stack: ExitStack) -> Cluster:
    """A connection to the source. AlgosyncError: it is not named, or is a folder."""
    from algosync.cli.clusters import clusters
    from algosync.cli.session import named_source

    setting, address = named_source(options, session.workflow)
    advice = "name the cluster that the algorithms came from in the workflow's source_info.cluster_address"
    if address is None:
        raise AlgosyncError("no source is named, so there is nothing to compare with", hint=f"{advice}, or in SOURCE_API_ADDRESS")
    if address.startswith("file://"):
        hint = f"{advice} to compare"
        raise AlgosyncError(f"the source {address} is a folder, and no algorithm can be called there", hint=hint)
    return clusters(options, terminal, stack).source_cluster(address, setting)


def _require_two_sides(plan: Plan, session: CommandSession, source: Cluster) -> None:
    """AlgosyncError: an algorithm would be compared with itself, which proves nothing."""
    from algosync.cli.same_cluster import source_identity

    owner, identity = session.scene.site.destination.owner, session.anchor.identity
    same = source.address.url == session.header.destination or (identity and source_identity(source.data) == identity)
    names = {check.address.algorithm for check in plan.checks} if same else set()
    for spec in (spec for spec in session.workflow.algorithms if spec.name in names):
        other = spec.compare_with or SourceAlgorithm(source.data.key_owner(), spec.name)
        if other == SourceAlgorithm(owner, spec.name):
            hint = "name another cluster as the source, or another version: compare: {source: algo://OWNER/NAME/VERSION}"
            raise AlgosyncError(f"{spec.name} would be compared with itself: source and destination are the same", hint=hint)


def _compared(plan: Plan, asked: tuple[Cluster, int], session: CommandSession, terminal: Terminal) -> Comparison:
    """`asked`: the source, and how often to call."""
    from algosync.answers import Judge
    from algosync.engine.compare import compare as compare_answers
    from algosync.kinds.testing.comparer import BothSides
    from algosync.kinds.testing.source_caller import SourceCaller
    from algosync.sources.payload_uris import PayloadUris

    source, repeat = asked
    context = session.scene.site
    payloads = PayloadUris(context.sources.data_files.sources, context.destination.owner)
    caller = SourceCaller(source.algorithms, source.data.key_owner, payloads, context.clock)
    specs = {spec.name: spec for spec in session.workflow.algorithms}
    with Judge(terminal.redact) as judge, terminal.reading("the answers of both clusters"):
        return compare_answers(plan.checks, BothSides(specs, caller, context, judge.compare, repeat))
