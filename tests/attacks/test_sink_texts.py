"""Hostile texts in every kind of output: results, progress, logs, errors, plans, drift, JSON."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from algosync.cli.live import watch
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.error import BuildFailed, Denied, Fault, TestFailed, WorkflowError
from algosync.core.event import CaseDone, Event, Note, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.planning.plan import Check, Plan, PlanHeader
from algosync.core.planning.schedule import Step, Verb
from algosync.core.report import fold
from algosync.core.resource import Resource
from algosync.core.testing.answer import Answer, CallFailure, CaseResult, Mismatch
from algosync.core.testing.case import TestCase
from algosync.kinds import KINDS
from algosync.views.error import error_lines
from algosync.views.report import closing_lines, failure_lines, outcome_lines
from algosync.views.subject import Drifted, Planned

TEXTS = {
    "esc": "\x1b[31mred",
    "clear-screen": "\x1b[2J\x1b[H",
    "own-colour": "\x1b[32mApply complete!\x1b[0m",
    "hyperlink": "\x1b]8;;http://evil\x07here\x1b]8;;\x07",
    "title": "\x1b]0;title\x1b\\",
    "bell": "a\x07",
    "backspace": "safe\b\b\b\bevil",
    "carriage-return": "evil\rsafe",
    "csi-8-bit": "\x9b2J",
    "dcs-8-bit": "\x90q\x9c",
    "delete": "a\x7f",
    "nul": "a\x00b",
    "vertical-tab": "a\x0b::b",
    "next-line": "a\x85::b",
    "line-separator": "a\u2028::b\u2029::c",
    "right-to-left": "\u202egpj.exe",
    "isolates": "\u2066a\u2069",
    "zero-width": "a\u200b\u200d\ufeffb",
    "tags": "\U000e0041\U000e007f",
    "surrogate": "\udc9b\ud800",
    "markup": "[bold red]x[/] [link=http://evil]y[/link]",
    "github-command": "::set-output name=a::b",
    "github-indented": "   ::add-mask::a",
    "github-second-line": "a\n::error file=x::b",
    "github-old": "a ##[add-mask]b",
    "azure": "a ##vso[task.setvariable variable=x]b",
    "azure-line": "\n##vso[task.complete result=Succeeded;]",
    "teamcity": "##teamcity[buildStatus status='SUCCESS']",
    "gitlab": "section_start:1:x\r\x1b[0K",
    "gitlab-end": "section_end:1:x",
    "braces": "{0} {task.fields} %s %(a)s",
    "long": "\x1b[31m::x" * 20_000,
}
_PAINT = re.compile(r"\x1b\[(?:0|(?:1|2|31|32|33|36)(?:;1)?)m")
_STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]")
_COMMANDS = re.compile(r"(?m)^\s*(?:::|section_(?:start|end):)|##(?:\[|vso\[|teamcity\[)")

HERE = Address("algorithm", "One")


def _plan(text: str) -> Plan:
    file = Address("data", "One", text)
    changes = (
        Change(
            HERE, Action.UPDATE, Resource(HERE, {"label": "a", text: 1}), Resource(HERE, {"label": text}), drifted=True, reason=text
        ),
        Change(file, Action.CREATE, None, Resource(file, {text: [text, {text: text}]}, size=3)),
        Change(
            Address("source", "One"),
            Action.CREATE,
            None,
            Resource(Address("source", "One"), {"commit": text}, notes=(text,)),
            details={"files": [{"path": text, "action": "create", "added": 1, "removed": 0}], "left_out": [text]},
        ),
    )
    checks = (Check(Address("test", "One", text), TestCase("", "1", 3), of_algorithm=False),)
    return Plan(PlanHeader(text, text, text, text), changes, checks, kinds={name: kind.TRAITS for name, kind in KINDS.items()})


def _events(text: str) -> list[Event]:
    upload = Step(Address("data", "One", text), Verb.UPLOAD)
    build, test = Step(Address("version", "One"), Verb.BUILD), Step(Address("test", "One", text), Verb.TEST)
    return [
        StepStarted(upload),
        StepDone(upload, 1.0, text),
        StepStarted(build),
        Note(build, text),
        StepFailed(build, 1.0, BuildFailed(text, log=text)),
        StepSkipped(test, build.key),
        *_failed_test(text),
    ]


def _failed_test(text: str) -> list[Event]:
    check = Check(Address("test", "One", text), TestCase("", "1", 3), of_algorithm=False)
    step = Step(check.address, Verb.TEST, check=check)
    failure = CallFailure(text, text, text)
    result = CaseResult(
        1, text, text, Answer("text", text.encode("utf-8", "replace"), 0.1, text), (Mismatch(text, text, text, text, text),)
    )
    error = TestFailed(text)
    error.called, error.calls, error.failed = text, 2, 2
    error.failures = (result, replace(result, number=2, answer=Answer("", b"", failure=failure)))
    return [StepStarted(step), *(CaseDone(step, each) for each in error.failures), StepFailed(step, 1.0, error)]


def _apply(text: str, terminal: Terminal) -> None:
    report = fold(watch(_events(text), terminal), lambda: True)
    terminal.result_lines((*outcome_lines(report, _plan(text)), *closing_lines(report, _plan(text))))
    terminal.tell_lines(failure_lines(report, terminal.redact))


def _errors(text: str, terminal: Terminal) -> None:
    terminal.tell_lines(error_lines(Denied(text, status=403, request_id=text, hint=text)))
    terminal.tell_lines(error_lines(TestFailed(text, error_type=text, trace=text)))
    terminal.tell_lines(error_lines(WorkflowError(text, (Fault(1, 1, text, text, text, text),))))


def _drift(text: str, terminal: Terminal) -> None:
    gone = Resource(HERE, {text: text})
    findings = (Finding(HERE, Drift.CHANGED, Resource(HERE, {"a": 1}), gone), Finding(HERE, Drift.UNKNOWN, reason=text))
    terminal.show(Drifted(_plan(text).header, findings, {}), "text")


def _planned(text: str, terminal: Terminal) -> None:
    terminal.show(Planned(_plan(text), {}), "text")


def _bare(text: str, terminal: Terminal) -> None:
    """A view that does not escape the text."""
    terminal.result(text)
    terminal.tell(f"Traceback:\n{text}")


WAYS: dict[str, Callable[[str, Terminal], None]] = {
    "plan": _planned,
    "apply": _apply,
    "errors": _errors,
    "drift": _drift,
    "forgotten": _bare,
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("coloured", [True, False], ids=["coloured", "plain"])
def test_no_output_contains_control_sequences(way: str, text: str, coloured: bool) -> None:
    stream = io.StringIO()
    WAYS[way](TEXTS[text], Terminal(stream, stream, (coloured, coloured), live=False))
    shown = stream.getvalue()
    assert shown
    assert _STEERS.findall(_PAINT.sub("", shown) if coloured else shown) == []
    assert _COMMANDS.findall(_PAINT.sub("", shown)) == []


@pytest.mark.parametrize("text", TEXTS)
def test_json_is_ascii_with_the_same_content(text: str) -> None:
    stream = io.StringIO()
    terminal = Terminal(stream, stream, (True, True), live=False)
    told = TEXTS[text]
    terminal.show(Planned(_plan(told), {"timestamp": told}), "json")
    shown = stream.getvalue()
    assert shown.isascii()
    assert _STEERS.findall(shown) == []
    assert _COMMANDS.findall(shown) == []
    read = json.loads(shown)
    assert read["meta"]["timestamp"] == told
    assert read["resource_changes"][0]["change"]["after"]["attributes"] == {"label": told}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_json_contains_only_finite_numbers(number: float) -> None:
    stream = io.StringIO()
    Terminal(stream, stream, (False, False), live=False).document({"a": [number, 1.5]})
    assert json.loads(stream.getvalue(), parse_constant=pytest.fail) == {"a": [str(number), 1.5]}


def test_harmless_text_is_unchanged() -> None:
    stream = io.StringIO()
    text_shown = "  a::b  # 漢字 «quoted» [1] c:\\x  ## heading  IPv6 ::1"
    Terminal(stream, stream, (False, False), live=False).result(text_shown)
    assert stream.getvalue() == text_shown + "\n"
