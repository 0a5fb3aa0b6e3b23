"""The options that several commands share, in groups.

A command takes a group as one parameter (see `command`). To add an option to all commands of a group, add a field here. The field's
name is the option's name, and the variable `ALGOSYNC_<OPTION>` sets its default. Fields without a typer annotation are not options.
An option with `rich_help_panel=RARE` is shown by `--help-all` only.
"""

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from algosync.cli import debug
from algosync.cli.help import RARE
from algosync.cli.report_output import report_places
from algosync.cli.transferring.options import BandwidthLimit, Cache, CacheSize, Executor, cache_limit, rate_of
from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.views import FORMATS

if TYPE_CHECKING:
    from algosync.cli.local.location import LocalHome
    from algosync.core.planning.guards import Guard
    from algosync.core.planning.target import Selection
    from algosync.core.read_back import ReadBack

__all__ = [
    "AllowedGuards",
    "AutoApprove",
    "ClusterOptions",
    "CommonOptions",
    "CompareOptions",
    "JsonOutput",
    "LocalHomeFolder",
    "LockTimeout",
    "NoInput",
    "ReportOptions",
    "ScopeOptions",
    "SelectionOptions",
    "StateAddress",
    "StateFolder",
    "TargetOptions",
    "WorkflowOption",
    "WorkflowOptions",
    "chdir_option",
    "debug_option",
]

_CHDIR = "algosync.chdir"  # a key of the context's `meta`: an option has changed the folder


def _state_folder(text: str | Path) -> Path:
    if not str(text):
        raise UsageError("--state is empty", hint="name a folder, or leave it out for the folder `state`")
    return Path(text)


def _local_home(text: str | Path) -> Path:
    if not str(text):
        raise UsageError("--local-home is empty", hint="name a folder, or leave it out for the folder `state/local`")
    return Path(text)


StateAddress = Annotated[
    str, typer.Option(metavar="WHERE", help="Where states are kept: a folder, or the address of a state backend.")
]  # a Path would lose a slash of `://`
StateFolder = Annotated[
    Path,
    typer.Option(metavar="DIR", help="A folder of states; older versions kept local clusters in DIR/local.", parser=_state_folder),
]
LocalHomeFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="The folder of the local clusters. Default: state/local.",
        show_default=False,
        parser=_local_home,
        rich_help_panel=RARE,
    ),
]
LockTimeout = Annotated[
    int,
    typer.Option(
        metavar="SECONDS", min=0, max=86400, help="How long to wait for another command that works on the state. 0: not at all."
    ),
]
JsonOutput = Annotated[bool, typer.Option("--json", help="Print one JSON document to stdout.")]
AutoApprove = Annotated[bool, typer.Option("--auto-approve", help="Do not ask for approval.")]
WorkflowOption = Annotated[
    str | None,
    typer.Option(
        "--workflow",
        metavar="WORKFLOW",
        help="A path, or a name in workflows/. Default: WORKFLOW_NAME, workflow.* here, or the only file in workflows/.",
        show_default=False,
    ),
]  # of a command whose argument is something else
AllowedGuards = Annotated[
    list[str],
    typer.Option(
        "--allow",
        metavar="GUARD",
        help="Do what this guard would refuse: adopt, deletes, drifted, overwrites, protected, same-cluster, untested.",
        show_default=False,
        rich_help_panel=RARE,
    ),
]
NoInput = Annotated[bool, typer.Option("--no-input", help="Never ask; fail if an answer is needed.")]


def _change_folder(context: typer.Context, folder: str) -> str:
    source = context.get_parameter_source("chdir")
    is_overridden = _CHDIR in context.meta and source is not None and source.name == "ENVIRONMENT"
    if folder and not is_overridden:
        try:
            os.chdir(folder)
        except (OSError, ValueError) as error:
            raise UsageError(f"--chdir {printable(folder, 200)}: {getattr(error, 'strerror', error)}") from None
        context.meta[_CHDIR] = True
    return folder


def _enable_debug(context: typer.Context, wanted: bool) -> bool:
    if wanted:
        debug.enable(context.obj)
    return wanted


def chdir_option() -> object:
    """The option `--chdir`, which stands before or after the command. Wherever it stands, it overrides the variable.

    Returns a new one each time, because `command` gives it the variable, and the option before the command has none.
    """
    text = "Change to this folder first."
    return typer.Option("--chdir", metavar="DIR", help=text, show_default=False, callback=_change_folder, rich_help_panel=RARE)


def debug_option() -> object:
    """The option `--debug`, as of `chdir_option`."""
    return typer.Option("--debug", help="Log every request; show tracebacks.", callback=_enable_debug)


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """The parameters of every command. `environ`: the environment variables; it is not an option."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)


@dataclass(frozen=True, slots=True)
class WorkflowOptions(CommonOptions):
    """Options of the commands that read a workflow file. If `workflow` is None, `find_workflow` chooses one.

    Variables may hold secrets, so they are not part of the repr.
    """

    workflow: Annotated[
        str | None,
        typer.Argument(
            metavar="WORKFLOW",
            help="A path, or a name in workflows/. Default: WORKFLOW_NAME, workflow.* here, or the only file in workflows/.",
            show_default=False,
        ),
    ] = None
    var: Annotated[
        list[str],
        typer.Option("--var", metavar="NAME=VALUE", help="A template variable; may be repeated.", show_default=False),
    ] = field(default_factory=list, repr=False)
    # Texts, because a list of paths from the environment would be split at `:`.
    var_file: Annotated[
        list[str],
        typer.Option("--var-file", metavar="FILE", help="A JSON or YAML file of variables; may be repeated.", show_default=False),
    ] = field(default_factory=list, repr=False)
    chdir: Annotated[str, chdir_option()] = ""
    debug: Annotated[bool, debug_option()] = False

    @property
    def variable_files(self) -> tuple[Path, ...]:
        return tuple(Path(text) for text in self.var_file)


@dataclass(frozen=True, slots=True)
class ClusterOptions(WorkflowOptions):
    """Options of the commands that ask clusters. If `destination` is empty, the environment names it. Timeouts are in seconds.

    `parallelism`, `transfers`, `verify`, `executor`, `cache`, `cache_size`, `bwlimit`, `build_timeout`, `lock_timeout` and
    `keep_dir` are options of some of these commands only; the others use the defaults.
    """

    destination: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="The destination cluster's API address, `local` or `local:NAME`; overrides DESTINATION_API_ADDRESS.",
            show_default=False,
        ),
    ] = ""
    state: StateAddress = "state"
    local_home: LocalHomeFolder = None
    request_timeout: Annotated[
        int,
        typer.Option(
            metavar="SECONDS",
            min=1,
            max=86400,
            help="How long one request may take, and how long a transfer may go without progress.",
            rich_help_panel=RARE,
        ),
    ] = 120
    insecure_http: Annotated[
        bool,
        typer.Option(
            "--insecure-http",
            help="Allow plain http:// to other machines, which sends keys unencrypted.",
            rich_help_panel=RARE,
        ),
    ] = False
    no_input: NoInput = False
    parallelism: int = 16
    transfers: int = 8
    verify: str = "full"
    executor: str = "threads"
    cache: bool = False
    cache_size: str = "10GiB"
    bwlimit: str = ""
    build_timeout: int = 1800
    lock_timeout: int = 0
    keep_dir: str = ""

    @property
    def read_back(self) -> "ReadBack":
        """UsageError: there is no such word."""
        from algosync.core.read_back import ReadBack

        words = [word.value for word in ReadBack]
        if self.verify not in words:
            raise UsageError(f"--verify {self.verify}: not one of {', '.join(words)}")
        return ReadBack(self.verify)

    @property
    def home(self) -> "LocalHome":
        """Where the local clusters are."""
        from algosync.cli.local.location import local_home

        return local_home(self.local_home, self.state)


@dataclass(frozen=True, slots=True)
class CompareOptions(ClusterOptions):
    """Options of the commands that compare the workflow or the state with the destination."""

    parallelism: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="How many things to do at the same time.", rich_help_panel=RARE)
    ] = 16
    executor: Executor = "threads"
    cache: Cache = False
    cache_size: CacheSize = "10GiB"
    bwlimit: BandwidthLimit = ""

    def __post_init__(self) -> None:
        _ = cache_limit(self), rate_of(self)  # a wrong option ends the command before it does anything


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """Options that select a part of the workflow. An empty `target` means all of it."""

    target: Annotated[
        list[str],
        typer.Option(
            "--target",
            metavar="TARGET",
            help="Only this algorithm or address. What it depends on is included; may be repeated.",
            show_default=False,
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ScopeOptions(TargetOptions):
    """Options of the commands that make changes. `allow`: the guards that do not refuse the plan. `summary_file`: empty: none.

    `diff` is an option of some of them only.
    """

    exclude: Annotated[
        list[str],
        typer.Option(
            "--exclude",
            metavar="TARGET",
            help="Leave out this algorithm or address. What depends on it is left out, too; may be repeated.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    allow: AllowedGuards = field(default_factory=list)
    summary_file: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="Write counts by action, bytes, tests and the exit code to this file, as JSON; also after a failure.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = ""
    diff: bool = False

    @property
    def selection(self) -> "Selection":
        from algosync.core.planning.target import Selection

        return Selection(tuple(self.target), exclude=tuple(self.exclude))

    @property
    def allowed(self) -> "frozenset[Guard]":
        """UsageError: there is no such guard."""
        from algosync.core.planning.guards import guards_named

        return guards_named(self.allow)


@dataclass(frozen=True, slots=True)
class SelectionOptions(ScopeOptions):
    """Options of the commands that plan. `replace`: what is written again although it is equal.

    `selection` raises UsageError if some of them do not go together.
    """

    replace: Annotated[
        list[str],
        typer.Option(
            "--replace",
            metavar="ADDRESS",
            help="Send, push or publish this data file, source or version again although it is equal; may be repeated.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete what is recorded and no longer in the workflow, instead of only forgetting it.")
    ] = False
    diff: Annotated[bool, typer.Option("--diff", help="Show the changes of sources line by line.")] = False
    destroy: Annotated[bool, typer.Option("--destroy", help="Delete everything that is recorded.")] = False
    refresh_only: Annotated[
        bool,
        typer.Option(
            "--refresh-only", help="Take what is at the destination into the record; change nothing there.", rich_help_panel=RARE
        ),
    ] = False
    checksum: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="When data files are read to compare them: auto (where size and time prove nothing), always, never.",
            rich_help_panel=RARE,
        ),
    ] = "auto"

    @property
    def selection(self) -> "Selection":
        from algosync.core.planning.target import Checksum, Mode, Selection

        words = [word.value for word in Checksum]
        if self.checksum not in words:
            raise UsageError(f"--checksum {self.checksum}: not one of {', '.join(words)}")
        for name, given in (("--prune", self.prune), ("--replace", bool(self.replace)), ("--refresh-only", self.refresh_only)):
            if given and (self.destroy or (self.refresh_only and name != "--refresh-only")):
                raise UsageError(f"{name} does not go with {'--destroy' if self.destroy else '--refresh-only'}")
        mode = Mode.DESTROY if self.destroy else Mode.REFRESH if self.refresh_only else Mode.APPLY
        return Selection(tuple(self.target), tuple(self.replace), tuple(self.exclude), mode, self.prune, Checksum(self.checksum))


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Options of the commands that show a subject of `views`. UsageError: `report_places` refuses them.

    `SITES`: whether a report may be a folder of pages.
    """

    SITES: ClassVar[bool] = False
    json: JsonOutput = False
    report: Annotated[
        list[str],
        typer.Option(
            "--report",
            metavar="FORMAT[:PATH]",
            help=f"Show the result in a format ({', '.join(sorted(FORMATS))}), or write it to a file; may be repeated.",
            show_default=False,
        ),
    ] = field(default_factory=list)

    def __post_init__(self) -> None:
        _ = self.places  # a wrong option ends the command before it does anything

    @property
    def places(self) -> Mapping[str, str]:
        """As of `report_places`."""
        return report_places([*(["json"] if self.json else []), *self.report], sites=self.SITES)
