"""`algosync plan`: what apply would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from algosync.cli.choice import Choice
from algosync.cli.stage import Stage, opened

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.core.plan import Plan, PlanHeader
    from algosync.core.resource import Json

__all__ = ["meta_of", "planned", "run", "shown"]


def run(choice: Choice, terminal: Terminal, *, targets: list[str], json: bool, detailed_exitcode: bool) -> None:
    from algosync.views.subject import Planned

    with opened(choice, terminal, writes=False) as stage:
        plan = shown(planned(stage, targets, terminal), terminal)
    terminal.show(Planned(plan, meta_of(plan.header)), "json" if json else "text")
    if detailed_exitcode and plan.visible:
        raise typer.Exit(2)


def planned(stage: Stage, targets: list[str], terminal: Terminal) -> Plan:
    from algosync.cli.live import reading
    from algosync.core.error import UsageError
    from algosync.core.plan import targeted
    from algosync.engine.plan import make_plan

    with reading(terminal, "both clusters"):
        plan = make_plan(stage.workflow, stage.scene, stage.session.records, stage.header)
    try:
        return targeted(plan, targets)
    except ValueError as error:
        raise UsageError(str(error)) from None


def shown(plan: Plan, terminal: Terminal) -> Plan:
    """The plan for people, without what a sensitive variable was before."""
    from algosync.core.plan import masked

    return masked(plan, lambda value: terminal.redacted(value) != value)


def meta_of(header: PlanHeader) -> Mapping[str, Json]:
    """All that may differ between two plans of the same thing."""
    from datetime import datetime, timezone

    from algosync import __version__

    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"timestamp": now, "algosync_version": __version__, "workflow": header.workflow}
