"""`algosync import`: record what is at the destination already, without changing it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.options import CompareOptions, LockTimeout, WorkflowOption
from algosync.cli.terminal import Terminal
from algosync.core.error import UsageError
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from algosync.cli.session import CommandSession
    from algosync.core.planning.plan import Plan
    from algosync.engine.adopt import Adopted

__all__ = ["import_"]


@dataclass(frozen=True, slots=True)
class ImportOptions(CompareOptions):
    """The arguments are addresses, so the workflow is an option. UsageError: neither addresses nor `--all` are given."""

    addresses: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ADDRESS...",
            help="What to import: addresses, names of algorithms, or globs. With --all: the workflow.",
            show_default=False,
        ),
    ] = None
    all: Annotated[bool, typer.Option("--all", help="Import everything of the workflow that is there.")] = False
    workflow: WorkflowOption = None
    lock_timeout: LockTimeout = 0

    @property
    def patterns(self) -> tuple[str, ...]:
        """What to import; empty means everything."""
        return () if self.all else tuple(self.addresses or ())


@command
def import_(terminal: Terminal, options: ImportOptions) -> None:
    """Record what is at the destination already. Changes nothing there; the next apply goes on from it."""
    from algosync.cli.session import Needs, command_session
    from algosync.core.planning.target import Selection, UnknownTarget
    from algosync.engine.adopt import adopt

    options = _checked(options)
    patterns = options.patterns
    with command_session(options, terminal, Needs("import", writes=True, selection=Selection(patterns))) as session:
        try:
            plan = _plan(session, patterns, terminal)
            adopted = adopt(plan, session.workflow, session.scene, session.ledger, patterns)
        except UnknownTarget as error:
            raise UsageError(str(error), hint=error.hint) from None
        session.log.begin(imported=len(adopted.imported))
        _show(adopted, plan if not adopted.imported else _plan(session, patterns, terminal), terminal)
    raise typer.Exit(1 if adopted.unreadable else 0)


import_.__name__ = "import"  # a keyword cannot be the name of a function, but it is that of the command


def _checked(options: ImportOptions) -> ImportOptions:
    """The options with the workflow that is given as the argument of `--all`."""
    named = options.addresses or []
    if not options.all and not named:
        raise UsageError("nothing is named to import", hint="give addresses such as algorithm.Greeter, or --all")
    if not options.all or not named:
        return options
    if len(named) > 1 or options.workflow is not None:
        raise UsageError("--all imports everything, so no addresses can be given", hint="leave out --all, or the addresses")
    return replace(options, workflow=named[0], addresses=None)


def _plan(session: "CommandSession", patterns: "Sequence[str]", terminal: Terminal) -> "Plan":
    """Both sides of what is imported. UsageError: the workflow compares nothing."""
    from algosync.core.planning.target import Selection
    from algosync.engine.plan import make_plan

    if session.workflow.run_only:
        raise UsageError("there is nothing to import: the workflow says run_only, so nothing is recorded")
    with terminal.reading("both clusters"):
        return make_plan(session.workflow, session.scene, session.ledger.records, session.header, Selection(tuple(patterns)))


def _show(adopted: "Adopted", after: "Plan", terminal: Terminal) -> None:
    """`after`: the plan after the import."""
    from algosync.views.adopted import adopted_lines, difference_lines
    from algosync.views.plan import header_lines

    terminal.result_lines(header_lines(after.header, terminal.redact))
    terminal.result_lines(adopted_lines(adopted.imported, adopted.already, adopted.unreadable, terminal.redact))
    algorithms = {address.algorithm for address in (*adopted.imported, *adopted.already)}
    terminal.result_lines(difference_lines(after, algorithms, terminal.redact))
