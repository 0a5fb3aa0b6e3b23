"""The kind `algorithm`: its existence, its details and its settings. Values are known on both sides, so nothing is ever read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from algosync.cluster.algorithms import AlgorithmInfo
from algosync.core.address import Address
from algosync.core.change import Action, Change
from algosync.core.environment import Environment, choose, shown
from algosync.core.error import Unexpected
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import Json, Record, Resource, digest_of
from algosync.core.schedule import Step, Verb
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.site import Site

__all__ = ["desired", "environment_of", "explain", "observed", "perform", "read", "verbs"]

_DETAILS = ("label", "summary", "tagline")
_SETTINGS = ("source_visibility", "license", "network_access", "pipeline_enabled")


def desired(spec: AlgorithmSpec, site: Site) -> Iterable[Resource]:
    details = {name: getattr(spec.details, name) for name in _DETAILS}
    settings = {name: getattr(spec.settings, name) for name in _SETTINGS}
    given = {name: value for name, value in details.items() if value is not None}
    attributes = {"environment": environment_of(spec, site).display_name, **given, **settings}
    digest = digest_of(attributes)
    yield Resource(Address("algorithm", spec.name), attributes, stamp=digest, digest=digest)


def observed(spec: AlgorithmSpec, site: Site) -> Iterable[Resource]:
    """What the workflow says nothing about is not compared: a summary that it does not give may be any."""
    info = site.info(spec.name)
    if info is not None:
        record = site.ledger.records.get(Address("algorithm", spec.name))
        recorded = record.attributes if record and site.recorded_only else None
        names = [n for n in _DETAILS if (n in recorded if recorded is not None else getattr(spec.details, n) is not None)]
        yield _observed(spec.name, info, names, site)


def _observed(name: str, info: AlgorithmInfo, compared: Iterable[str], site: Site) -> Resource:
    """The stamp is of everything, so that it moves only when somebody changes something, not when the workflow says more."""
    environment = info.settings.get("algorithm_environment")
    running = shown(environment if isinstance(environment, str) else None, site.environments())
    settings = {"environment": running, **{n: _value(info.settings, n) for n in _SETTINGS}}
    attributes = {**settings, **{n: _value(info.details, n) for n in compared}}
    stamp = digest_of({**settings, **{n: _value(info.details, n) for n in _DETAILS}})
    return Resource(Address("algorithm", name), attributes, stamp, digest_of(attributes))


def read(resource: Resource, side: Side, spec: AlgorithmSpec, site: Site) -> Resource:
    return resource


def explain(change: Change, spec: AlgorithmSpec, site: Site) -> Change:
    return change


def verbs(change: Change) -> tuple[Verb, ...]:
    return (Verb.CREATE,) if change.action is Action.CREATE else (Verb.CONFIGURE,)


def perform(step: Step, spec: AlgorithmSpec, site: Site, tell: Tell) -> Outcome:
    (want,) = desired(spec, site)
    details = {name: want.attributes[name] for name in _DETAILS if name in want.attributes}
    settings = {name: want.attributes[name] for name in _SETTINGS}
    settings["algorithm_environment"] = environment_of(spec, site).id
    algorithms = site.destination.algorithms
    with site.ledger.writing(want.address, step.verb.value):
        if step.verb is Verb.CREATE:
            algorithms.create(site.owner, spec.name, details, settings)
        else:
            algorithms.update(site.owner, spec.name, details, settings)
    now = site.destination.retry.run(lambda: _as_wanted(want, list(details), site))
    return Outcome((Record(want.address, want.digest or "", want.stamp, now.stamp, None, want.attributes),))


def _as_wanted(want: Resource, compared: Iterable[str], site: Site) -> Resource:
    """What is there now. A success that was told may have been a proxy's: Unexpected where the cluster has something else."""
    name = want.address.algorithm
    now = _observed(name, site.destination.algorithms.read(site.owner, name), compared, site)
    if now.attributes != want.attributes:
        raise Unexpected(f"{want.address}: the destination accepted its settings, and has others")
    return now


def environment_of(spec: AlgorithmSpec, site: Site) -> Environment:
    """SourceError: the destination offers none. One it already runs on is kept."""
    info = site.info(spec.name)
    current = info.settings.get("algorithm_environment") if info else None
    record = site.ledger.records.get(Address("algorithm", spec.name))
    recorded = record.attributes.get("environment") if record else None
    return choose(
        spec.language,
        site.environments(),
        current if isinstance(current, str) else None,
        recorded if isinstance(recorded, str) else None,
    )


def _value(values: Mapping[str, object], name: str) -> Json:
    """A platform that leaves out an empty text means an empty text."""
    value = values.get(name)
    if value is None:
        return ""
    return value if isinstance(value, (str, bool, int)) else str(value)
