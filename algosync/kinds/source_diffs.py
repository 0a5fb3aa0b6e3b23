"""The differences of the sources that a plan changes, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from algosync.core.planning.file_diff import FileDiff
from algosync.core.planning.plan import Plan
from algosync.core.workflow import Workflow
from algosync.kinds import source
from algosync.kinds.context import Context
from algosync.sources.unified_diff import Differ

__all__ = ["source_diffs"]


def source_diffs(plan: Plan, workflow: Workflow, context: Context) -> Iterator[FileDiff]:
    """The diff of each file that a push changes, in the order of the plan. Placeholders are filled in and secrets hidden."""
    differ = Differ(lambda text: str(context.redacted(text)))
    for change in plan.changes:
        if change.address.kind == "source" and change.action.writes:
            before, after = source.changed_trees(change, workflow.algorithm(change.address.algorithm), context)
            yield from differ.diffs(change.address, before, after)
