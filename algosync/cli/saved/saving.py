"""Saving: makes the saved plan of a session's plan, and compares a plan that is made again with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.error import AlgosyncError, LockHeld, Stale
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.cli.terminal import Terminal
    from algosync.core.planning.plan import Plan
    from algosync.core.planning.plan_inputs import PlanFile, PlanInputs
    from algosync.core.planning.saved_plan import Conceal, SavedPlan
    from algosync.core.planning.target import Selection

__all__ = ["require_digest", "require_same", "require_still", "save", "saved_plan"]

_SHOWN = 10  # movements in one message
_SHOWN_APPLIED = 3  # after the plan was applied: they are its own changes


def saved_plan(session: CommandSession, plan: Plan, selection: Selection, terminal: Terminal, *, marks: bool = True) -> SavedPlan:
    """The plan with what it is bound to, without secrets. `marks`: those of the records, which the plan's digest does not need."""
    from algosync.core.planning.plan import masked
    from algosync.core.planning.saved_plan import Binding, SavedPlan, record_marks, without_secrets, workflow_digest

    conceal = _conceal(terminal)
    shown = masked(plan, lambda value: terminal.redacted(value) != value)
    header, anchor = session.header, session.anchor
    algorithms = {*session.workflow.depends_on, *(change.address.algorithm for change in plan.changes)}
    binding = Binding(
        anchor.lineage,
        anchor.state_file,
        header.destination,
        anchor.identity,
        header.owner,
        header.source,
        session.scene.site.store.identity(),
        _source_owner(session, plan),
        workflow_digest(session.workflow, conceal),
        record_marks(session.ledger.records, algorithms & session.looked_at(plan), conceal) if marks else {},
    )
    return SavedPlan(without_secrets(shown, conceal), selection, binding)


def _source_owner(session: CommandSession, plan: Plan) -> str | None:
    """What `.my` is at the source cluster. None: nothing is read from there under this name, or the cluster does not tell.

    A source directory has no key, and the plan holds the owner of its files.
    """
    from algosync.core.error import Denied, NotFound, Unexpected
    from algosync.sources.code import source_uris

    store, reached = session.scene.site.store, session.looked_at(plan)
    specs = (spec for spec in session.workflow.algorithms if spec.name in reached)
    named = any(uri.startswith("data://.my/") for spec in specs for uri in source_uris(spec))
    if not named or (session.header.source or "").startswith("file://"):
        return None
    with suppress(Denied, NotFound, Unexpected):
        return store.key_owner()
    return None


def save(path: Path, session: CommandSession, saved: SavedPlan, terminal: Terminal) -> None:
    """Write the file of a saved plan. LockHeld: another command changes the state."""
    from algosync.cli.saved.bundle import Bundle, bundle
    from algosync.cli.saved.plan_file import write_plan_file
    from algosync.core.planning.plan_codec import encode_plan
    from algosync.core.planning.plan_inputs import PlanFile

    require_still(session)
    contents = Bundle(_conceal(terminal))
    inputs = bundle(session, saved.plan, contents)
    if terminal.holds(_names(saved, inputs)):
        hint = "look for a name of a file or a test that holds one"
        raise AlgosyncError("the plan cannot be saved: it would hold a key or the value of a sensitive variable", hint=hint)
    write_plan_file(path, encode_plan(PlanFile(saved, inputs, contents.contents)))


def _names(saved: SavedPlan, inputs: PlanInputs) -> list[str]:
    """The names in a saved plan that cannot be hidden. Digests are not looked at: a short secret may be part of one by chance."""
    plan, binding = saved.plan, saved.binding
    header = (plan.header.workflow, binding.destination, binding.owner, binding.source or "")
    addresses = (str(change.address) for change in plan.changes)
    files = (file.uri for file in inputs.files)
    codes = (text for code in inputs.codes for text in (code.code or "", *(file.path for file in code.files or ())))
    named = (file.path for file in inputs.tests)
    return [*header, inputs.workflow.file, inputs.workflow.folder, *addresses, *files, *codes, *named]


def require_still(session: CommandSession) -> None:
    """LockHeld: another command changes the state, or has changed it since this one read it."""
    running = session.anchor.running
    moving = session.in_progress()
    if running is not None or moving.addresses or moving.unseen:
        who = printable(str(running)) if running is not None else "another command"
        raise LockHeld(f"the plan cannot be saved while {who} works on the state", hint="try again when that is done")


def require_same(file: PlanFile, session: CommandSession, plan: Plan, terminal: Terminal) -> None:
    """Stale: something that the saved plan is bound to has moved since."""
    from algosync.cli.saved.plan_file import stale
    from algosync.core.planning.movement import is_applied, movements

    saved = file.saved
    now = saved_plan(session, plan, saved.selection, terminal)
    binding = replace(now.binding, state_file=saved.binding.state_file)  # compared when the state was claimed
    # The same local cluster may have another address.
    if binding.identity is not None and binding.identity == saved.binding.identity:
        binding = replace(binding, destination=saved.binding.destination)
    if binding.source_identity is not None and binding.source_identity == saved.binding.source_identity:
        binding = replace(binding, source=saved.binding.source)
    now = replace(now, binding=binding)
    moved = tuple(map(str, movements(saved, now)))
    if moved and is_applied(saved, now):
        message = "this plan was applied already: the records are those that it would have written"
        hint = "for further changes make a new plan: algosync plan --out FILE"
        raise Stale(message, hint=hint, moved=_first(moved, _SHOWN_APPLIED))
    if len(moved) > 1:
        raise stale(f"{len(moved)} movements since it was saved", _first(moved, _SHOWN))
    if moved:
        raise stale(moved[0])


def _first(moved: tuple[str, ...], count: int) -> tuple[str, ...]:
    """At most `count` of the movements, and how many more there are."""
    return moved if len(moved) <= count else (*moved[:count], f"… and {len(moved) - count} more")


def require_digest(digest: str, session: CommandSession, plan: Plan, selection: Selection, terminal: Terminal) -> None:
    """Stale: the plan has another digest."""
    from algosync.core.planning.saved_plan import plan_digest

    now = plan_digest(saved_plan(session, plan, selection, terminal, marks=False))
    if now != digest:
        hint = "run algosync plan, look at the changes, and give the digest that it shows"
        raise Stale(f"the plan is not the one of --plan-digest any more: {digest} -> {now}", hint=hint)


def _conceal(terminal: Terminal) -> Conceal:
    from algosync.core.planning.saved_plan import Conceal

    return Conceal(terminal.redact, terminal.holds, terminal.may_hold)
