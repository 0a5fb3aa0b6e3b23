"""The kind `version`: the newest published version, as good as its source tree and the settings that were in force with it.

Settings that act only from the next publish are part of its digest, so changing one of them publishes a version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from algosync.cluster.algorithms import Build, Version
from algosync.core.address import Address
from algosync.core.change import Change
from algosync.core.environment import shown
from algosync.core.error import BuildFailed, ClusterError, Conflict, NotFound, TimedOut, Unexpected
from algosync.core.event import Note
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import Json, Record, Resource, digest_of
from algosync.core.schedule import Step, Verb
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds import algorithm, source
from algosync.kinds.site import Site
from algosync.net.retry import is_transient

__all__ = ["desired", "explain", "observed", "perform", "read", "verbs"]

_APPEAR = 30.0  # seconds until a push, or a compilation, without a listed build is asked for again
_ASKS = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds between looks at a build
_LOG_TAIL = 40  # lines


def desired(spec: AlgorithmSpec, site: Site) -> Iterable[Resource]:
    (code,) = source.desired(spec, site)
    effective: dict[str, Json] = {
        "callability": spec.publish.callability,
        "environment": algorithm.environment_of(spec, site).display_name,
        "network_access": spec.settings.network_access,
        "pipeline_enabled": spec.settings.pipeline_enabled,
    }
    digest = _digest(code.digest or "", effective)
    yield Resource(Address("version", spec.name), effective, stamp=digest, digest=digest)


def observed(spec: AlgorithmSpec, site: Site) -> Iterable[Resource]:
    version = _published(spec, site)
    if version is not None:
        attributes = {**_effective(version, site), "version": version.number, "commit": version.commit}
        yield Resource(Address("version", spec.name), attributes, stamp=_stamp(version))


def read(resource: Resource, side: Side, spec: AlgorithmSpec, site: Site) -> Resource:
    """A version that nobody recorded: its commit's tree, and the settings that the cluster says it has."""
    version = _published(spec, site)
    if version is None:
        return resource
    try:
        tree = source.managed_id(spec, version.commit, site)
    except NotFound:
        return resource  # the branch was rewritten since; what is published cannot be told
    return replace(resource, digest=_digest(tree, _effective(version, site)))


def explain(change: Change, spec: AlgorithmSpec, site: Site) -> Change:
    return replace(change, details={"publish": spec.publish.version_type}) if change.action.writes else change


def verbs(change: Change) -> tuple[Verb, ...]:
    return Verb.BUILD, Verb.PUBLISH


def perform(step: Step, spec: AlgorithmSpec, site: Site, tell: Tell) -> Outcome:
    return _build(step, spec, site, tell) if step.verb is Verb.BUILD else _publish(step, spec, site)


def _build(step: Step, spec: AlgorithmSpec, site: Site, tell: Tell) -> Outcome:
    """Has the head built: by the push of this run, by an earlier one, or by asking for it."""
    records: tuple[Record, ...] = ()
    commit = head_of(spec, site)
    before = step.change.before if step.change else None
    if before is not None and before.attributes.get("commit") == commit:
        record = source.push_again(spec, site, commit)
        records, commit = (record,), str(record.destination_stamp)
    build = _awaited(step, spec, site, commit, tell)
    if build.status != "succeeded":
        log = site.destination.algorithms.build_log(site.owner, spec.name, build.id)
        raise BuildFailed(f"the build of commit {commit[:12]} failed", log="\n".join(log.splitlines()[-_LOG_TAIL:]))
    return Outcome(records, commit[:12])


def _awaited(step: Step, spec: AlgorithmSpec, site: Site, commit: str, tell: Tell) -> Build:
    """The ended build of a commit. One that failed before this run, or that does not come, is asked for."""
    started = since = site.clock()
    pause, told = _FIRST_PAUSE, ""
    asked, fresh = 0, commit in site.pushed
    old: Build | None = None
    while True:
        build = site.destination.algorithms.build_of(site.owner, spec.name, commit)
        if asked and build == old:
            build = None  # the one asked for is not listed yet
        if build is not None and (build.status == "succeeded" or (build.status == "failed" and fresh)):
            return build
        lost = build is None and (not fresh or site.clock() - since > _APPEAR)
        if asked < _ASKS and (lost or (build is not None and build.status == "failed")):
            _ask(step, spec, site)
            asked, fresh, since, old = asked + 1, True, site.clock(), build or old
            continue
        if site.clock() - started > site.build_deadline:
            raise BuildFailed(f"the build of commit {commit[:12]} did not end within {site.build_deadline:.0f} s")
        status = build.status if build else "queued"
        if status != told:
            tell(Note(step, status))
            told = status
        site.pause(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _ask(step: Step, spec: AlgorithmSpec, site: Site) -> None:
    """Has the head built. It answers when the build has ended, which may take longer than any answer may: the builds tell."""
    with site.ledger.writing(step.address, "compile"):
        try:
            site.destination.algorithms.compile(site.owner, spec.name)
        except ClusterError as error:
            if not is_transient(error) and not isinstance(error, TimedOut):
                raise


def _publish(step: Step, spec: AlgorithmSpec, site: Site) -> Outcome:
    """Publishes the commit that was built and tested. Conflict: the cluster published another one, which somebody pushed since."""
    commit = head_of(spec, site)
    (want,) = desired(spec, site)
    # The platform publishes the newest build, whatever is meant: somebody's later push would go live untested.
    if site.repository(spec.name).head() != commit:
        raise Conflict(f"{step.address}: somebody pushed since commit {commit[:12]} was tested", hint="run the same command again")
    with site.ledger.writing(step.address, step.verb.value):
        version = _published_now(spec, site, commit)
    if version.commit != commit:
        raise Conflict(f"version {version.number} was published of commit {version.commit[:12]}, which somebody else pushed")
    attributes = {**want.attributes, "version": version.number, "commit": commit}
    return Outcome((Record(step.address, want.digest or "", want.stamp, _stamp(version), None, attributes),), version.number)


def _published_now(spec: AlgorithmSpec, site: Site, commit: str) -> Version:
    body = {
        "details": {"label": spec.details.label},
        "settings": {"algorithm_callability": spec.publish.callability},
        "version_info": {
            "version_type": spec.publish.version_type,
            "release_notes": spec.publish.release_notes or "",
            "sample_input": spec.test_payload or "",
        },
    }
    return site.destination.algorithms.publish(site.owner, spec.name, commit, body)


def head_of(spec: AlgorithmSpec, site: Site) -> str:
    """The commit whose tree is the desired one: pushed by this run, or recorded at its start."""
    record = site.ledger.records.get(Address("source", spec.name))
    if record is None or record.destination_stamp is None:
        raise Unexpected(f"source.{spec.name}: it is not known which commit holds it", hint="run the same command again")
    return record.destination_stamp


def _published(spec: AlgorithmSpec, site: Site) -> Version | None:
    if site.info(spec.name) is None:
        return None
    return site.memo.once(("published", spec.name), lambda: site.destination.algorithms.published(site.owner, spec.name))


def _effective(version: Version, site: Site) -> Mapping[str, Json]:
    settings = version.settings
    environment = settings.get("algorithm_environment")
    return {
        "callability": str(settings.get("algorithm_callability", "private")),
        "environment": shown(environment if isinstance(environment, str) else None, site.environments()),
        "network_access": str(settings.get("network_access", "")),
        "pipeline_enabled": bool(settings.get("pipeline_enabled", False)),
    }


def _digest(tree: str, effective: Mapping[str, Json]) -> str:
    return digest_of({"tree": tree, **effective})


def _stamp(version: Version) -> str:
    return f"{version.number}@{version.commit}"
