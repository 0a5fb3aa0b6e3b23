"""A drift report: who wrote what and when, since when it is seen, and what was not looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from samples import META, PLAN

from algosync.core.address import Address
from algosync.core.planning.change import Drift, Finding
from algosync.core.planning.coverage import Coverage, Gap, LeftOut
from algosync.core.redaction import Redactor
from algosync.core.resource import Json, Resource
from algosync.views import FORMATS
from algosync.views.subject import Drifted


def test_drift_tells_who_wrote_what_since_when_it_is_seen_and_what_was_left_out() -> None:
    source = Address("source", "Hello")
    details: Mapping[str, Json] = {
        "origin": {"by": "Jane <jane@example.com>", "at": "2026-01-02T03:04:05+00:00"},
        "files": [{"path": "src/Hello.py", "action": "update", "added": 12, "removed": 3}],
    }
    old, new = (Resource(source, {"commit": letter * 40}) for letter in "ab")
    finding = Finding(source, Drift.CHANGED, old, new, details=details, first_seen="2026-01-01T00:00:00+00:00", age=100_000)
    data = Address("data", "Hello", "w.pb")
    left_out = (LeftOut(Address("algorithm", "Later"), Gap.NOT_APPLIED), LeftOut(data, Gap.BUDGET, size=3_000_000))
    drifted = Drifted(
        PLAN.header, (finding,), META, coverage=Coverage((source, data), {data: 5000}, 2, left_out), notes=("a note",)
    )
    text = FORMATS["text"](drifted, Redactor())
    for line in (
        "      ~ src/Hello.py   +12 -3\n",
        "      written by Jane <jane@example.com>, at 2026-01-02T03:04:05+00:00\n",
        "      first seen 2026-01-01T00:00:00+00:00, 1 day ago\n",
        "Data: 1 file read (5.0 kB), 2 files compared by size and time.\n",
        "Not looked at, because it was never applied:\n  algorithm.Later\n",
        'left no room:\n  data.Hello["w.pb"] (3.0 MB)\n',
        "Note: a note\n",
    ):
        assert line in text, text
    fresh = FORMATS["text"](replace(drifted, findings=(replace(finding, age=0),)), Redactor())
    assert "first seen 2026-01-01T00:00:00+00:00, less than a minute ago\n" in fresh
    document = json.loads(FORMATS["json"](drifted, Redactor()))
    (row,) = document["drift"]
    assert (row["by"], row["at"], row["age_seconds"]) == ("Jane <jane@example.com>", "2026-01-02T03:04:05+00:00", 100_000)
    assert row["details"] == {"files": details["files"]}
    assert document["coverage"]["left_out"][1] == {"address": str(data), "why": "budget", "reason": None, "size": 3_000_000}
    assert document["notes"] == ["a note"]
