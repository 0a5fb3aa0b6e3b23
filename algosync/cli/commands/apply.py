"""`algosync apply`: show the plan, ask for approval, make the changes, run the tests."""

from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.commands.plan import Choice
from algosync.cli.help import RARE
from algosync.cli.notify.options import NotifyOptions
from algosync.cli.options import AutoApprove, CompareOptions, LockTimeout, ReportOptions, ScopeOptions, SelectionOptions
from algosync.cli.reporting.run_report import RunReport
from algosync.cli.terminal import Terminal
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.cli.saved.inputs import SavedInputs
    from algosync.core.planning.plan import Plan

__all__ = ["ApprovedOptions", "apply", "carry_out_plan"]

_TEST_FAILED = 3


@dataclass(frozen=True, slots=True)
class ApprovedOptions(CompareOptions):
    """Options of the commands that ask for approval."""

    lock_timeout: LockTimeout = 0
    auto_approve: AutoApprove = False


@dataclass(frozen=True, slots=True)
class ApplyOptions(ApprovedOptions):
    """Options of `apply` alone. UsageError: `verify` is none of its words."""

    build_timeout: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="How long to wait for one build.", rich_help_panel=RARE)
    ] = 1800
    transfers: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="How many data files to move at the same time.", rich_help_panel=RARE)
    ] = 8
    verify: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="What is checked after a data file was sent: full (its bytes are read), size, none. With size and none nobody "
            "knows whether the bytes arrived, and later `drift` compares with what was sent, not with what was stored.",
            rich_help_panel=RARE,
        ),
    ] = "full"
    keep_dir: Annotated[
        str,
        typer.Option(
            metavar="DIR",
            help="Where previous bytes of overwritten data files are kept until the new version is published. Default: the user's "
            "cache.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = ""
    plan_digest: Annotated[
        str,
        typer.Option(
            metavar="DIGEST", help="Go on only if the plan has this digest, as `plan` showed it; asks nothing.", show_default=False
        ),
    ] = ""

    def __post_init__(self) -> None:
        super(ApplyOptions, self).__post_init__()  # noqa: UP008  # slots make a second class, which `super()` does not know
        _ = self.read_back  # a wrong option ends the command before it does anything


@dataclass(frozen=True, slots=True)
class Approval:
    """What was approved before the command: a saved plan, or the plan with this digest. Neither: the user is asked."""

    saved: "SavedInputs | None" = None
    digest: str = ""

    @property
    def given(self) -> bool:
        return self.saved is not None or bool(self.digest)

    def choice(self, targets: ScopeOptions) -> "Choice":
        """The selection of the user, now or when the plan was saved, and the guards that are allowed now.

        A saved plan allows nothing by itself: anybody can make a file with a right checksum.
        """
        selection = targets.selection if self.saved is None else self.saved.file.saved.selection
        return Choice(selection, targets.allowed)


_NOT_GIVEN = Approval()


@command
def apply(
    terminal: Terminal, targets: SelectionOptions, reports: ReportOptions, options: ApplyOptions, _notify: NotifyOptions
) -> None:
    """Make the needed changes and run the tests. WORKFLOW may be the file of a saved plan: then exactly its actions are done."""
    approval = Approval(_saved_plan(targets, options), options.plan_digest)
    carry_out_plan(RunReport.of("apply", reports.places, terminal), targets, options, approval)


def carry_out_plan(run: RunReport, targets: ScopeOptions, options: ApprovedOptions, approval: Approval = _NOT_GIVEN) -> None:
    """Plan, ask for approval and apply; ends the command. PlanRefused, or Several of them: guards refuse the plan.

    The name of the run's command stands in the summary file and in the lock. Stale: the plan is not the approved one.
    """
    from algosync.cli.applying import approve, carried_out, show_report, writing_session
    from algosync.cli.commands.plan import asked_diffs, make_session_plan, masked_for, metadata, require_allowed
    from algosync.cli.saved.saving import require_digest, require_same
    from algosync.cli.session import Needs
    from algosync.cli.summary_file import summary_for
    from algosync.views.subject import Planned

    command, terminal = run.command, run.terminal
    saved, digest, run.approved = approval.saved, approval.digest, approval.given
    summary = summary_for(command, targets.summary_file, terminal)
    choice = approval.choice(targets)
    with writing_session(options, terminal, Needs.of(command, choice.selection, writes=True, saved=saved)) as session:
        plan = summary.plan = make_session_plan(session, choice, terminal, saved.file if saved else None)
        if saved:
            require_same(saved.file, session, plan, terminal)
        if digest:
            require_digest(digest, session, plan, choice.selection, terminal)
        diffs = asked_diffs(plan, session, targets)
        terminal.show(Planned(masked_for(terminal, plan), metadata(plan.header), diffs=diffs), "text")
        require_allowed(plan)
        if len(plan.visible) > len(plan.held()) and not (options.auto_approve or approval.given):
            approve(_question(plan), terminal, options.environ, no_input=options.no_input)
        terminal.result()
        report = carried_out(plan, session, terminal, summary, run)
    show_report(report, plan, terminal, approved=approval.given)
    code = report.exit_code or (_TEST_FAILED if plan.held() else 0)
    run.write(plan, report, code, session)
    raise typer.Exit(code)


def _saved_plan(targets: SelectionOptions, options: ApplyOptions) -> "SavedInputs | None":
    """The saved plan that the argument names. None: it names a workflow. UsageError: there are planning options beside it.

    Options that the environment sets are ignored: a pipeline sets them for all its jobs, and they acted when the plan was made.
    Allowed guards are no planning options.
    """
    from dataclasses import fields
    from pathlib import Path

    from algosync.cli.saved.inputs import SavedInputs
    from algosync.cli.saved.plan_file import is_plan_file, read_plan_file, require_digest_form
    from algosync.core.error import UsageError

    require_digest_form(options.plan_digest)
    if options.workflow is None or not is_plan_file(Path(options.workflow)):
        return None
    defaults = type(targets)()
    names = [each.name for each in fields(targets) if each.name not in ("summary_file", "diff", "allow")]
    names = [name for name in names if f"ALGOSYNC_{name.upper()}" not in options.environ]
    given = [name for name in names if getattr(targets, name) != getattr(defaults, name)]
    given += ["plan_digest"] if options.plan_digest else []
    if given:
        spelled = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"a saved plan was made with its own options, so these cannot be given: {spelled}")
    return SavedInputs.of(read_plan_file(Path(options.workflow)))


def _question(plan: "Plan") -> str:
    from algosync.core.planning.target import Mode

    questions = {
        Mode.APPLY: "Do you want to perform these actions?",
        Mode.DESTROY: "Do you really want to destroy all these resources? They cannot be restored.",
        Mode.REFRESH: "Do you want to take this into the record?",
    }
    return questions[plan.mode]
