"""The kind `version`: the newest published version, compared by its source tree and the settings that it was published with.

Some settings take effect only with the next published version. They are part of the digest, so changing one publishes a version.
A changed data file publishes a version, too, because running workers keep the files that they loaded. The workflow's `publish.on`
may leave out each of these reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from algosync.cluster.algorithms import Version
from algosync.core.address import Address
from algosync.core.error import Conflict, NotFound
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action, Change, Finding
from algosync.core.planning.data_reads import READ_DATA, READ_FROM, READ_WRITTEN
from algosync.core.planning.explanation import DATA_CHANGES, DATA_WRITTEN
from algosync.core.planning.renewal import PUBLISHED_WITH, contents
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import Json, KindTraits, Record, Resource, digest_of
from algosync.core.workflow import AlgorithmSpec, Publish
from algosync.kinds import algorithm, source
from algosync.kinds.build import require_built
from algosync.kinds.context import Context
from algosync.kinds.data_writes import WRITE, Use
from algosync.kinds.failure import Failure
from algosync.kinds.held_changes import held_since

__all__ = ["TRAITS", "desired", "explain", "observed", "perform", "read", "trace", "verbs"]

TRAITS = KindTraits(
    replaceable=True,
    deleted_with="algorithm",
    needs=frozenset({"algorithm", "data", "source"}),
    renewed_by=frozenset({"data"}),
    publishes=True,
    stamps_from=("workflow", "published version"),
    read_back=frozenset({"commit", "version"}),
)

_LEFT_OUT = "the workflow has changes that its `publish.on` leaves out; the next version will have them"
_IGNORABLE = {name: algorithm.TRAITS.ignorable[name] for name in ("environment", "network_access", "pipeline_enabled")}
_ROLLED_BACK = "rolled_back"  # in the private part of a version's record: `Context.rollback`
_TREE = "tree"  # in the private part of a version's record: the tree id that it was published with


@dataclass(frozen=True, slots=True)
class _Content:
    """What makes a version: the tree id of its managed source, and the settings that take effect with it."""

    tree: str
    effective: Mapping[str, Json]

    @property
    def digest(self) -> str:
        return digest_of({"tree": self.tree, **self.effective})


def desired(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    """What `publish.on` leaves out is desired as it is published.

    The digest is one that no version has if data files were written after the published version.
    """
    wanted, version = _content(spec, context), context.destination.published(spec.name)
    content = wanted if version is None else _without_left_out(wanted, version, spec, context)
    digest = content.digest
    if version is not None and "data" in spec.publish.on and _is_older_than_data(version, spec, context):
        digest = digest_of({"version": digest, "write": context.data_writes.last(spec.name)})
    notes = (_LEFT_OUT,) if content != wanted and len(spec.publish.on) < len(Publish().on) else ()
    yield Resource(Address.of("version", spec.name), content.effective, stamp=digest, digest=digest, notes=notes)


def _content(spec: AlgorithmSpec, context: Context) -> _Content:
    (code,) = source.desired(spec, context)
    left = algorithm.left_values(spec, context)
    effective: dict[str, Json] = {
        "callability": spec.publish.callability,
        "environment": algorithm.environment_of(spec, context).display_name,
        "network_access": left.get("network_access", spec.settings.network_access),
        "pipeline_enabled": left.get("pipeline_enabled", spec.settings.pipeline_enabled),
    }
    return _Content(code.digest or "", effective)


def _without_left_out(content: _Content, version: Version, spec: AlgorithmSpec, context: Context) -> _Content:
    """The content with the published parts for those whose changes make no new version."""
    if "source" not in spec.publish.on:
        content = replace(content, tree=_published_tree(version, spec, context) or content.tree)
    if "settings" not in spec.publish.on:
        return replace(content, effective=_effective(version, context))
    if not spec.ignore:
        return content
    published = _effective(version, context)
    left = {name: published[name] for name, rule in _IGNORABLE.items() if spec.ignores(rule)}
    return replace(content, effective={**content.effective, **left})


def _published_tree(version: Version, spec: AlgorithmSpec, context: Context) -> str | None:
    """The tree id that the version was published with: recorded, or read. None: the repository has no such commit any more."""
    record = context.ledger.records.get(Address.of("version", spec.name))
    tree = record.private.get(_TREE) if record and record.destination_stamp == _stamp(version) else None
    if isinstance(tree, str):
        return tree
    try:
        return source.managed_id(spec, version.commit, context)
    except NotFound:
        return None


def _is_older_than_data(version: Version, spec: AlgorithmSpec, context: Context) -> bool:
    records = context.ledger.records
    recorded, code = (records.get(Address.of(kind, spec.name)) for kind in ("version", "source"))
    return context.data_writes.since_publish(spec.name, version.commit, recorded, code)


def observed(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    version = context.destination.published(spec.name)
    if version is not None:
        attributes = {**_effective(version, context), "version": version.number, "commit": version.commit}
        yield Resource(
            Address.of("version", spec.name), attributes, stamp=_stamp(version), private=_remembered(version, spec, context)
        )


def _remembered(version: Version, spec: AlgorithmSpec, context: Context) -> Mapping[str, Json] | None:
    """What the record goes on remembering. If it is of another version, not the data files that one was published with."""
    record, code = (context.ledger.records.get(Address.of(kind, spec.name)) for kind in ("version", "source"))
    told = (PUBLISHED_WITH, READ_DATA)
    if record is None or not any(name in record.private for name in told) or _is_of(record, version, code):
        return None
    return {name: value for name, value in record.private.items() if name not in told}


def _is_of(record: Record, version: Version, code: Record | None) -> bool:
    """Whether a version's record is of this version.

    It has no stamp after `state mv`, and after a publish that was interrupted. The latter has noted the use of its commit.
    """
    if record.destination_stamp is not None or record.attributes.get("commit") == version.commit:
        return record.destination_stamp in (None, _stamp(version))
    use = Use.of(code)
    return use is None or use.commit != version.commit


def read(resource: Resource, side: Side, spec: AlgorithmSpec, context: Context) -> Resource:
    """Reads a version that is not recorded: the tree of its commit, and its settings as the cluster reports them."""
    version = context.destination.published(spec.name)
    if side is Side.SOURCE or version is None:
        return resource
    try:
        tree = source.managed_id(spec, version.commit, context)
    except NotFound:
        return resource  # the branch was rewritten since, so the published tree is unknown
    return replace(resource, digest=_Content(tree, _effective(version, context)).digest)


def explain(change: Change, spec: AlgorithmSpec, context: Context) -> Change:
    """An update that only data files cause is held if they are held."""
    if not change.action.writes:
        return change
    failure = _held(change, spec, context)
    if failure is not None:
        return replace(change, action=Action.HOLD, reason=f"its test failed at {failure.at}: {failure.reason}")
    reason = change.reason or _reason(change, spec, context)
    return replace(change, reason=reason, details={**change.details, "publish": spec.publish.version_type})


def _reason(change: Change, spec: AlgorithmSpec, context: Context) -> str:
    """Why a version is published whose source and settings are equal, or that was rolled back. Empty: for what differs."""
    version = context.destination.published(spec.name)
    if change.before is None or change.after is None or version is None:
        return ""
    if context.rollback:
        return f"rollback to {context.rollback['to']}"
    if told := _told_of_rollback(version, spec, context):
        return told
    if change.before.digest == change.after.digest:
        others = ", ".join(_texts(change.details.get(READ_FROM)))
        read = f"data of {others} changed, which its source reads" if others else ""
        return "; ".join(filter(None, (DATA_CHANGES if "renewed_by" in change.details or not read else "", read)))
    content = _without_left_out(_content(spec, context), version, spec, context)
    return DATA_WRITTEN if change.before.digest == content.digest else ""


def _told_of_rollback(version: Version, spec: AlgorithmSpec, context: Context) -> str:
    """Empty: the version was not published by a rollback."""
    record = context.ledger.records.get(Address.of("version", spec.name))
    told = record.private.get(_ROLLED_BACK) if record and record.destination_stamp == _stamp(version) else None
    if not isinstance(told, Mapping):
        return ""
    rolled_back = f"it was rolled back from {told.get('from')} to {told.get('to')} at {told.get('at')}"
    return f"{rolled_back}, and the workflow still has something else"


def _held(change: Change, spec: AlgorithmSpec, context: Context) -> Failure | None:
    if "data" not in _texts(change.details.get("renewed_by")):
        return None
    records = (context.ledger.records.get(Address.of("data", spec.name, file.name)) for file in spec.data_files)
    return next(filter(None, (held_since(record, spec, context) for record in records)), None)


def trace(finding: Finding, spec: AlgorithmSpec, context: Context) -> Finding:
    """The platform tells neither who published it nor when."""
    return finding


def verbs(change: Change) -> tuple[Verb, ...]:
    return (Verb.DELETE,) if change.action is Action.DELETE else (Verb.BUILD, Verb.PUBLISH)


def perform(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    if step.verb is Verb.DELETE:  # the algorithm's deletion has deleted it
        return Outcome(forgotten=(step.address,))
    return _build(step, spec, context, tell) if step.verb is Verb.BUILD else _publish(step, spec, context)


def _build(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    """Ensures that the commit to publish is built. A commit that cannot be published or tested is replaced by an empty commit."""
    records: tuple[Record, ...] = ()
    commit = source.commit_of(spec, context)
    if _is_published(commit, step) or _has_old_workers(step, spec, context):
        record = source.push_again(spec, context, commit)
        records, commit = (record,), str(record.destination_stamp)
    require_built(step, commit, context, tell)
    return Outcome(records, commit[:12])


def _is_published(commit: str, step: Step) -> bool:
    """The platform publishes a commit only once."""
    before = step.change.before if step.change else None
    return before is not None and before.attributes.get("commit") == commit


def _has_old_workers(step: Step, spec: AlgorithmSpec, context: Context) -> bool:
    """Whether workers of the commit may have loaded data files that were written since, or that this apply is going to write."""
    record = context.ledger.records[Address.of("source", spec.name)]
    details = step.change.details if step.change else {}
    if context.data_writes.since_call(record):
        return True
    writes = "data" in _texts(details.get("renewed_by")) or details.get(READ_WRITTEN) is True
    return context.data_writes.was_called(record) and (writes or _has_read_other_data(record, details, spec, context))


def _has_read_other_data(record: Record, details: Mapping[str, Json], spec: AlgorithmSpec, context: Context) -> bool:
    """Whether workers of the called commit may have loaded other data of other algorithms than is there now."""
    use = Use.of(record)
    read = use.read if use and use.commit == record.destination_stamp else None
    return READ_FROM in details if read is None else read != source.read_digest(spec, context)


def _texts(value: Json) -> Sequence[str]:
    return [str(text) for text in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


def _publish(step: Step, spec: AlgorithmSpec, context: Context) -> Outcome:
    """Publishes the commit that was built and tested. Conflict: somebody pushed or published since."""
    commit = source.commit_of(spec, context)
    content = _content(spec, context)
    # The platform publishes the newest build, so a later push by somebody else would be published untested.
    if context.destination.repository(spec.name).head() != commit:
        hint = "algosync plan shows what they pushed; apply replaces it"
        raise Conflict(f"{step.address}: somebody pushed since commit {commit[:12]} was tested", hint=hint)
    _require_no_other_version(step, spec, context, commit)
    source.note_call(spec, context)
    with context.ledger.writing(step.address, step.verb.value):
        version = _published_now(spec, context, commit)
    if version.commit != commit:
        raise Conflict(f"version {version.number} was published of commit {version.commit[:12]}, which somebody else pushed")
    attributes = {**content.effective, "version": version.number, "commit": commit}
    private: dict[str, Json] = {
        WRITE: context.data_writes.last(spec.name),
        _TREE: content.tree,
        PUBLISHED_WITH: {"data": {}, **contents(_data_records(spec, context))},
    }
    if read := source.read_data(spec, context):
        private[READ_DATA] = read
    if context.rollback:
        private[_ROLLED_BACK] = dict(context.rollback)
    record = Record(step.address, content.digest, content.digest, _stamp(version), None, attributes, private)
    return Outcome((record,), version.number)


def _data_records(spec: AlgorithmSpec, context: Context) -> Iterable[Record]:
    """The records of the algorithm's data files: a rollback has none in its spec, so those of the collection count too."""
    names = {*(file.name for file in spec.data_files), *context.destination.files(spec.name)}
    found = (context.ledger.records.get(Address.of("data", spec.name, name)) for name in sorted(names))
    return filter(None, found)


def _require_no_other_version(step: Step, spec: AlgorithmSpec, context: Context, commit: str) -> None:
    """Conflict: somebody published another version since the plan was made."""
    destination = context.destination
    planned, now = destination.published(spec.name), destination.algorithms.published(destination.owner, spec.name)
    if now is not None and now.commit != commit and (planned is None or _stamp(planned) != _stamp(now)):
        hint = "algosync plan shows the change; apply replaces it"
        raise Conflict(f"{step.address}: somebody published version {now.number} since the plan was made", hint=hint)


def _published_now(spec: AlgorithmSpec, context: Context, commit: str) -> Version:
    body = {
        "details": {"label": algorithm.left_values(spec, context).get("label", spec.details.label)},
        "settings": {"algorithm_callability": spec.publish.callability},
        "version_info": {
            "version_type": spec.publish.version_type,
            "release_notes": spec.publish.release_notes or "",
            "sample_input": spec.test_payload or "",
        },
    }
    return context.destination.algorithms.publish(context.destination.owner, spec.name, commit, body)


def _effective(version: Version, context: Context) -> Mapping[str, Json]:
    """The settings that were in force when the version was published."""
    settings = version.settings
    return {
        "callability": str(settings.get("algorithm_callability", "private")),
        "environment": context.destination.environment_name(settings.get("algorithm_environment")),
        "network_access": str(settings.get("network_access", "")),
        "pipeline_enabled": bool(settings.get("pipeline_enabled", False)),
    }


def _stamp(version: Version) -> str:
    return f"{version.number}@{version.commit}"
