"""A command's session: the workflow, both clusters and the state, open while the command works."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.history.run_log import RunLog, keep_log
from algosync.cli.interrupt import pause
from algosync.core.error import Denied, UsageError
from algosync.core.lean import dataclass
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.target import Checksum, Mode, Selection
from algosync.core.text import printable
from algosync.core.workflow import Workflow

if TYPE_CHECKING:
    from algosync.cli.clusters import Clusters, SharedDestination
    from algosync.cli.options import ClusterOptions
    from algosync.cli.saved.inputs import SavedInputs
    from algosync.cli.terminal import Terminal
    from algosync.cli.workflow_file import LoadedWorkflow
    from algosync.cluster.data import DataStore
    from algosync.core.address import Address
    from algosync.core.ports import Ledger
    from algosync.core.resource import Record
    from algosync.engine.plan import Scene
    from algosync.kinds import Context
    from algosync.state import Holder, Session, TestResults, WorkInProgress

__all__ = ["Anchor", "CommandSession", "Needs", "command_session", "named_source", "owner_of", "reads_source", "workflow_session"]


@dataclass(frozen=True, slots=True)
class Anchor:
    """The state and the destination when a command began, as a saved plan is bound to them.

    `state_file`: the workflow file that the state belonged to. `identity`: of a local cluster. `running`: the command that worked
    on the state.
    """

    lineage: str | None
    state_file: str | None
    identity: str | None
    running: Holder | None


@dataclass(frozen=True, slots=True)
class CommandSession:
    """A workflow with everything the engine needs to work on it. `ledger` is the state, `results` are those of earlier tests.

    `same_cluster`: the cluster and owner that are both source and destination, or None. `in_progress`: gives the addresses that
    other commands are changing, or have changed since this one read the state. `stand_ins`: a sensitive variable has a placeholder
    value, so values that contain it cannot be compared. `log`: notes what the command does, for the history.
    """

    workflow: Workflow
    scene: Scene[Context]
    ledger: Ledger
    header: PlanHeader
    results: TestResults
    in_progress: Callable[[], WorkInProgress]
    loaded: LoadedWorkflow
    anchor: Anchor
    stand_ins: bool = False
    same_cluster: str | None = None
    log: RunLog = field(default_factory=RunLog)

    def looked_at(self, plan: Plan) -> set[str]:
        """The algorithms that the plan was made from: those in reach, and those whose data they read."""
        reached = self.scene.site.desired_sources.reached
        return {*(self.workflow.depends_on if reached is None else reached), *(c.address.algorithm for c in plan.changes)}


@dataclass(frozen=True, slots=True)
class Needs:
    """The requirements of a command. `command`: its words after `algosync`, as others see them while it holds a lock.

    `writes`: the state is locked exclusively. `source`: False: the state replaces the source. `secrets`: False: sensitive variables
    may have placeholder values. `selection`: the part of the workflow that is looked at. `saved`: the workflow and the local
    sources come from a saved plan. `all_code`: local sources are read, even if they are known not to have changed.
    """

    command: str
    writes: bool = False
    source: bool = True
    secrets: bool = True
    selection: Selection = field(default_factory=Selection)
    saved: SavedInputs | None = None
    all_code: bool = False

    @classmethod
    def of(cls, command: str, selection: Selection, *, writes: bool = False, saved: SavedInputs | None = None) -> Needs:
        """The requirements of a command that plans."""
        return cls(command, writes=writes, source=selection.mode is Mode.APPLY, selection=selection, saved=saved)


@contextmanager
def command_session(options: ClusterOptions, terminal: Terminal, needs: Needs) -> Iterator[CommandSession]:
    """Load the workflow, connect to its clusters and lock its state while the body runs."""
    from algosync.cli.clusters import SharedDestination, clusters
    from algosync.cli.workflow_file import hide_state_keys, load_workflow
    from algosync.state import parse_address

    hide_state_keys(options, terminal)
    parse_address(options.state)  # report a mistake in it before any request
    loaded = needs.saved.load(options, terminal) if needs.saved else load_workflow(options, terminal, stand_ins=not needs.secrets)
    with ExitStack() as stack:
        shared = SharedDestination(clusters(options, terminal, stack))
        yield stack.enter_context(workflow_session(loaded, shared, needs))


@contextmanager
def workflow_session(loaded: LoadedWorkflow, shared: SharedDestination, needs: Needs) -> Iterator[CommandSession]:
    """Connect a workflow to its clusters and lock its state while the body runs. `shared`: for all workflows of the command."""
    from algosync.cli.ledger import RedactingLedger
    from algosync.cli.same_cluster import same_cluster, source_identity
    from algosync.cli.state_place import StateKey, state_opened, state_place
    from algosync.cli.testing import testing_context
    from algosync.cli.transferring.once_only import OnceOnly
    from algosync.cli.workflow_file import hide_keys
    from algosync.core.planning.target import matches
    from algosync.engine.plan import Scene
    from algosync.kinds import KINDS, PERFORMERS, READ_BACK, Context, DataWrites, DesiredSources, KeptFiles
    from algosync.kinds.previous_bytes import needed_files
    from algosync.sources.remembered_facts import RememberedFacts, memory_of
    from algosync.sources.source import Sources
    from algosync.sources.store import SourceStore

    connections, saved = shared.connections, needs.saved
    options, terminal = connections.options, connections.terminal
    workflow = _of_today(loaded.workflow)
    if terminal.holds(workflow.name) and not loaded.path.name.startswith(workflow.name):
        raise UsageError("the workflow's name holds a secret, and names of states are not secret", hint="use another `name:`")
    with ExitStack() as stack:
        if saved:
            saved.require_addresses(connections)
        label, destination = shared.connected()
        variable, source_label = named_source(options, workflow)
        source = _source(connections, workflow, needs, (variable, source_label))
        with terminal.reading("the destination"):
            owners, place = shared.answered()
        owner = owner_of(workflow, owners)
        state, results = stack.enter_context(
            state_opened(options, terminal, StateKey(workflow.name, owner, place), f"algosync {needs.command}", writes=needs.writes)
        )
        log = keep_log(RunLog(needs.command, workflow.name), results.document, options.environ, terminal)
        anchor = Anchor(state.lineage, state.file, place.identity, state.running)
        _claim(state, loaded, saved, (options, terminal))
        ledger = RedactingLedger(state, terminal.redacted, terminal.holds, READ_BACK)
        there = shared.of(owner)
        trusts_stamps = needs.selection.checksum is not Checksum.ALWAYS
        transfers = OnceOnly(options, terminal, stack).transfers(
            connections.transfers(source, destination.data, there.data),
            source,
            workflow,
            lambda name: store.content_key(name, trusts_stamps=trusts_stamps),
        )
        store = SourceStore(source, source_label or "", destination.retry, lambda: source_identity(source), transfers)
        sources = Sources(
            workflow.algorithms,
            folder=Path(workflow.folder),
            owner=owner,
            store=store,
            secrets=tuple(hide_keys(options.environ, terminal)),
            given=saved.codes() if saved else {},
            within=saved.boundary if saved else None,
            memory=RememberedFacts(None if needs.all_code else memory_of(Path(workflow.folder))),
        )
        stack.callback(sources.memory.save)
        kept = KeptFiles(_keep_folder(options), lambda: state.lineage)
        if needs.writes:
            kept.sweep(needed_files(state.records.values()))
        context = Context(
            there,
            DesiredSources(
                sources,
                ledger,
                _reached(needs.selection, workflow, state.records),
                trusts_stamps=trusts_stamps,
            ),
            build_deadline=float(options.build_timeout),
            read_back=options.read_back,
            recorded_only=not needs.source,
            pause=pause,
            data_writes=DataWrites.of(state.records.values()),
            kept=kept,
            transfers=transfers,
            redacted=terminal.redacted,
            tests={workflow.entrypoint or "": workflow.tests},
            retried=frozenset(
                a.algorithm for a in state.records if any(matches(a, pattern) for pattern in needs.selection.replace)
            ),
        )
        header = PlanHeader(
            saved.title if saved else loaded.title,
            source_label,
            label,
            owner,
            state_place(state) if place.is_local else None,
        )
        tests_too = testing_context(context, loaded.files, terminal, stack)
        yield CommandSession(
            workflow,
            Scene(KINDS, PERFORMERS, tests_too, options.parallelism, options.transfers),
            ledger,
            header,
            results,
            state.in_progress,
            loaded,
            anchor,
            stand_ins=bool(loaded.not_given),
            same_cluster=same_cluster(source, destination, place, owner),
            log=log,
        )
        if needs.writes:
            kept.sweep(needed_files(state.records.values()))


def _of_today(workflow: Workflow) -> Workflow:
    """The workflow, in which the rules of `ignore` that ended are marked."""
    from algosync.core.planning.ignoring import of_day
    from algosync.kinds.context import utc_now

    return of_day(workflow, utc_now()[:10])


def _reached(selection: Selection, workflow: Workflow, recorded: Mapping[Address, Record]) -> set[str]:
    """The algorithms that the command looks at."""
    from algosync.core.planning.exclusion import left_out_algorithms
    from algosync.core.planning.target import reach
    from algosync.kinds import PERFORMERS

    reached = reach(selection.targets, PERFORMERS, workflow.depends_on, recorded)
    return reached - left_out_algorithms(selection, workflow.depends_on, recorded)


def _claim(state: Session, loaded: LoadedWorkflow, saved: SavedInputs | None, place: tuple[ClusterOptions, Terminal]) -> None:
    """Make the state that of the workflow file, or of that of the saved plan. `place`: the options, and where notes go."""
    from algosync.cli.state_place import claim, tell_place
    from algosync.workflow import file_identity

    options, terminal = place
    if saved:
        saved.claim(state)
    else:
        tell_place(state, options.state, loaded.path, terminal)
        claim(state, file_identity(loaded.path, Path.cwd()), loaded.workflow, terminal)


def _source(connections: Clusters, workflow: Workflow, needs: Needs, named: tuple[str, str | None]) -> DataStore | None:
    """The source. None: nothing is read from one. `named`: as of `named_source`."""
    setting, label = named
    if not needs.source or not reads_source(workflow):
        return None
    saved = needs.saved.store(label, connections.options.environ) if needs.saved else None
    source = saved or connections.source(label, Path(workflow.folder), setting)
    if needs.saved and source is not None:
        needs.saved.require_source_owner(source)
    return source


def _keep_folder(options: ClusterOptions) -> Path:
    from algosync.kinds.kept_files import default_keep_folder

    named = options.keep_dir or options.environ.get("ALGOSYNC_KEEP_DIR", "")  # only `apply` has the option
    return Path(named) if named else default_keep_folder()


def reads_source(workflow: Workflow) -> bool:
    """Whether the workflow reads from a source cluster. Otherwise it does not have to name one."""
    reads = any(spec.data_files or (spec.code or "").startswith("data://") for spec in workflow.algorithms)
    return reads and not workflow.run_only


def named_source(options: ClusterOptions, workflow: Workflow) -> tuple[str, str | None]:
    """The setting that names the source, and the source's canonical address, which is equal for two spellings of one cluster.

    UsageError: the address is not valid, or the workflow and the environment name different clusters. A local source has its own
    key, so the environment does not matter for it.
    """
    from algosync.cli.clusters import label
    from algosync.cli.local.location import is_local

    named = options.environ.get("SOURCE_API_ADDRESS", "")
    setting = "source_info.cluster_address" if workflow.source_address else "SOURCE_API_ADDRESS"
    address = workflow.source_address or named
    if address.startswith("file://") or not address:
        return setting, address or None
    source = label(address, setting, options)
    if named and not is_local(source) and label(named, "SOURCE_API_ADDRESS", options) != source:
        raise UsageError(
            f"the workflow's source is {source}, but SOURCE_API_ADDRESS names another cluster, and SOURCE_API_KEY is for that one",
            hint="unset SOURCE_API_ADDRESS, or set it to the address in the workflow",
        )
    return setting, source


def owner_of(workflow: Workflow, owners: tuple[str, ...]) -> str:
    """The account on the destination. Denied: the key has no access to the workflow's `algorithm_owner`."""
    if workflow.owner is None or workflow.owner in owners:
        return workflow.owner or owners[0]
    accessible = ", ".join(printable(name, 80) for name in owners)
    raise Denied(
        f"the destination's key does not belong to {printable(workflow.owner)}",
        hint=f"it has access to {accessible}; the workflow's algorithm_owner must be one of them",
    )
