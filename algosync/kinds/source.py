"""The kind `source`: the managed files of the algorithm's repository, compared by their git tree id.

A stamp of the destination is the commit at the head of its default branch; of the source, the archive's size and time. A folder
or archive beside the workflow has no stamp: it is read every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from algosync.core import tree as trees
from algosync.core.address import Address
from algosync.core.change import Change
from algosync.core.error import ClusterError, Conflict, NotFound, SourceError, TransferError
from algosync.core.manifest import PATHS, Pin
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import Json, Record, Resource
from algosync.core.schedule import Step, Verb
from algosync.core.tree import Blob
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds import models
from algosync.kinds.site import Site

__all__ = ["desired", "explain", "observed", "perform", "pinned", "push_again", "read", "verbs"]

_AUTHOR = "algosync <algosync@localhost>"


def desired(spec: AlgorithmSpec, site: Site) -> Iterable[Resource]:
    """The archive is read unless its stamp stands as recorded. SourceError: a model manifest does not fit its data files."""
    resource, pins = _wanted(spec, site)
    models.require_fit(pins, spec, site)
    yield resource


def pinned(spec: AlgorithmSpec, site: Site) -> frozenset[Address]:
    """The data files of the workflow that some model manifest pins. Its own archive comes first: others read theirs meanwhile."""
    found: frozenset[Address] = frozenset()
    for other in site.specs(spec):
        found |= _pinned_by(other, site)
    return found


def _pinned_by(spec: AlgorithmSpec, site: Site) -> frozenset[Address]:
    """None where its code cannot be read: that is told where its own `desired` is asked for, and not tried by every other one."""

    def look() -> frozenset[Address]:
        with suppress(SourceError, ClusterError, TransferError):
            return frozenset(pin.file for pin in _wanted(spec, site)[1])
        return frozenset()

    return site.memo.once(("pinned by", spec.name), look)


def _wanted(spec: AlgorithmSpec, site: Site) -> tuple[Resource, tuple[Pin, ...]]:
    """With what its manifest pins."""
    stamp = _archive_stamp(spec.code, site) if spec.code and spec.code.startswith("data://") else None
    record = site.ledger.records.get(Address("source", spec.name))
    if record is not None and stamp is not None and stamp == record.source_stamp:
        pins = _recorded_pins(record, spec, site)
        if pins is not None:
            attributes = {name: record.attributes[name] for name in ("paths", "manifest") if name in record.attributes}
            return Resource(record.address, attributes, stamp, record.digest), pins
    tree, pins = site.desired_tree(spec), site.pins(spec)
    note = {} if PATHS.isdisjoint(tree) else {"manifest": models.noted(pins, site.specs(spec))}
    return Resource(Address("source", spec.name), {"paths": sorted(tree), **note}, stamp, site.desired_id(spec)), pins


def _recorded_pins(record: Record, spec: AlgorithmSpec, site: Site) -> tuple[Pin, ...] | None:
    """None: the archive has to be read, as the record does not tell what would come of it."""
    paths = _paths(record.attributes.get("paths"))
    if paths is None or PATHS.isdisjoint(paths):
        return None if paths is None else ()
    return models.pins_of(record.attributes.get("manifest"), site.specs(spec))


def _archive_stamp(uri: str, site: Site) -> str | None:
    try:
        return site.source_file(uri).stamp
    except NotFound as error:
        raise SourceError(error.message) from None


def observed(spec: AlgorithmSpec, site: Site) -> Iterable[Resource]:
    if site.info(spec.name) is None:
        return
    head = site.memo.once(("head", spec.name), site.repository(spec.name).head)
    if head is not None:
        yield Resource(Address("source", spec.name), {"commit": head}, stamp=head)


def read(resource: Resource, side: Side, spec: AlgorithmSpec, site: Site) -> Resource:
    """The desired side always knows its digest; of the destination the managed part is read."""
    commit = str(resource.attributes["commit"])
    return replace(resource, digest=managed_id(spec, commit, site))


def managed_id(spec: AlgorithmSpec, commit: str, site: Site) -> str:
    """The tree id of what algosync manages in a commit at the destination."""
    record = site.ledger.records.get(Address("source", spec.name))
    paths = _paths(record.attributes.get("paths")) if record else None
    wanted = _wanted_paths(spec, site, paths)
    return trees.tree_id(trees.managed(site.commit_tree(spec.name, commit), wanted))


def _wanted_paths(spec: AlgorithmSpec, site: Site, recorded: Sequence[str] | None) -> Sequence[str]:
    """What is desired decides what is managed; a drift report, which has no source key, goes by the record."""
    if recorded is not None and site.recorded_only:
        return recorded
    (want,) = desired(spec, site)
    return _paths(want.attributes["paths"]) or ()


def _paths(value: Json) -> Sequence[str] | None:
    return [str(path) for path in value] if isinstance(value, Sequence) and not isinstance(value, str) else None


def explain(change: Change, spec: AlgorithmSpec, site: Site) -> Change:
    """Names each changed file with its line counts."""
    if not change.action.writes:
        return change
    after = site.desired_tree(spec)
    before: dict[str, Blob] = {}
    if change.before is not None:
        before = trees.managed(site.commit_tree(spec.name, str(change.before.attributes["commit"])), after.keys())
    files: list[Json] = [
        {"path": f.path, "action": f.action, "added": f.added, "removed": f.removed} for f in trees.compare(before, after)
    ]
    return replace(change, details={"files": files})


def verbs(change: Change) -> tuple[Verb, ...]:
    return (Verb.PUSH,)


def perform(step: Step, spec: AlgorithmSpec, site: Site, tell: Tell) -> Outcome:
    """Pushes on top of the head that the plan saw. Conflict: somebody pushed since."""
    change = step.change
    planned = str(change.before.attributes["commit"]) if change and change.before else None
    repository = site.repository(spec.name)
    head = repository.head()
    if planned is not None and head != planned:
        raise Conflict(f"{step.address}: somebody pushed since the plan was made", hint="run the same command again")
    want = site.desired_tree(spec)
    files = trees.merge(site.commit_tree(spec.name, head) if head else {}, want)
    with site.ledger.writing(step.address, step.verb.value):
        commit = repository.push(head, files, author=_AUTHOR, message=f"algosync: source of {spec.name}")
    site.pushed.add(commit)
    (resource,) = desired(spec, site)
    attributes = {**resource.attributes, "commit": commit}
    return Outcome((Record(step.address, site.desired_id(spec), resource.stamp, commit, None, attributes),), commit[:12])


def push_again(spec: AlgorithmSpec, site: Site, head: str) -> Record:
    """An empty commit on top of `head`, whose commit is published already: the platform publishes a commit once."""
    address = Address("source", spec.name)
    record = site.ledger.records[address]
    with site.ledger.writing(address, Verb.PUSH.value):
        files = site.commit_tree(spec.name, head)
        commit = site.repository(spec.name).push(head, files, author=_AUTHOR, message=f"algosync: settings of {spec.name}")
    site.pushed.add(commit)
    return replace(record, destination_stamp=commit, attributes={**record.attributes, "commit": commit})
