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
from algosync.core.change import Action, Change
from algosync.core.environment import shown
from algosync.core.error import Conflict, NotFound
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import Json, KindTraits, Record, Resource, digest_of
from algosync.core.schedule import Step, Verb
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds import algorithm, source
from algosync.kinds.build import require_built
from algosync.kinds.context import Context
from algosync.kinds.data_writes import WRITE
from algosync.kinds.previous_bytes import Failure, held_since

__all__ = ["TRAITS", "desired", "explain", "observed", "perform", "read", "verbs"]

TRAITS = KindTraits(
    replaceable=True,
    needs=frozenset({"algorithm", "data", "source"}),
    renewed_by=frozenset({"data", "source"}),
    publishes=True,
    read_back=frozenset({"commit", "version"}),
)


def desired(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    """A digest that no published version has, if data files were written after the recorded version was published."""
    want = _desired(spec, context)
    record = context.ledger.records.get(want.address)
    if record is not None and "data" in spec.publish.on and context.data_writes.since_publish(record):
        digest = digest_of({"version": want.digest, "write": context.data_writes.last(spec.name)})
        want = replace(want, digest=digest, stamp=digest)
    yield want


def _desired(spec: AlgorithmSpec, context: Context) -> Resource:
    (code,) = source.desired(spec, context)
    effective: dict[str, Json] = {
        "callability": spec.publish.callability,
        "environment": algorithm.environment_of(spec, context).display_name,
        "network_access": spec.settings.network_access,
        "pipeline_enabled": spec.settings.pipeline_enabled,
    }
    digest = _digest(spec, code.digest or "", effective)
    return Resource(Address("version", spec.name), effective, stamp=digest, digest=digest)


def observed(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    version = context.destination.published(spec.name)
    if version is not None:
        attributes = {**_effective(version, context), "version": version.number, "commit": version.commit}
        yield Resource(Address("version", spec.name), attributes, stamp=_stamp(version))


def read(resource: Resource, side: Side, spec: AlgorithmSpec, context: Context) -> Resource:
    """Reads a version that is not recorded: the tree of its commit, and its settings as the cluster reports them."""
    version = context.destination.published(spec.name)
    if side is Side.SOURCE or version is None:
        return resource
    try:
        tree = source.managed_id(spec, version.commit, context)
    except NotFound:
        return resource  # the branch was rewritten since, so the published tree is unknown
    return replace(resource, digest=_digest(spec, tree, _effective(version, context)))


def explain(change: Change, spec: AlgorithmSpec, context: Context) -> Change:
    """An update that only data files cause is held if they are held."""
    if not change.action.writes:
        return change
    failure = _held(change, spec, context)
    if failure is not None:
        return replace(change, action=Action.HOLD, reason=f"its test failed at {failure.at}: {failure.reason}")
    return replace(change, details={**change.details, "publish": spec.publish.version_type})


def _held(change: Change, spec: AlgorithmSpec, context: Context) -> Failure | None:
    if "data" not in _texts(change.details.get("renewed_by")):
        return None
    records = (context.ledger.records.get(Address("data", spec.name, file.name)) for file in spec.data_files)
    return next(filter(None, (held_since(record, spec, context) for record in records)), None)


def verbs(change: Change) -> tuple[Verb, ...]:
    return Verb.BUILD, Verb.PUBLISH


def perform(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
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
    record = context.ledger.records[Address("source", spec.name)]
    writes = step.change is not None and "data" in _texts(step.change.details.get("renewed_by"))
    return context.data_writes.since_call(record) or (writes and context.data_writes.was_called(record))


def _texts(value: Json) -> Sequence[str]:
    return [str(text) for text in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


def _publish(step: Step, spec: AlgorithmSpec, context: Context) -> Outcome:
    """Publishes the commit that was built and tested. Conflict: somebody pushed since, or another commit was published."""
    commit = source.commit_of(spec, context)
    want = _desired(spec, context)
    # The platform publishes the newest build, so a later push by somebody else would be published untested.
    if context.destination.repository(spec.name).head() != commit:
        hint = "algosync plan shows what they pushed; apply replaces it"
        raise Conflict(f"{step.address}: somebody pushed since commit {commit[:12]} was tested", hint=hint)
    with context.ledger.writing(step.address, step.verb.value):
        version = _published_now(spec, context, commit)
    if version.commit != commit:
        raise Conflict(f"version {version.number} was published of commit {version.commit[:12]}, which somebody else pushed")
    attributes = {**want.attributes, "version": version.number, "commit": commit}
    private = {WRITE: context.data_writes.last(spec.name)}
    record = Record(step.address, want.digest or "", want.stamp, _stamp(version), None, attributes, private)
    return Outcome((record,), version.number)


def _published_now(spec: AlgorithmSpec, context: Context, commit: str) -> Version:
    body = {
        "details": {"label": spec.details.label},
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
    environment = settings.get("algorithm_environment")
    return {
        "callability": str(settings.get("algorithm_callability", "private")),
        "environment": shown(environment if isinstance(environment, str) else None, context.destination.environments()),
        "network_access": str(settings.get("network_access", "")),
        "pipeline_enabled": bool(settings.get("pipeline_enabled", False)),
    }


def _digest(spec: AlgorithmSpec, tree: str, effective: Mapping[str, Json]) -> str:
    """The digest of what makes a new version of this algorithm."""
    code = {"tree": tree} if "source" in spec.publish.on else {}
    return digest_of({**code, **(effective if "settings" in spec.publish.on else {})})


def _stamp(version: Version) -> str:
    return f"{version.number}@{version.commit}"
