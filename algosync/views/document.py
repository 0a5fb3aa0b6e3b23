"""The format `json`: one JSON document. Only `meta` differs between two documents of the same thing."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping

from algosync.core.change import Change, Finding
from algosync.core.plan import Plan
from algosync.core.redaction import Redactor
from algosync.core.resource import Json, Resource
from algosync.core.text import harmless_json
from algosync.views.subject import Drifted, Planned, Subject

__all__ = ["drift_document", "json_text", "plan_document", "view"]

FORMAT_VERSION = "1.0"


def view(subject: Subject, redactor: Redactor) -> str:
    match subject:
        case Planned(plan=plan, meta=meta):
            return json_text(plan_document(plan, meta), redactor)
        case Drifted(findings=findings, meta=meta, managed=managed):
            return json_text({**drift_document(findings, meta), "managed": list(map(str, managed))}, redactor)


def json_text(document: Json, redactor: Redactor) -> str:
    """A document as ASCII text with its secrets hidden. Members stay in their order."""
    return harmless_json(json.dumps(_finite(redactor.redacted(document)), indent=2, allow_nan=False)) + "\n"


def _finite(value: Json) -> Json:
    """NaN and infinity as text: JSON has no such numbers, but a server may have sent them."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {name: _finite(item) for name, item in value.items()}
        case list():
            return [_finite(item) for item in value]
        case _:
            return value


def plan_document(plan: Plan, meta: Mapping[str, Json]) -> Mapping[str, Json]:
    return {
        "format_version": FORMAT_VERSION,
        "meta": meta,
        "source": plan.header.source,
        "destination": plan.header.destination,
        "owner": plan.header.owner,
        "targets": list(plan.targets),
        "resource_changes": [_change(c) for c in plan.changes],
        "resource_drift": [_drifted(c) for c in plan.drifted],
        "checks": [
            {
                "address": str(c.address),
                "payload_sha256": hashlib.sha256(c.payload.encode()).hexdigest(),
                "timeout": c.timeout,
                "on": "candidate" if c.candidate else "published",
            }
            for c in plan.checks
        ],
    }


def drift_document(findings: Iterable[Finding], meta: Mapping[str, Json]) -> Mapping[str, Json]:
    rows: list[Json] = [
        {
            "address": str(f.address),
            "drift": f.drift.value,
            "before": _side(f.before),
            "after": _side(f.after),
            "reason": f.reason or None,
        }
        for f in findings
    ]
    return {"format_version": FORMAT_VERSION, "meta": meta, "drift": rows}


def _change(change: Change) -> Json:
    unknown = change.action.writes and change.after is not None and change.after.digest is None
    # A refresh changes only the record, so it is not shown.
    action = change.action.value if change.action.visible else "no-op"
    return {
        **_named(change),
        "change": {
            "actions": [action],
            "before": _side(change.before),
            "after": _side(change.after),
            "after_unknown": {"digest": True} if unknown else {},
        },
        "drifted": change.drifted,
        "reason": change.reason or None,
        "details": change.details,
    }


def _drifted(change: Change) -> Json:
    """What somebody else did: from the recorded resource to the one that is there now."""
    return {
        **_named(change),
        "change": {
            "actions": ["delete" if change.before is None else "update"],
            "before": _side(change.recorded),
            "after": _side(change.before),
        },
    }


def _named(change: Change) -> Mapping[str, Json]:
    address = change.address
    return {"address": str(address), "kind": address.kind, "algorithm": address.algorithm, "name": address.name}


def _side(side: Resource | None) -> Json:
    if side is None:
        return None
    content: dict[str, Json] = {} if side.size is None else {"size": side.size}
    return {"attributes": dict(sorted(side.attributes.items())), "digest": side.digest, **content}
