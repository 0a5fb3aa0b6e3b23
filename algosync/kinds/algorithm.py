"""The kind `algorithm`: that it exists, its details, its settings, and who can read its data.

Its values are known on both sides without reading bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from algosync.cluster.algorithms import AlgorithmInfo
from algosync.core.address import Address
from algosync.core.environment import Environment
from algosync.core.error import Conflict, StoredOtherwise
from algosync.core.planning.change import Action, Change, Finding
from algosync.core.planning.ignoring import expired_notes
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import Json, KindTraits, Record, Resource, digest_of
from algosync.core.text import printable
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.collection import DATA_READ, NO_COLLECTION, NOT_TOLD, UNSTAMPED, data_read, desired_read, give_read
from algosync.kinds.context import Context
from algosync.kinds.deletion import clear_collection, delete_algorithm, explained, left_collection
from algosync.kinds.protection import changed_protection, protection

__all__ = ["TRAITS", "desired", "environment_of", "explain", "left_values", "observed", "perform", "read", "trace", "verbs"]

_DETAILS = ("label", "summary", "tagline")
_SETTINGS = ("source_visibility", "license", "network_access", "pipeline_enabled")

TRAITS = KindTraits(
    stamps_from=("workflow", "settings"),
    ignorable={
        **{name: f"details.{name}" for name in _DETAILS},
        **{name: f"settings.{name}" for name in _SETTINGS},
        "environment": "language",
        DATA_READ: "collection.read",
    },
)


def desired(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    settings = {name: getattr(spec.settings, name) for name in _SETTINGS}
    read = desired_read(spec, context)
    given = {name: value for name, value in _given(spec).items() if name != DATA_READ or read is not None}
    wanted = {"environment": environment_of(spec, context).display_name, **given, **settings}
    left = {name: value for name, value in left_values(spec, context).items() if name in wanted and value != wanted[name]}
    attributes = {**wanted, **left}
    digest = digest_of(attributes)
    notes = (NOT_TOLD,) if spec.data_read is not None and read is None else ()
    notes = (*notes, *(_left_note(name, spec) for name in left), *expired_notes(spec))
    yield Resource(Address.of("algorithm", spec.name), attributes, stamp=digest, digest=digest, notes=notes)


def left_values(spec: AlgorithmSpec, context: Context) -> Mapping[str, Json]:
    """The values at the destination that the workflow's `ignore` leaves as they are. The environment is not among them."""
    info = context.destination.info(spec.name) if spec.ignore else None
    if info is None:
        return {}
    values = {**{n: _value(info.details, n) for n in _DETAILS}, **{n: _value(info.settings, n) for n in _SETTINGS}}
    read = data_read(spec, spec.data_read, context)
    values |= {} if read in (None, NO_COLLECTION) else {DATA_READ: read}
    return {name: value for name, value in values.items() if spec.ignores(TRAITS.ignorable[name])}


def _left_note(attribute: str, spec: AlgorithmSpec) -> str:
    name = TRAITS.ignorable[attribute]
    rule = spec.ignores(name)
    return f"{name} is left as it is at the destination ({rule.reason if rule else ''})"


def observed(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    """What the workflow does not give, such as a summary, is not compared. In a drift report the record takes its place."""
    info = context.destination.info(spec.name)
    recorded = context.ledger.records.get(Address.of("algorithm", spec.name))
    if info is None:
        yield from left_collection(spec, recorded, context)
        return
    record = recorded if context.uses_record(spec) else None
    given = _given(spec) if record is None else record.attributes
    wanted = given.get(DATA_READ)
    read = data_read(spec, wanted, context)
    if read is None and record is not None:
        read = wanted
    compared = [name for name in _DETAILS if name in given]
    if read is not None and wanted is not None:
        compared.append(DATA_READ)
    private = None if context.uses_record(spec) else changed_protection(spec, recorded)
    yield replace(_observed(spec.name, info, compared, read, context), private=private)


def _given(spec: AlgorithmSpec) -> Mapping[str, Json]:
    """The details that the workflow gives, and who should be able to read the data."""
    values = {**{name: getattr(spec.details, name) for name in _DETAILS}, DATA_READ: spec.data_read}
    return {name: value for name, value in values.items() if value is not None}


def _observed(name: str, info: AlgorithmInfo, compared: Iterable[str], read: Json, context: Context) -> Resource:
    """The stamp covers what is not compared, too, so it changes only with the destination and not if the workflow gives more.

    `compared`: the attributes besides the settings. `read`: who can read the data, as `data_read` says it.
    """
    running = context.destination.environment_name(info.settings.get("algorithm_environment"))
    settings = {"environment": running, **{n: _value(info.settings, n) for n in _SETTINGS}}
    details = {n: _value(info.details, n) for n in _DETAILS}
    values = {**settings, **details, DATA_READ: read}
    attributes = {n: values[n] for n in (*settings, *compared)}
    stamp = digest_of({n: value for n, value in values.items() if n != DATA_READ or value not in UNSTAMPED})
    return Resource(Address.of("algorithm", name), attributes, stamp, digest_of(attributes))


def read(resource: Resource, side: Side, spec: AlgorithmSpec, context: Context) -> Resource:
    return resource


def explain(change: Change, spec: AlgorithmSpec, context: Context) -> Change:
    return explained(change, context) if change.action is Action.DELETE else change


def trace(finding: Finding, spec: AlgorithmSpec, context: Context) -> Finding:
    """The platform tells neither who changed it nor when."""
    return finding


def verbs(change: Change) -> tuple[Verb, ...]:
    if change.action is Action.DELETE:
        return Verb.DELETE, Verb.CLEAR
    return (Verb.CREATE,) if change.action is Action.CREATE else (Verb.CONFIGURE,)


def perform(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    if step.verb is Verb.DELETE:
        return delete_algorithm(step.address, context)
    if step.verb is Verb.CLEAR:
        return clear_collection(step.address, context)
    (want,) = desired(spec, context)
    if step.verb is Verb.CREATE or not _has_settings(step, want):
        if step.verb is Verb.CONFIGURE:
            _require_unchanged(want.address, context)
        _send(step, want, spec, context)
    read = give_read(want.address, spec, context)
    compared = [name for name in (*_DETAILS, DATA_READ) if name in want.attributes]
    now = context.destination.retry.run(lambda: _as_desired(want, compared, read, context))
    return Outcome((Record(want.address, want.digest or "", want.stamp, now.stamp, None, want.attributes, protection(spec)),))


def _has_settings(step: Step, want: Resource) -> bool:
    """Whether the plan saw every desired value at the destination, except who can read the data."""
    before = step.change.before if step.change else None
    return before is not None and all(
        before.attributes.get(name) == value for name, value in want.attributes.items() if name != DATA_READ
    )


def _require_unchanged(address: Address, context: Context) -> None:
    """Conflict: somebody changed the details or settings since the plan was made."""
    name, destination = address.algorithm, context.destination
    planned, now = destination.info(name), destination.algorithms.read(destination.owner, name)
    settings = ("algorithm_environment", *_SETTINGS)
    moved = [n for n in _DETAILS if planned and _value(planned.details, n) != _value(now.details, n)]
    moved += [n for n in settings if planned and _value(planned.settings, n) != _value(now.settings, n)]
    if moved:
        hint = "algosync plan shows the change; apply replaces it"
        raise Conflict(f"{address}: somebody changed its {', '.join(moved)} since the plan was made", hint=hint)


def _send(step: Step, want: Resource, spec: AlgorithmSpec, context: Context) -> None:
    details = {name: want.attributes[name] for name in _DETAILS if name in want.attributes}
    settings = {name: want.attributes[name] for name in _SETTINGS}
    settings["algorithm_environment"] = environment_of(spec, context).id
    destination = context.destination
    send = destination.algorithms.create if step.verb is Verb.CREATE else destination.algorithms.update
    with context.ledger.writing(want.address, step.verb.value):
        send(destination.owner, spec.name, details, settings)


def _as_desired(want: Resource, compared: Iterable[str], read: Json, context: Context) -> Resource:
    """The resource as the cluster has it now. StoredOtherwise: it has other values than were sent."""
    destination, name = context.destination, want.address.algorithm
    now = _observed(name, destination.algorithms.read(destination.owner, name), compared, read, context)
    if now.attributes != want.attributes:
        raise _stored_otherwise(want, now)
    return now


def _stored_otherwise(want: Resource, now: Resource) -> StoredOtherwise:
    """A cluster may trim a text. Nothing depends on the texts, but a wrong setting must not be published."""
    names = [name for name in want.attributes if now.attributes.get(name) != want.attributes[name]]
    sent = ", ".join(f"{name} {_quoted(want.attributes[name])} as {_quoted(now.attributes.get(name))}" for name in names)
    if set(names) <= set(_DETAILS):
        hint = "write the text in the workflow as the destination stores it"
    else:
        hint = "run the same command again; if that does not help, give the setting that the destination has"
    error = StoredOtherwise(f"{want.address}: the destination has stored {sent}", hint=hint)
    error.blocks = not set(names) <= set(_DETAILS)
    return error


def _quoted(value: Json) -> str:
    return printable(json.dumps(value, ensure_ascii=False, default=dict), 200)


def environment_of(spec: AlgorithmSpec, context: Context) -> Environment:
    """The environment for the algorithm: one that it already uses is kept, and any if the workflow ignores it.

    SourceError: the destination offers none.
    """
    info = context.destination.info(spec.name)
    current = info.settings.get("algorithm_environment") if info else None
    if spec.ignores(TRAITS.ignorable["environment"]):
        for each in context.destination.environments():
            if each.id == current:
                return each
    record = context.ledger.records.get(Address.of("algorithm", spec.name))
    recorded = record.attributes.get("environment") if record else None
    return context.destination.environment(
        spec.language,
        current if isinstance(current, str) else None,
        recorded if isinstance(recorded, str) else None,
    )


def _value(values: Mapping[str, object], name: str) -> Json:
    """A missing value means an empty text: the platform leaves out empty texts."""
    value = values.get(name)
    if value is None:
        return ""
    return value if isinstance(value, (str, bool, int)) else str(value)
