"""`algosync drift`: how the destination differs from what we last did there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from algosync.cli.choice import Choice
from algosync.cli.plan import meta_of
from algosync.cli.stage import opened

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal

__all__ = ["run"]


def run(choice: Choice, terminal: Terminal, *, json: bool) -> None:
    from algosync.cli.live import reading
    from algosync.core.change import Drift
    from algosync.core.error import AlgosyncError
    from algosync.engine.drift import find_drift
    from algosync.views.subject import Drifted

    with opened(choice, terminal, writes=False, needs_source=False) as stage:
        if not stage.session.records:
            raise AlgosyncError("this workflow was never applied to this destination", hint="algosync apply does that")
        with reading(terminal, "the destination"):
            findings = find_drift(stage.workflow, stage.scene, stage.session.records)
    terminal.show(Drifted(stage.header, findings, meta_of(stage.header)), "json" if json else "text")
    kinds = {finding.drift for finding in findings}
    if Drift.UNKNOWN in kinds:
        raise typer.Exit(1)
    if kinds & {Drift.CHANGED, Drift.MISSING}:
        raise typer.Exit(2)
