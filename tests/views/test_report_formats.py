"""Formats: what each of `FORMATS` promises, the JSON document, and how another format is added."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable

import pytest
from samples import HELLO, HOSTILE, META, PLAN, SUBJECTS, TEXT, subjects_with

from algosync.cli.report_output import report_places
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.planning.plan import Check, Plan, masked
from algosync.core.planning.schedule import Verb
from algosync.core.redaction import Redactor
from algosync.core.resource import Resource
from algosync.core.testing.case import Baseline, CaseFile, Expectation, Limit, Load, TestCase
from algosync.core.text import PAINT, printable
from algosync.views import COLOURED, FORMATS
from algosync.views.drift import heading_of
from algosync.views.plan import ACTIONS
from algosync.views.progress import VERBS
from algosync.views.subject import Applied, Compared, Drifted, DriftedAll, Failed, Planned, Recorded, Subject, View


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> Subject:
    return SUBJECTS[request.param]


NUMBERS = {"gitlab", "prometheus"}
"""These have only numbers, and the name of the workflow at most."""


@pytest.fixture(params=sorted(FORMATS.keys() - NUMBERS))
def name(request: pytest.FixtureRequest) -> str:
    found = request.param
    assert isinstance(found, str)
    return found


@pytest.fixture
def view(name: str) -> View:
    return FORMATS[name]


# What every format promises.


def test_a_view_returns_one_text_that_ends_with_a_line_break(view: View, subject: Subject) -> None:
    text = view(subject, Redactor())
    assert text.endswith("\n")
    assert "Hello" in text
    assert view(subject, Redactor()) == text


def test_a_view_hides_what_the_redactor_knows(view: View, subject: Subject) -> None:
    redactor = Redactor()
    assert "Python 3.7" in view(SUBJECTS["plan"], redactor)
    assert "w.pb" in view(subject, redactor)
    for secret in ("Python 3.7", "w.pb"):
        redactor.hide(secret)
        assert secret not in view(subject, redactor)
    assert "***" in view(subject, redactor)


@pytest.mark.parametrize("length", range(150, 215, 4))
def test_a_secret_is_hidden_before_a_text_is_cut(view: View, length: int) -> None:
    redactor = Redactor()
    redactor.hide("s3cret-of-some-length")
    for subject in subjects_with("y" * length + "s3cret-of-some-length").values():
        text = view(subject, redactor)
        assert "yyy" in text
        assert "s3c" not in text


@pytest.mark.parametrize("which", SUBJECTS)
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_steers_a_terminal_or_adds_a_line(name: str, which: str, hostile: str) -> None:
    """A view has paint only if its format is in `COLOURED`, and then no more of it than with a harmless text."""
    harmless, text = (FORMATS[name](subjects_with(given)[which], Redactor()) for given in ("x", hostile))
    lines = (PAINT.sub("", text) if name in COLOURED else text).removesuffix("\n").split("\n")
    assert lines == [printable(line) for line in lines]
    assert len(lines) == len(harmless.removesuffix("\n").split("\n"))
    assert PAINT.findall(text) == PAINT.findall(harmless)


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_a_command_to_a_ci_system(name: str, hostile: str) -> None:
    for subject in subjects_with(hostile).values():
        text = terminal().formatted(subject, name, coloured=False)
        assert re.search(r"^\s*::|##\[|section_start:", text, re.MULTILINE) is None
        if name == "json":
            json.loads(text)


def test_only_known_formats_are_coloured() -> None:
    assert FORMATS.keys() >= COLOURED


# Tables have an entry for every member of their enum.


def test_tables_are_complete() -> None:
    assert set(ACTIONS) == {action for action in Action if action.visible}
    assert all(all(heading_of(Finding(HELLO, drift))) for drift in Drift)
    assert set(VERBS) == set(Verb)


# The format `json`.


def test_a_plan_as_a_document() -> None:
    document = json.loads(FORMATS["json"](SUBJECTS["plan"], Redactor()))
    assert list(document) == [
        "format_version",
        "meta",
        "source",
        "destination",
        "owner",
        "targets",
        "mode",
        "excluded",
        "refusals",
        "counts",
        "resource_changes",
        "resource_drift",
        "notes",
        "checks",
    ]
    assert document["meta"] == META
    assert (document["source"], document["destination"], document["owner"]) == ("https://api.a.com", "https://api.b.com", "jane")
    weights = document["resource_changes"][1]
    assert weights == {
        "address": 'data.Hello["w.pb"]',
        "kind": "data",
        "algorithm": "Hello",
        "name": "w.pb",
        "change": {
            "actions": ["update"],
            "before": {"attributes": {}, "digest": "9f2c" + "0" * 60, "size": 210_400_000},
            "after": {"attributes": {}, "digest": None, "size": 212_000_000},
            "after_unknown": {"digest": True},
        },
        "drifted": False,
        "reason": None,
        "details": {},
    }
    assert [change["address"] for change in document["resource_drift"]] == ["algorithm.Hello"]
    assert document["checks"][1] == {
        "address": 'test.Hello["t"]',
        "payload_sha256": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
        "cases": None,
        "expects": [],
        "load": None,
        "timeout": 300,
        "on": "published",
        "failing_since": "2026-01-02T03:04:05+00:00",
    }


def test_drift_in_a_plan_is_what_somebody_else_changed_and_not_what_is_planned() -> None:
    recorded, now, wanted = (Resource(HELLO, {"label": label}, digest=label) for label in ("ours", "theirs", "wanted"))
    changed = Change(HELLO, Action.UPDATE, now, wanted, drifted=True, recorded=recorded)
    gone = Change(HELLO, Action.CREATE, None, wanted, drifted=True, recorded=recorded)
    planned = Planned(Plan(PLAN.header, (changed, gone), ()), {})
    first, second = json.loads(FORMATS["json"](planned, Redactor()))["resource_drift"]
    ours, theirs = ({"attributes": {"label": label}, "digest": label} for label in ("ours", "theirs"))
    assert (first["address"], first["change"]) == ("algorithm.Hello", {"actions": ["update"], "before": ours, "after": theirs})
    assert second["change"] == {"actions": ["delete"], "before": ours, "after": None}
    assert '      ~ label = "ours" -> "theirs"' in PAINT.sub("", FORMATS["text"](planned, Redactor()))


def test_a_refresh_is_shown_as_no_change() -> None:
    change = Change(HELLO, Action.REFRESH, Resource(HELLO, digest="a"), Resource(HELLO, digest="a"))
    document = json.loads(FORMATS["json"](Planned(Plan(PLAN.header, (change,), ()), {}), Redactor()))
    assert document["resource_changes"][0]["change"]["actions"] == ["no-op"]
    assert document["resource_changes"][0]["change"]["after_unknown"] == {}


def test_drift_lists_what_the_workflow_manages() -> None:
    managed = (HELLO, Address("data", "Hello", "a"), Address("data", "Hello", "b"))
    drifted = Drifted(PLAN.header, (), {}, managed)
    assert json.loads(FORMATS["json"](drifted, Redactor()))["managed"] == list(map(str, managed))
    assert "Compared with what was last applied:\n  Hello: algorithm, 2 data\n\n" in FORMATS["text"](drifted, Redactor())


def test_drift_lists_what_a_sensitive_value_keeps_from_being_compared() -> None:
    drifted = Drifted(PLAN.header, (), {}, (HELLO,), {HELLO: ("label", "summary")})
    document = json.loads(FORMATS["json"](drifted, Redactor()))
    assert document["not_compared"] == [{"address": "algorithm.Hello", "attributes": ["label", "summary"]}]
    sentence = "Not compared, because they contain a sensitive value, which is not recorded:\n  algorithm.Hello: label, summary\n\n"
    assert sentence in FORMATS["text"](drifted, Redactor())
    assert "Not compared" not in FORMATS["text"](SUBJECTS["drift"], Redactor())


def test_drift_as_a_document() -> None:
    document = json.loads(FORMATS["json"](SUBJECTS["drift"], Redactor()))
    assert [(row["address"], row["drift"]) for row in document["drift"]] == [
        ("algorithm.Hello", "changed"),
        ('data.Hello["w.pb"]', "missing"),
        ('data.Hello["theirs"]', "unmanaged"),
        ("source.Hello", "unknown"),
        ('test.Hello["t"]', "failing"),
    ]
    assert document["drift"][3] == {
        "address": "source.Hello",
        "drift": "unknown",
        "before": None,
        "after": None,
        "reason": "403 \x07",
        "since": None,
        "by": None,
        "at": None,
        "details": {},
        "first_seen": None,
        "age_seconds": None,
    }
    assert document["drift"][4]["since"] == "2026-01-02T03:04:05+00:00"


def test_numbers_stay_numbers_whatever_is_hidden() -> None:
    redactor = Redactor()
    redactor.hide("212000000")
    document = json.loads(FORMATS["json"](SUBJECTS["plan"], redactor))
    assert document["resource_changes"][1]["change"]["after"]["size"] == 212_000_000


# One more format: a module with a view, and a line.


def shout(subject: Subject, redactor: Redactor) -> str:
    match subject:
        case Planned(plan=plan):
            return redactor.redact(f"{len(plan.visible)} CHANGES BY {plan.header.owner}!") + "\n"
        case Drifted(findings=findings):
            return f"{len(findings)} FINDINGS!\n"
        case DriftedAll(parts=parts):
            return f"{len(parts)} WORKFLOWS!\n"
        case Recorded(records=records):
            return f"{len(records)} RECORDS!\n"
        case Applied(report=report):
            return f"{len(report.done)} STEPS!\n"
        case Failed():
            return "NOTHING!\n"
        case Compared(comparison=comparison):
            return f"{len(comparison.tests)} TESTS!\n"


def test_a_command_writes_a_format_that_was_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "shout", shout)
    assert report_places(["shout:file"])["file"] == "shout"
    assert shown("shout", lambda terminal: terminal.hide("jane")) == ("6 CHANGES BY ***!\n", "")


def test_a_command_writes_a_format_to_the_stream_of_results() -> None:
    assert shown("text") == (TEXT, "")


def test_colours_are_only_written_to_a_stream_that_has_them() -> None:
    out = io.StringIO()
    Terminal(out, io.StringIO(), (True, False), live=False).show(SUBJECTS["plan"], "text")
    assert out.getvalue() != TEXT
    assert PAINT.sub("", out.getvalue()) == TEXT


def test_control_characters_that_a_view_let_through_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "rude", lambda _, __: "\x1b[2J::stop-commands::x\n")
    assert shown("rude") == ("\\x1b[2J::stop-commands::x\n", "")


def shown(name: str, prepare: Callable[[Terminal], None] = lambda _: None) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    used = terminal(out, err)
    prepare(used)
    used.show(SUBJECTS["plan"], name)
    return out.getvalue(), err.getvalue()


def changed_words(before: object, after: object) -> list[object]:
    """The texts that differ between two documents of the same shape."""
    if isinstance(before, dict) and isinstance(after, dict):
        assert list(before) == list(after)
        return [text for name in before for text in changed_words(before[name], after[name])]
    if isinstance(before, list) and isinstance(after, list):
        return [text for pair in zip(before, after, strict=True) for text in changed_words(*pair)]
    return [] if before == after else [before]


def terminal(out: io.StringIO | None = None, err: io.StringIO | None = None) -> Terminal:
    return Terminal(out or io.StringIO(), err or io.StringIO(), (False, False), live=False)


# For each word of a document or a text, a secret that is equal to it.
WORDS = [
    "format_version",
    "resource_changes",
    "attributes",
    "change",
    "actions",
    "create",
    "update",
    "adopt",
    "digest",
    "algorithm",
    "source",
    "data",
    "version",
    "published",
    "candidate",
    "payload_sha256",
    "timestamp",
    "2026-01-02T03:04:05+00:00",
    "changed",
    "missing",
    "unmanaged",
    "unknown",
    "failing",
    "drift",
    "address",
    "Workflow",
    "Destination",
    "Plan:",
    "symbols",
    "following",
    "created",
    "in-place",
    "already",
    "upload",
    "drifted",
    "outside",
]


@pytest.mark.parametrize("secret", WORDS)
def test_the_words_of_a_report_stay_whatever_the_secret_is(secret: str, subject: Subject) -> None:
    redactor = Redactor()
    redactor.hide(secret)
    for form in FORMATS:
        if form == "text" and isinstance(subject, Applied):
            continue  # its lines are those of a running command, where the terminal hides secrets
        plain, redacted = FORMATS[form](subject, Redactor()), FORMATS[form](subject, redactor)
        if form == "json":
            assert changed_words(json.loads(plain), json.loads(redacted)) == []
        else:
            assert redacted == plain


def test_a_guessable_digest_is_not_shown() -> None:
    redactor = Redactor()
    redactor.hide("1234")
    change = Change(HELLO, Action.CREATE, None, Resource(HELLO, {"summary": "PIN1234"}, digest="d" * 64))
    check = Check(Address("test", "Hello"), TestCase("", '{"pin":"x1234"}', 300), of_algorithm=True)
    document = json.loads(FORMATS["json"](Planned(Plan(PLAN.header, (change,), (check,)), {}), redactor))
    assert document["resource_changes"][0]["change"]["after"]["digest"] is None
    assert document["checks"][0]["payload_sha256"] is None


def test_a_plan_tells_what_its_tests_expect_without_the_values() -> None:
    expect = Expectation(
        equals='"s3cret"',
        match=(("$.a", "1"), ("$.b", "2")),
        baseline=Baseline("tests/a.json"),
        error="s3cret",
        not_printed=("s3cret",),
        max_seconds=1.5,
    )
    load = Load(repeat=50, concurrency=4, limits=(Limit("p95", 0.5),))
    loaded = Check(Address("test", "Hello", "load"), TestCase("load", "1", expect=expect, load=load), of_algorithm=False)
    file = TestCase("c", cases=CaseFile("c.jsonl", "0" * 64, 10_000))
    plan = Plan(PLAN.header, (), (loaded, Check(Address("test", "Hello", "c"), file, of_algorithm=False)))
    text = FORMATS["json"](Planned(plan, {}), Redactor())
    one, many = json.loads(text)["checks"]
    assert one["expects"] == [
        "an answer equal to the given one",
        "an answer that matches at 2 paths",
        "the accepted answer in tests/a.json",
        "an error that matches a pattern",
        "no printed text that matches 1 pattern",
        "an answer within 1.5 s",
    ]
    assert one["load"] == {"repeat": 50, "concurrency": 4, "warmup": 0, "limits": [{"measure": "p95", "most": 0.5}]}
    assert (many["cases"], many["payload_sha256"], many["load"]) == ({"file": "c.jsonl", "count": 10_000}, None, None)
    assert "s3cret" not in text
    assert "Tests: 0 algorithm payloads, 2 workflow tests, 10,000 cases.\n" in FORMATS["text"](Planned(plan, {}), Redactor())


def test_only_a_changed_sensitive_attribute_is_shown_as_changed() -> None:
    redactor = Redactor()
    redactor.hide("s3cret-summary")

    def text(before: str) -> str:
        old, new = Resource(HELLO, {"summary": before, "label": "a"}), Resource(HELLO, {"summary": "s3cret-summary", "label": "b"})
        change = Change(HELLO, Action.UPDATE, old, new)
        plan = masked(Plan(PLAN.header, (change,), ()), lambda value: redactor.redacted(value) != value)
        return FORMATS["text"](Planned(plan, {}), redactor)

    assert "summary" not in text("s3cret-summary")
    assert 'summary = "***" -> "***"' in text("an older secret")
    assert 'label = "a" -> "b"' in text("s3cret-summary")
