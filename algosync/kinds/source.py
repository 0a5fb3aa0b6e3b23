"""The kind `source`: the managed files of the algorithm's repository, compared by their git tree id.

At the destination, the stamp is the commit at the head of the default branch. At the source, it is the size and time of the
archive. A local folder or archive has no stamp and is always read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.change import Change
from algosync.core.error import Conflict, Unexpected
from algosync.core.kind import KindTraits
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import Json, Record, Resource
from algosync.core.schedule import Step, Verb
from algosync.core.tree import Tree, tree_id
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds import pinned_files
from algosync.kinds.context import Context
from algosync.kinds.desired_sources import paths_of
from algosync.sources.file_changes import compare
from algosync.sources.managed_files import managed, merge

__all__ = ["TRAITS", "commit_of", "desired", "explain", "managed_id", "observed", "perform", "push_again", "read", "verbs"]

TRAITS = KindTraits(
    needs=frozenset({"algorithm", "data"}),
    read_back=frozenset({"commit", "manifest", "paths"}),
)

_AUTHOR = "algosync <algosync@localhost>"


def desired(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    """SourceError: the source cannot be used, or its model manifest does not match the workflow's data files."""
    source = context.desired_sources.of(spec)
    pinned_files.require_match(source.pins, context)
    yield source.resource


def observed(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    head = context.destination.head(spec.name)
    if head is not None:
        yield Resource(Address("source", spec.name), {"commit": head}, stamp=head)


def read(resource: Resource, side: Side, spec: AlgorithmSpec, context: Context) -> Resource:
    """Reads the managed part of the repository. A resource of the source always has its digest."""
    if side is Side.SOURCE:
        return resource
    commit = str(resource.attributes["commit"])
    return replace(resource, digest=managed_id(spec, commit, context))


def managed_id(spec: AlgorithmSpec, commit: str, context: Context) -> str:
    """The tree id of the managed part of a commit at the destination. NotFound: the repository does not contain the commit."""
    return tree_id(managed(context.destination.tree(spec.name, commit), _desired_paths(spec, context)))


def _desired_paths(spec: AlgorithmSpec, context: Context) -> Sequence[str]:
    """The desired paths decide what is managed. A drift report has no access to the source and uses the recorded paths."""
    record = context.ledger.records.get(Address("source", spec.name))
    recorded = paths_of(record.attributes) if record else None
    if recorded is not None and context.recorded_only:
        return recorded
    (want,) = desired(spec, context)
    return paths_of(want.attributes) or ()


def explain(change: Change, spec: AlgorithmSpec, context: Context) -> Change:
    """Adds each changed file with its line counts."""
    if not change.action.writes:
        return change
    after = context.sources.tree(spec).files
    before: Tree = {}
    if change.before is not None:
        before = managed(context.destination.tree(spec.name, str(change.before.attributes["commit"])), after.keys())
    files: list[Json] = [
        {"path": f.path, "action": f.action, "added": f.added, "removed": f.removed} for f in compare(before, after)
    ]
    return replace(change, details={"files": files})


def verbs(change: Change) -> tuple[Verb, ...]:
    return (Verb.PUSH,)


def perform(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    """Pushes on top of the head that the plan saw. Conflict: somebody pushed since."""
    change = step.change
    planned = str(change.before.attributes["commit"]) if change and change.before else None
    repository = context.destination.repository(spec.name)
    head = repository.head()
    if planned is not None and head != planned:
        raise Conflict(f"{step.address}: somebody pushed since the plan was made", hint="run the same command again")
    source = context.sources.tree(spec)
    files = merge(context.destination.tree(spec.name, head) if head else {}, source.files)
    with context.ledger.writing(step.address, step.verb.value):
        commit = repository.push(head, files, author=_AUTHOR, message=f"algosync: source of {spec.name}")
    context.pushed.add(commit)
    (want,) = desired(spec, context)
    attributes = {**want.attributes, "commit": commit}
    return Outcome((Record(step.address, source.id, want.stamp, commit, None, attributes),), commit[:12])


def push_again(spec: AlgorithmSpec, context: Context, head: str) -> Record:
    """Pushes an empty commit on top of `head`, and returns the new record. The platform publishes a commit only once."""
    address = Address("source", spec.name)
    record = context.ledger.records[address]
    with context.ledger.writing(address, Verb.PUSH.value):
        files = context.destination.tree(spec.name, head)
        repository = context.destination.repository(spec.name)
        commit = repository.push(head, files, author=_AUTHOR, message=f"algosync: settings of {spec.name}")
    context.pushed.add(commit)
    return replace(record, destination_stamp=commit, attributes={**record.attributes, "commit": commit})


def commit_of(spec: AlgorithmSpec, context: Context) -> str:
    """The commit with the desired tree: pushed by this run or recorded before. Unexpected: the record has none."""
    record = context.ledger.records.get(Address("source", spec.name))
    if record is None or record.destination_stamp is None:
        raise Unexpected(f"source.{spec.name}: it is not known which commit holds it", hint="run the same command again")
    return record.destination_stamp
