"""`algosync drift`: how the destination differs from what we last did there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from algosync.cli.choice import Choice
from algosync.cli.plan import meta_of
from algosync.cli.stage import opened

if TYPE_CHECKING:
    from algosync.views.terminal import Terminal

__all__ = ["run"]


def run(choice: Choice, terminal: Terminal, *, json: bool) -> None:
    from algosync.core.change import Drift
    from algosync.core.error import AlgosyncError
    from algosync.engine.drift import find_drift
    from algosync.views.document import drift_document
    from algosync.views.drift import show_drift
    from algosync.views.plan import show_header
    from algosync.views.progress import reading

    with opened(choice, terminal, writes=False, needs_source=False) as stage:
        if not stage.session.records:
            raise AlgosyncError("this workflow was never applied to this destination", hint="algosync apply does that")
        with reading(terminal, "the destination"):
            findings = find_drift(stage.workflow, stage.scene, stage.session.records)
    if json:
        terminal.document(drift_document(findings, meta_of(stage.header)))
    else:
        show_header(stage.header, terminal)
        show_drift(findings, terminal)
    kinds = {finding.drift for finding in findings}
    if Drift.UNKNOWN in kinds:
        raise typer.Exit(1)
    if kinds & {Drift.CHANGED, Drift.MISSING}:
        raise typer.Exit(2)
