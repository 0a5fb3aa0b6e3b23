"""Rollback: the plan that publishes an earlier version of one algorithm again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.planning.change import Change
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.resource import Record
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.engine.plan import Scene, Site, make_plan

__all__ = ["make_rollback_plan", "rollback_workflow"]


def rollback_workflow(workflow: Workflow, spec: AlgorithmSpec) -> Workflow:
    """The workflow of the earlier version alone. It has the workflow's tests if they call this algorithm."""
    tested = workflow.entrypoint == spec.name
    return replace(
        workflow,
        algorithms=(spec,),
        entrypoint=spec.name if tested else None,
        tests=workflow.tests if tested else (),
        run_only=False,
        moved=(),
        removed=(),
    )


def make_rollback_plan(
    workflow: Workflow, scene: Scene[Site], recorded: Mapping[Address, Record], header: PlanHeader, notes: Sequence[str]
) -> Plan:
    """The plan for a workflow of one algorithm. `notes` are shown with its version.

    Data files have no versions. So their records are left alone, except those that the scene's kind of files wants to change.
    """
    (spec,) = workflow.algorithms
    files = [kind for kind in scene.kinds.values() if kind.TRAITS.is_file]
    wanted = {resource.address for kind in files for resource in kind.desired(spec, scene.site)}
    own = {a: r for a, r in recorded.items() if a.algorithm == spec.name}
    concerned = {a: r for a, r in own.items() if a.kind not in scene.kinds or not scene.is_file(a) or a in wanted}
    plan = make_plan(workflow, scene, concerned, header)

    def noted(change: Change) -> Change:
        if change.after is None or not scene.of(change.address).TRAITS.publishes:
            return change
        return replace(change, after=replace(change.after, notes=(*change.after.notes, *notes)))

    return replace(plan, changes=tuple(map(noted, plan.changes)))
