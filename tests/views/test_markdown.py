"""The format `markdown`, read back by a CommonMark parser with GitHub's extensions."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from samples import HELLO, HOSTILE, META, PLAN, SUBJECTS, run_of, subjects_with

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Fault, WorkflowError
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.redaction import Redactor
from algosync.core.resource import Resource
from algosync.views import FORMATS
from algosync.views.formats.markdown import LIMIT
from algosync.views.subject import Drifted, DriftedAll, Failed, Planned, Subject

HARMLESS_TAGS = {"details", "summary", "code", "h3", "h4", "p", "strong", "em", "ul", "li", "pre"}


def markdown(subject: Subject) -> str:
    return FORMATS["markdown"](subject, Redactor())


def tokens(text: str) -> list[Token]:
    flat = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        flat += [token, *(token.children or [])]
    return flat


class Tags(HTMLParser):
    """All tags of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.depth = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))
        self.depth += tag == "details"

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "details"


def rendered(text: str) -> Tags:
    return Tags(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))


@pytest.mark.parametrize("which", SUBJECTS)
def test_it_is_rendered_as_meant(which: str) -> None:
    page = rendered(markdown(SUBJECTS[which]))
    assert {tag for tag, _ in page.found} <= HARMLESS_TAGS
    assert page.depth == 0, "every <details> is closed"


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_change_no_structure(hostile: str) -> None:
    for which, subject in subjects_with(hostile).items():
        plain = [(token.type, token.tag, token.nesting) for token in tokens(markdown(subjects_with("x")[which]))]
        assert [(token.type, token.tag, token.nesting) for token in tokens(markdown(subject))] == plain
        page = rendered(markdown(subject))
        assert {tag for tag, _ in page.found} <= HARMLESS_TAGS
        assert {name for _, attributes in page.found for name, _ in attributes} <= {"class"}


@pytest.mark.parametrize("hostile", [*HOSTILE, "@team #1 www.x.com https://x.com a@b.c :smile:", "```\n<!-- ", "</details></code>"])
def test_texts_of_others_are_only_in_code(hostile: str) -> None:
    """GitHub makes mentions, links and pictures of text outside of code."""
    for subject in subjects_with(f"{hostile} zebra").values():
        for token in tokens(markdown(subject)):
            if token.type == "text":
                assert "zebra" not in token.content
            if token.type == "html_block":
                assert "zebra" not in token.content or token.content.startswith("<details>\n<summary><code>")


def test_symbols_stand_in_column_0_of_a_diff() -> None:
    blocks = [token for token in tokens(markdown(SUBJECTS["plan"])) if token.type == "fence"]
    (changes,) = [token for token in blocks if "data.Hello" in token.content]
    assert changes.info == "diff"
    assert changes.content.splitlines()[:3] == [
        "! algorithm.Hello will be updated in-place",
        '!     environment = "Python 3.7" -> "Python 3.9"',
        '! data.Hello["w.pb"] will be updated in-place',
    ]
    assert "+     logo.png             binary" in changes.content


@pytest.mark.parametrize("length", [1, 20, 300])
def test_2000_changes_fit_and_what_was_left_out_is_said(length: int) -> None:
    addresses = [Address("data", "Hello", f"{number:05d}{'`<é' * length}") for number in range(2000)]
    changes = tuple(Change(a, Action.CREATE, None, Resource(a, {"label": "l" * 300})) for a in addresses)
    text = markdown(Planned(replace(PLAN, changes=changes), META))
    assert 30_000 < len(text) <= LIMIT
    shown = text.count("will be created")
    assert 0 < shown < 2000
    assert f"{2000 - shown:,} entries left out: there is no room." in text
    assert rendered(text).depth == 0


def test_many_findings_and_failures_fit() -> None:
    findings = tuple(Finding(Address("data", "Hello", f"{n}"), Drift.UNKNOWN, reason="r" * 2000) for n in range(5000))
    for subject in (Drifted(PLAN.header, findings, META), run_of("`" * 300, calls=400)):
        text = markdown(subject)
        assert len(text) <= LIMIT
        assert rendered(text).depth == 0


def test_a_gate_is_told_with_its_metric_and_line() -> None:
    assert "`accuracy 0.95 (95%: 0.94 to 0.96, 1,200 cases), published 0.93`, at least 0.9" in markdown(SUBJECTS["run"])


def test_an_error_and_a_test_that_failed_are_told() -> None:
    error = markdown(Failed(AlgosyncError("boom *x* <b>", hint="look"), {**META, "command": "apply", "exit_code": 1}))
    assert "`Error: boom *x* <b>`" in error
    assert error.count("boom") == 2, "in the head, and once with everything that is known"
    assert "ended with an error\n```" not in error
    run = markdown(SUBJECTS["run"])
    assert "#### 2 failures" in run
    assert "$.w.pb: expected w.pb, got w.pb (w.pb)  [equals]" in run
    assert "- Exit code: `4`" in run


def test_a_page_without_changes_is_short() -> None:
    assert len(markdown(Planned(replace(PLAN, changes=(), checks=()), META))) < 1000
    assert HELLO.algorithm not in markdown(Drifted(PLAN.header, (), META))


@pytest.mark.parametrize(("workflows", "findings"), [(300, 3), (3, 2000), (2000, 0)])
def test_several_workflows_fit_and_what_was_left_out_is_said(workflows: int, findings: int) -> None:
    found = tuple(Finding(Address("data", "Hello", f"{n}"), Drift.CHANGED, reason="r" * 300) for n in range(findings))
    parts = [Drifted(replace(PLAN.header, workflow=f"w{n} (w{n}.yaml)"), found, META) for n in range(workflows)]
    broken = Failed(AlgosyncError("the worst"), {**META, "workflow": "broken (b.yaml)", "exit_code": 1})
    text = markdown(DriftedAll("https://api.b.com", (*parts, broken), {**META, "exit_code": 1}))
    assert len(text) <= LIMIT
    assert rendered(text).depth == 0
    listed = text.count("- ❌ `w") + text.count("- ✅ `w")
    assert f"{workflows - listed:,} workflows left out: there is no room." in text or listed == workflows
    assert text.index("broken (b.yaml)") < text.index("`w"), "the worst first"
    if findings:
        shown = text.count("<details>")
        assert shown > 0
        assert shown == workflows or f"{workflows - shown:,} workflows' findings left out: there is no room." in text
        assert (findings == 3) or "entries left out: there is no room." in text


def test_a_file_with_many_faults_leaves_room_for_the_other_workflows() -> None:
    faults = tuple(Fault(line, 1, "a", "type", "wrong " * 20) for line in range(1, 2000))
    broken = Failed(WorkflowError("b.yaml", faults), {**META, "workflow": "broken (b.yaml)", "exit_code": 1})
    clean = Drifted(replace(PLAN.header, workflow="clean (c.yaml)"), (), META)
    text = markdown(DriftedAll("https://api.b.com", (broken, clean), {**META, "exit_code": 1}))
    assert "- ❌ `broken (b.yaml)`: could not be examined" in text
    assert re.search("  - and [0-9,]+ other lines\n- ✅ `clean", text)
    assert "left out: there is no room" not in text
