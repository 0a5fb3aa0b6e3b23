"""`algosync drift`: show how the destination differs from what was last applied."""

from __future__ import annotations

import typer

from algosync.cli.command import command
from algosync.cli.options import CompareOptions, JsonOutput
from algosync.views.terminal import Terminal

__all__ = ["drift"]


@command
def drift(terminal: Terminal, options: CompareOptions, json: JsonOutput = False) -> None:
    """Show how the destination differs from what was last applied. Changes nothing; exit 2 if it differs."""
    from algosync.cli.plan import metadata
    from algosync.cli.session import command_session
    from algosync.core.change import Drift
    from algosync.core.error import AlgosyncError
    from algosync.engine.drift import find_drift
    from algosync.views.document import drift_document
    from algosync.views.drift import show_drift
    from algosync.views.plan import show_header
    from algosync.views.progress import reading

    with command_session(options, terminal, writes=False, needs_source=False) as session:
        if not session.ledger.records:
            raise AlgosyncError("this workflow was never applied to this destination", hint="run algosync apply first")
        with reading(terminal, "the destination"):
            findings = find_drift(session.workflow, session.scene, session.ledger.records)
    if json:
        terminal.document(drift_document(findings, metadata(session.header)))
    else:
        show_header(session.header, terminal)
        show_drift(findings, terminal)
    kinds = {finding.drift for finding in findings}
    if Drift.UNKNOWN in kinds:
        raise typer.Exit(1)
    if kinds & {Drift.CHANGED, Drift.MISSING}:
        raise typer.Exit(2)
