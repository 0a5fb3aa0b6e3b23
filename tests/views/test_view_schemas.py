"""Documents that views make fit their schemas."""

from __future__ import annotations

import json

import pytest
from documents import check_document, problems
from samples import HELLO, HOSTILE, PLAN, SUBJECTS, subjects_with

from algosync.core.error import AlgosyncError, Denied, Fault, Several, WorkflowError
from algosync.core.planning.explanation import Explanation, reason_of
from algosync.core.planning.file_diff import FileDiff
from algosync.core.redaction import Redactor
from algosync.core.resource import SENSITIVE, Record
from algosync.views import FORMATS
from algosync.views.diagnostics import diagnostics_document
from algosync.views.record import record_document
from algosync.views.subject import Planned, Recorded

META = {"timestamp": "2026-01-02T03:04:05+00:00", "algosync_version": "1"}


@pytest.mark.parametrize("which", SUBJECTS)
def test_samples_fit(which: str) -> None:
    document = json.loads(FORMATS["json"](SUBJECTS[which], Redactor()))
    check_document(which, document)
    check_document("report", document)
    assert problems(which, {**document, "other": 1}) != []


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_change_no_form(hostile: str) -> None:
    for which, subject in subjects_with(hostile).items():
        check_document(which, json.loads(FORMATS["json"](subject, Redactor())))


RECORD = Record(HELLO, SENSITIVE, None, "1024 2026-01-01T00:00:00.000Z", attributes={"label": "Hello"})


def test_what_a_plan_has_only_on_request_fits() -> None:
    explained = tuple(
        Explanation(c, reason_of(c, record), record, ("file", "listing")) for c in PLAN.changes for record in (None, RECORD)
    )
    diffs = (
        FileDiff(HELLO, "src/Hello.py", "update", ("@@ -1 +1 @@", "-a", "+b"), 3, "a\x1b"),
        FileDiff(HELLO, "logo.png", "create"),
    )
    planned = Planned(PLAN, META | {"workflow": "w"}, explained, diffs, digest=f"sha256:{'0' * 64}")
    document = json.loads(FORMATS["json"](planned, Redactor()))
    assert {"explanations", "diffs", "plan_digest"} <= document.keys()
    check_document("plan", document)


def test_records_fit() -> None:
    check_document("record", json.loads(json.dumps(record_document(RECORD, str))))
    document = json.loads(FORMATS["json"](Recorded((RECORD,), META | {"state": "state/x.json"}), Redactor()))
    check_document("records", document)
    check_document("report", document)


def test_diagnostics_tell_every_error_at_once() -> None:
    fault = Fault(2, 3, "algorithms[0].nam", "unknown-key", "the key 'nam' is not known here", "did you mean name?")
    denied = Denied("GET /v1/data/: 403", status=403, request_id="r1", hint="look at DESTINATION_API_KEY")
    error = Several((WorkflowError("w.json", (fault,)), denied, AlgosyncError("plain")))
    document = json.loads(json.dumps(diagnostics_document(error, META)))
    check_document("diagnostics", document)
    check_document("report", document)
    first, second, third = document["diagnostics"]
    assert first["place"] == {"file": "w.json", "line": 2, "column": 3, "path": "algorithms[0].nam", "code": "unknown-key"}
    assert (second["summary"], second["hint"], second["request_id"]) == (denied.message, denied.hint, "r1")
    assert third == {"severity": "error", "summary": "plain", "hint": None, "place": None, "request_id": None}
