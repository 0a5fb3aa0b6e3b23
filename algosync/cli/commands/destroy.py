"""`algosync destroy`: delete everything that the state records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.cli.command import command
from algosync.cli.commands.apply import ApprovedOptions, carry_out_plan
from algosync.cli.notify.options import NotifyOptions
from algosync.cli.options import ReportOptions, ScopeOptions
from algosync.cli.reporting.run_report import RunReport
from algosync.cli.terminal import Terminal
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.core.planning.target import Selection

__all__ = ["destroy"]


@dataclass(frozen=True, slots=True)
class DestroyScope(ScopeOptions):
    """Options that select a part of what is destroyed."""

    @property
    def selection(self) -> Selection:
        from algosync.core.planning.target import Mode, Selection

        return Selection(tuple(self.target), exclude=tuple(self.exclude), mode=Mode.DESTROY)


@command
def destroy(
    terminal: Terminal, targets: DestroyScope, reports: ReportOptions, options: ApprovedOptions, _notify: NotifyOptions
) -> None:
    """Delete everything that the state records. In reverse order, and nothing else."""
    carry_out_plan(RunReport.of("destroy", reports.places, terminal), targets, options)
