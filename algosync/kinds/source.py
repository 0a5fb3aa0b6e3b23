"""The kind `source`: the managed files of the algorithm's repository, compared by their git tree id.

At the destination, the stamp is the commit at the head of the default branch. At the source, it is the size and time of the
archive. A local folder or archive has no stamp and is always read.

A file that the source no longer has leaves the repository: `sources.leaving_files` has the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.error import Conflict, NotFound, SourceError, Unexpected
from algosync.core.planning.change import Action, Change, Finding
from algosync.core.planning.data_reads import READS, contents_of, reads_of
from algosync.core.planning.file_diff import FileDiff
from algosync.core.planning.guards import FOREIGN_COMMIT
from algosync.core.planning.origin import Origin, time_of, with_origin
from algosync.core.planning.plan import Plan
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import Json, KindTraits, Record, Resource, digest_of
from algosync.core.tree import Tree, tree_id
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.kinds import pinned_files
from algosync.kinds.context import Context
from algosync.kinds.data_writes import Use
from algosync.kinds.desired_sources import blobs_of, paths_of
from algosync.kinds.protection import AUTHOR, TRAILER, foreign_commit, is_ours
from algosync.sources.file_changes import FileChange, compare
from algosync.sources.leaving_files import NONE_LEAVING, LeavingFiles, leaving_files, outside_blobs
from algosync.sources.managed_files import managed, merge

__all__ = [
    "TRAITS",
    "changed_trees",
    "commit_of",
    "desired",
    "explain",
    "managed_id",
    "note_call",
    "observed",
    "perform",
    "push_again",
    "read",
    "read_data",
    "read_digest",
    "source_diffs",
    "trace",
    "verbs",
]

TRAITS = KindTraits(
    replaceable=True,
    deleted_with="algorithm",
    needs=frozenset({"algorithm", "data"}),
    stamps_from=("listing", "git head"),
    read_back=frozenset({"blobs", "commit", "manifest", "paths", READS}),
)


def desired(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    """SourceError: the source cannot be used, or its model manifest does not match the workflow's data files."""
    source = context.desired_sources.of(spec)
    mismatches = pinned_files.require_match(source.pins, context)
    found = source.resource
    yield replace(found, notes=(*found.notes, *mismatches)) if mismatches else found


def observed(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    head = context.destination.head(spec.name)
    if head is not None:
        yield Resource(Address.of("source", spec.name), {"commit": head}, stamp=head)


def read(resource: Resource, side: Side, spec: AlgorithmSpec, context: Context) -> Resource:
    """Reads the managed part of the repository. A resource of the source always has its digest."""
    if side is Side.SOURCE:
        return resource
    commit = str(resource.attributes["commit"])
    notes = _notes(spec, commit, context)
    return replace(resource, digest=managed_id(spec, commit, context), notes=notes)


def managed_id(spec: AlgorithmSpec, commit: str, context: Context) -> str:
    """The tree id of the managed part of a commit at the destination. NotFound: the repository does not contain the commit."""
    tree = context.destination.tree(spec.name, commit)
    return tree_id(managed(tree, _desired_paths(spec, context), _leaving(spec, context).removed(tree)))


def _leaving(spec: AlgorithmSpec, context: Context) -> LeavingFiles:
    """Files outside `src/` of the recorded commit that the source no longer has. Empty if the record does not list them."""
    record = context.ledger.records.get(Address.of("source", spec.name))
    paths = paths_of(record.attributes) if record else None
    if record is None or paths is None or context.uses_record(spec):
        return NONE_LEAVING
    desired_paths = _desired_paths(spec, context)
    if not leaving_files(dict.fromkeys(paths, ""), desired_paths):
        return NONE_LEAVING
    pushed = leaving_files(blobs_of(record.attributes) or _blobs_at(record, paths, spec, context), desired_paths)
    return LeavingFiles(pushed, _tree_before(spec, context))


def _blobs_at(record: Record, paths: Sequence[str], spec: AlgorithmSpec, context: Context) -> Mapping[str, str]:
    """The blob ids of the recorded paths, from the recorded commit itself. Empty: the repository does not contain it any more."""
    try:
        tree = context.destination.tree(spec.name, str(record.attributes.get("commit") or record.destination_stamp))
    except (NotFound, ValueError):
        return {}
    return outside_blobs({path: tree[path] for path in paths if path in tree})


def _tree_before(spec: AlgorithmSpec, context: Context) -> Tree:
    """The repository as it was before algosync's first commit. Empty: algosync made the first commit."""
    head = context.destination.head(spec.name)
    commit = None if head is None else context.destination.commit_before(spec.name, AUTHOR, head)
    return {} if commit is None else context.destination.tree(spec.name, commit)


def _notes(spec: AlgorithmSpec, commit: str, context: Context) -> tuple[str, ...]:
    """Notes on edited files that the source no longer has. Each is noted once, because its path is not recorded again."""
    tree = context.destination.tree(spec.name, commit)
    edited = _leaving(spec, context).edited(tree)
    return tuple(f"{path} is no longer in the source, but somebody edited it at the destination, so it stays" for path in edited)


def _desired_paths(spec: AlgorithmSpec, context: Context) -> Sequence[str]:
    """The desired paths decide what is managed. A drift report has no access to the source and uses the recorded paths."""
    record = context.ledger.records.get(Address.of("source", spec.name))
    recorded = paths_of(record.attributes) if record else None
    if recorded is not None and context.uses_record(spec):
        return recorded
    (want,) = desired(spec, context)
    return paths_of(want.attributes) or ()


def explain(change: Change, spec: AlgorithmSpec, context: Context) -> Change:
    """Adds each changed file with its line counts, and who pushed what is there: if it has drifted, or if it is not
    recorded and not ours. Our own commit is no drift, even if the run that pushed it could not record it.
    """
    foreign = _foreign_commit(change, spec, context)
    if not change.action.writes:
        return replace(change, details=foreign) if foreign else change
    source, written = context.sources.tree(spec), None
    before, after = changed_trees(change, spec, context)
    if change.before is not None:
        commit = str(change.before.attributes["commit"])
        change = replace(change, before=replace(change.before, notes=_notes(spec, commit, context)))
        written = context.destination.commit(spec.name, commit) if change.drifted else None
        if written is not None and is_ours(written):
            change, written = replace(change, drifted=False), None
    left_out: dict[str, Json] = {"left_out": list(source.left_out)} if source.left_out else {}
    change = replace(change, details={"files": [_row(file) for file in compare(before, after)], **left_out, **foreign})
    return change if written is None else with_origin(change, Origin(written.author, time_of(written.date)))


def trace(finding: Finding, spec: AlgorithmSpec, context: Context) -> Finding:
    """Adds who made the commit and when, and each file that differs from the recorded commit, with its line counts.

    The files are left out if the repository does not contain the recorded commit any more.
    """
    if finding.after is None:
        return finding
    commit = str(finding.after.attributes["commit"])
    written = context.destination.commit(spec.name, commit)
    details: dict[str, Json] = {**Origin(written.author, time_of(written.date)).details()}
    recorded = finding.before.attributes.get("commit") if finding.before else None
    if not isinstance(recorded, str):
        return replace(finding, details=details)
    try:
        before = context.destination.tree(spec.name, recorded)
    except NotFound:
        return replace(finding, details=details, reason="the repository does not contain the recorded commit any more")
    paths = _desired_paths(spec, context)
    after = context.destination.tree(spec.name, commit)
    files = compare(managed(before, paths), managed(after, paths))
    return replace(finding, details={**details, "files": [_row(file) for file in files]})


def changed_trees(change: Change, spec: AlgorithmSpec, context: Context) -> tuple[Tree, Tree]:
    """The managed files before and after a change that writes."""
    files = context.sources.tree(spec).files
    if change.before is None:
        return {}, files
    tree = context.destination.tree(spec.name, str(change.before.attributes["commit"]))
    leaving = _leaving(spec, context)
    return managed(tree, files.keys(), leaving.removed(tree)), {**leaving.put_back(tree, files), **files}


def source_diffs(plan: Plan, workflow: Workflow, context: Context) -> Iterator[FileDiff]:
    """The diff of each file that a push of the plan changes. Placeholders are filled in and secrets hidden."""
    from algosync.sources.unified_diff import Differ

    differ = Differ(lambda text: str(context.redacted(text)))
    for change in plan.changes:
        if change.address.kind == "source" and change.action.writes:
            before, after = changed_trees(change, workflow.algorithm(change.address.algorithm), context)
            yield from differ.diffs(change.address, before, after)


def _foreign_commit(change: Change, spec: AlgorithmSpec, context: Context) -> Mapping[str, Json]:
    """Empty: the source is recorded, or nobody else has pushed last. Recorded settings do not count: they may be adopted alone."""
    if change.before is None or Address.of("source", spec.name) in context.ledger.records:
        return {}
    commit = foreign_commit(spec.name, context)
    return {} if commit is None else {FOREIGN_COMMIT: commit}


def _row(file: FileChange) -> Json:
    row: dict[str, Json] = {"path": file.path, "action": file.action, "added": file.added, "removed": file.removed}
    return row if file.mode is None else {**row, "mode": list(file.mode)}


def verbs(change: Change) -> tuple[Verb, ...]:
    return (Verb.DELETE,) if change.action is Action.DELETE else (Verb.PUSH,)


def perform(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    """Pushes on top of the head that the plan saw. Conflict: somebody pushed since. SourceError: the source is another one.

    The algorithm's deletion has deleted the repository.
    """
    if step.verb is Verb.DELETE:
        return Outcome(forgotten=(step.address,))
    change = step.change
    planned = str(change.before.attributes["commit"]) if change and change.before else None
    repository = context.destination.repository(spec.name)
    head = repository.head()
    if planned is not None and head != planned:
        raise Conflict(f"{step.address}: somebody pushed since the plan was made", hint="run the same command again")
    source = context.sources.tree(spec)
    if change and change.after and change.after.digest not in (None, source.id):
        raise SourceError(f"{step.address}: the source changed since the plan was made", hint="run the same command again")
    there = context.destination.tree(spec.name, head) if head else {}
    leaving = _leaving(spec, context)
    files = {**leaving.put_back(there, source.files), **merge(there, source.files, leaving.removed(there))}
    with context.ledger.writing(step.address, step.verb.value):
        commit = repository.push(head, files, author=AUTHOR, message=_message(f"source of {spec.name}"))
    context.pushed.add(commit)
    (want,) = desired(spec, context)
    attributes = {**want.attributes, "commit": commit}
    record = Record(step.address, source.id, want.stamp, commit, None, attributes, Use(commit).private())
    return Outcome((record,), commit[:12])


def push_again(spec: AlgorithmSpec, context: Context, head: str) -> Record:
    """Pushes an empty commit on top of `head`, and returns the new record."""
    address = Address.of("source", spec.name)
    record = context.ledger.records[address]
    with context.ledger.writing(address, Verb.PUSH.value):
        files = context.destination.tree(spec.name, head)
        repository = context.destination.repository(spec.name)
        commit = repository.push(head, files, author=AUTHOR, message=_message(f"new version of {spec.name}"))
    context.pushed.add(commit)
    attributes = {**record.attributes, "commit": commit}
    return replace(record, destination_stamp=commit, attributes=attributes, private=Use(commit).private())


def _message(what: str) -> str:
    return f"algosync: {what}\n\n{TRAILER}"


def note_call(spec: AlgorithmSpec, context: Context) -> None:
    """Records, before the first call of the commit, which data files its workers may load."""
    record = context.ledger.records.get(Address.of("source", spec.name))
    if record is not None and not context.data_writes.was_called(record):
        use = Use(commit_of(spec, context), context.data_writes.last(spec.name), read_digest(spec, context))
        context.ledger.commit(replace(record, private={**record.private, **use.private()}))


def read_data(spec: AlgorithmSpec, context: Context) -> Mapping[str, Mapping[str, Json]]:
    """What is recorded of the data that the recorded source reads from other algorithms of the workflow, by their names."""
    record = context.ledger.records.get(Address.of("source", spec.name))
    reads = reads_of(record.attributes) if record else {}
    others = {other.name: other for other in context.sources.algorithms if other.name in reads and other.name != spec.name}
    return {name: contents_of(reads[name], {"data"}, _data_records(other, context)) for name, other in sorted(others.items())}


def _data_records(spec: AlgorithmSpec, context: Context) -> Iterable[Record]:
    found = (context.ledger.records.get(Address.of("data", spec.name, file.name)) for file in spec.data_files)
    return filter(None, found)


def read_digest(spec: AlgorithmSpec, context: Context) -> str | None:
    """A digest of `read_data`. None: the source reads nothing of others."""
    found = read_data(spec, context)
    return digest_of(found) if found else None


def commit_of(spec: AlgorithmSpec, context: Context) -> str:
    """The commit with the desired tree: pushed by this run or recorded before. Unexpected: the record has none."""
    record = context.ledger.records.get(Address.of("source", spec.name))
    if record is None or record.destination_stamp is None:
        raise Unexpected(f"source.{spec.name}: it is not known which commit holds it", hint="run the same command again")
    return record.destination_stamp
