"""The format `json`: one JSON document. Only `meta`, and the ages of findings, differ between two documents of the same thing."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.planning.origin import ORIGIN, Origin
from algosync.core.planning.plan import Plan
from algosync.core.redaction import MASK, Redactor, Word
from algosync.core.resource import SENSITIVE, Json, Resource
from algosync.core.text import harmless_json
from algosync.views.all_drift import findings_of
from algosync.views.compare import compare_document
from algosync.views.diagnostics import diagnostics, diagnostics_document
from algosync.views.drift import coverage_document
from algosync.views.expected import expected_words, load_document
from algosync.views.explanation import explanation_documents
from algosync.views.file_diff import diff_documents
from algosync.views.formats.run_document import run_document
from algosync.views.record import record_row
from algosync.views.subject import Applied, Compared, Drifted, DriftedAll, Failed, Planned, Recorded, Subject
from algosync.views.value import FORMAT_VERSION, redacted_address

__all__ = ["drift_document", "json_text", "plan_document", "view", "worded"]

_OWN_WORDS = frozenset({"action", "algosync_version", "command", "publish", "timestamp"})  # members of `details` and `meta`


def view(subject: Subject, redactor: Redactor) -> str:
    match subject:
        case Planned(plan=plan, meta=meta, explanations=explanations, diffs=diffs, digest=digest):
            asked: dict[str, Json] = {"explanations": explanation_documents(explanations, redactor)} if explanations else {}
            asked |= {"diffs": diff_documents(diffs, redactor)} if diffs else {}
            asked |= {"plan_digest": Word(digest)} if digest else {}
            return json_text({**plan_document(plan, meta, redactor), **asked}, redactor)
        case Drifted() | DriftedAll():
            one = _drifted_document(subject, redactor) if isinstance(subject, Drifted) else _all_document(subject, redactor)
            return json_text(one, redactor)
        case Compared(header=header, comparison=comparison, meta=meta):
            return json_text(compare_document(header, comparison, worded(meta), redactor), redactor)
        case Recorded(records=records, meta=meta):
            listed: list[Json] = [record_row(record, redactor.redact) for record in records]
            return json_text({"format_version": FORMAT_VERSION, "meta": worded(meta), "records": listed}, redactor)
        case Applied(meta=meta):
            return json_text({"format_version": FORMAT_VERSION, "meta": worded(meta), **run_document(subject, redactor)}, redactor)
        case Failed(error=error, meta=meta):
            return json_text(diagnostics_document(error, meta), redactor)


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


def plan_document(plan: Plan, meta: Mapping[str, Json], redactor: Redactor) -> Mapping[str, Json]:
    failing = {failed.address: Word(failed.since) for failed in plan.failing}
    return {
        "format_version": FORMAT_VERSION,
        "meta": worded(meta),
        "source": plan.header.source,
        "destination": plan.header.destination,
        "owner": plan.header.owner,
        "targets": list(plan.targets),
        "mode": Word(plan.mode.value),
        "excluded": {"patterns": list(plan.excluded.patterns), "left_out": list(plan.excluded.left_out)},
        "refusals": [{"guard": Word(r.guard), "message": r.message, "hint": r.hint} for r in plan.refusals],
        "counts": {action.value: plan.counted()[action] for action in Action if action.visible},
        "resource_changes": [_change(c, redactor) for c in plan.changes],
        "resource_drift": [_drifted(c, redactor) for c in plan.drifted],
        "notes": [{"address": str(address), "note": note} for address, note in plan.notes()],
        "checks": [
            {
                "address": _address(c.address, redactor),
                "payload_sha256": None if c.case.cases else _payload_digest(c.case.payload, redactor),
                "cases": {"file": c.case.cases.path, "count": c.case.cases.count} if c.case.cases else None,
                "expects": list(expected_words(c.case.expect)),
                "load": load_document(c.case.load),
                "timeout": c.case.timeout,
                "on": Word("candidate" if c.candidate else "published"),
                "failing_since": failing.get(c.address),
            }
            for c in plan.checks
        ],
    }


def _payload_digest(payload: str, redactor: Redactor) -> str | None:
    """None: the payload holds a secret. Without a salt the digest of something small and secret can be guessed."""
    return None if payload == MASK or redactor.holds(payload) else hashlib.sha256(payload.encode()).hexdigest()


def _drifted_document(subject: Drifted, redactor: Redactor) -> Mapping[str, Json]:
    header = subject.header
    names: list[Json] = [_address(address, redactor) for address in subject.managed]
    hidden: list[Json] = [{"address": _address(a, redactor), "attributes": [*n]} for a, n in subject.not_compared.items()]
    about = {"source": header.source, "destination": header.destination, "owner": header.owner}
    counts = _counts(subject.findings)
    told: dict[str, Json] = {"coverage": coverage_document(subject.coverage, redactor), "notes": list(subject.notes)}
    rows = {**about, "counts": counts, "managed": names, "not_compared": hidden, **told}
    return {**drift_document(subject.findings, subject.meta, redactor), **rows}


def _counts(findings: Iterable[Finding]) -> Mapping[str, Json]:
    counted = Counter(finding.drift for finding in findings)
    return {drift.value: counted[drift] for drift in Drift}


def _all_document(subject: DriftedAll, redactor: Redactor) -> Mapping[str, Json]:
    """Of each workflow its own document, which is `drift` or `diagnostics`."""
    return {
        "format_version": FORMAT_VERSION,
        "meta": worded(subject.meta),
        "destination": subject.destination,
        "counts": _counts(finding for part in subject.parts for finding in findings_of(part)),
        "workflows": [
            {
                "workflow": part.workflow,
                "exit_code": part.exit_code,
                "drift": _drifted_document(part, redactor) if isinstance(part, Drifted) else None,
                "diagnostics": list(diagnostics(part.error)) if isinstance(part, Failed) else None,
            }
            for part in subject.parts
        ],
        "notes": list(subject.notes),
    }


def drift_document(findings: Iterable[Finding], meta: Mapping[str, Json], redactor: Redactor) -> Mapping[str, Json]:
    rows: list[Json] = [
        {
            "address": _address(f.address, redactor),
            "drift": Word(f.drift.value),
            "before": _side(f.before, redactor),
            "after": _side(f.after, redactor),
            "reason": f.reason or None,
            "since": Word(f.since) if f.since else None,
            **_traced(f),
        }
        for f in findings
    ]
    return {"format_version": FORMAT_VERSION, "meta": worded(meta), "drift": rows}


def _traced(finding: Finding) -> Mapping[str, Json]:
    origin = Origin.of(finding)
    return {
        "by": origin.by or None,
        "at": Word(origin.at) if origin.at else None,
        "details": worded({name: value for name, value in finding.details.items() if name != ORIGIN}),
        "first_seen": Word(finding.first_seen) if finding.first_seen else None,
        "age_seconds": finding.age,
    }


def _change(change: Change, redactor: Redactor) -> Json:
    unknown = change.action.writes and change.after is not None and change.after.digest is None
    # A refresh changes only the record, so it is not shown.
    action = change.action.value if change.action.visible else "no-op"
    return {
        **_named(change, redactor),
        "change": {
            "actions": [Word(action)],
            "before": _side(change.before, redactor),
            "after": _side(change.after, redactor),
            "after_unknown": {"digest": True} if unknown else {},
        },
        "drifted": change.drifted,
        "reason": change.reason or None,
        "details": worded({name: value for name, value in change.details.items() if name != ORIGIN}),
    }


def _drifted(change: Change, redactor: Redactor) -> Json:
    """A change made outside of algosync: from the recorded resource to the current one."""
    origin = Origin.of(change)
    return {
        **_named(change, redactor),
        "change": {
            "actions": [Word("delete" if change.before is None else "update")],
            "before": _side(change.recorded, redactor),
            "after": _side(change.before, redactor),
        },
        "by": origin.by or None,
        "at": Word(origin.at) if origin.at else None,
    }


def _named(change: Change, redactor: Redactor) -> Mapping[str, Json]:
    address = change.address
    return {
        "address": _address(address, redactor),
        "kind": Word(address.kind),
        "algorithm": address.algorithm,
        "name": address.name,
    }


def _side(side: Resource | None, redactor: Redactor) -> Json:
    """One side of a change. The digest of attributes that contain a secret is left out, because it can be guessed."""
    if side is None:
        return None
    digest = None if redactor.holds(side.attributes) or side.digest == SENSITIVE else side.digest
    content: dict[str, Json] = {} if side.size is None else {"size": side.size}
    attributes = {name: _redacted_names(value, redactor) for name, value in sorted(side.attributes.items())}
    return {"attributes": attributes, "digest": digest, **content}


def _redacted_names(value: Json, redactor: Redactor) -> Json:
    """A value of an attribute. Names of members inside it come from outside, unlike those of the document."""
    match value:
        case Mapping():
            return {redactor.redact(name): _redacted_names(item, redactor) for name, item in value.items()}
        case list() | tuple():
            return [_redacted_names(item, redactor) for item in value]
        case _:
            return value


def _address(address: Address, redactor: Redactor) -> Word:
    return Word(redacted_address(address, redactor.redact))


def worded(value: Json) -> Json:
    """The value with its own words marked as such."""
    match value:
        case Mapping():
            return {n: Word(v) if n in _OWN_WORDS and isinstance(v, str) else worded(v) for n, v in value.items()}
        case list():
            return [worded(item) for item in value]
        case _:
            return value
