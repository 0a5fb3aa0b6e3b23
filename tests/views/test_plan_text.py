"""The plan's text, to the letter: cli.md's wording, every symbol, and nothing in it that could steer a terminal."""

import io

from algosync.core.address import Address
from algosync.core.change import Action, Change, Drift, Finding
from algosync.core.error import BuildFailed, Denied, Fault, Several, SourceError, TestFailed, WorkflowError
from algosync.core.plan import Check, Header, Plan
from algosync.core.resource import Resource
from algosync.kinds import KINDS
from algosync.views.drift import show_drift
from algosync.views.error import show_error
from algosync.views.plan import show_header, show_plan
from algosync.views.terminal import Terminal


def shown(*, colour: bool = False) -> tuple[Terminal, io.StringIO]:
    stream = io.StringIO()
    return Terminal(stream, stream, (colour, colour), live=False), stream


TRAITS = {name: kind.TRAITS for name, kind in KINDS.items()}
HELLO, WEIGHTS = Address("algorithm", "Hello"), Address("data", "Hello", "w.pb")
BEFORE = {"environment": "Python 3.7", "label": "Hello", "pipeline_enabled": True}
CHANGES = (
    Change(HELLO, Action.UPDATE, Resource(HELLO, BEFORE), Resource(HELLO, {**BEFORE, "environment": "Python 3.9"}), drifted=True),
    Change(
        WEIGHTS,
        Action.UPDATE,
        Resource(WEIGHTS, stamp="x", digest="9f2c" + "0" * 60, size=210_400_000),
        Resource(WEIGHTS, stamp="y", size=212_000_000),
    ),
    Change(Address("data", "Hello", "old.pb"), Action.NONE, None, Resource(Address("data", "Hello", "old.pb"), size=5_000)),
    Change(
        Address("source", "Hello"),
        Action.UPDATE,
        Resource(Address("source", "Hello"), {"commit": "a"}),
        Resource(Address("source", "Hello"), {"paths": ["src/Hello.py"]}),
        details={
            "files": [
                {"path": "logo.png", "action": "create", "added": None, "removed": None},
                {"path": "src/Hello.py", "action": "update", "added": 12, "removed": 3},
                {"path": "src/\x1b[31mold.py", "action": "delete", "added": 0, "removed": 7},
            ]
        },
    ),
    Change(
        Address("version", "Hello"),
        Action.UPDATE,
        Resource(Address("version", "Hello"), {"callability": "private", "version": "0.1.0", "commit": "a"}),
        Resource(Address("version", "Hello"), {"callability": "public"}),
        details={"publish": "minor"},
    ),
    Change(Address("algorithm", "There"), Action.ADOPT, None, Resource(Address("algorithm", "There"))),
    Change(Address("algorithm", "Gone"), Action.FORGET, None, None),
)
CHECKS = (
    Check(Address("test", "Hello"), "1", 300, payload_of_algorithm=True),
    Check(Address("test", "Hello", "t"), "1", 300, payload_of_algorithm=False),
)
PLAN = Plan(
    Header("release (workflows/release.yaml)", "https://api.a.com", "https://api.b.com", "jane"), CHANGES, CHECKS, kinds=TRAITS
)
TEXT = """\
Workflow:    release (workflows/release.yaml)
Source:      https://api.a.com
Destination: https://api.b.com
Owner:       jane

Note: Objects have changed outside of algosync

  # algorithm.Hello has changed

Actions are indicated with the following symbols:
  ~ update in-place
  = adopt: it is there already, and is recorded
  . forget: it is left as it is, and is no longer recorded

algosync will perform the following actions:

  # algorithm.Hello will be updated in-place
  ~ algorithm.Hello
      ~ environment = "Python 3.7" -> "Python 3.9"

  # data.Hello["w.pb"] will be updated in-place
  ~ data.Hello["w.pb"]
      ~ sha256 = "9f2c00000000…" -> (known after apply)
      ~ size   = 210.4 MB -> 212.0 MB

  # source.Hello will be updated in-place
  ~ source.Hello
      + logo.png             binary
      ~ src/Hello.py         +12 -3
      - src/\\x1b[31mold.py   -7

  # version.Hello will be updated in-place
  ~ version.Hello
      ~ version     = "0.1.0" -> (known after apply, minor)
      ~ callability = "private" -> "public"

  # algorithm.There is there already as the workflow wants it
  = algorithm.There

  # algorithm.Gone is no longer in the workflow; it stays at the destination
  . algorithm.Gone

Plan: 0 to add, 4 to change, 0 to destroy, 1 to adopt, 1 to forget.
Data: 1 file, 212.0 MB to upload (5.0 kB already there).
Note: data.Hello["w.pb"] is live as soon as it is uploaded, before the test.
Tests: 1 algorithm payload, 1 workflow test.
"""


def test_the_whole_text() -> None:
    terminal, stream = shown()
    show_header(PLAN.header, terminal)
    show_plan(PLAN, terminal)
    assert stream.getvalue() == TEXT


def test_colour_adds_nothing_but_colour() -> None:
    import re

    plain, stream = shown()
    show_plan(PLAN, plain)
    coloured, colours = shown(colour=True)
    show_plan(PLAN, coloured)
    assert re.sub(r"\x1b\[[0-9;]+m", "", colours.getvalue()) == stream.getvalue()
    assert "\x1b[33m~\x1b[0m" in colours.getvalue()


def test_what_is_hidden_is_never_written() -> None:
    terminal, stream = shown()
    terminal.hide("w.pb")
    show_plan(PLAN, terminal)
    assert "w.pb" not in stream.getvalue()
    assert 'data.Hello["***"]' in stream.getvalue()


def test_errors_say_what_where_and_what_next() -> None:
    fault = Fault(12, 7, "algorithms[2].language", "unknown-key", "no such key \x1b[2J", "did you mean `language`?", 3)
    terminal, stream = shown()
    show_error(WorkflowError("w.yaml", (fault,)), terminal)
    show_error(Denied("GET /x: 403 no", status=403, request_id="req-1", hint="look at DESTINATION_API_KEY"), terminal)
    show_error(BuildFailed("it failed", log="one\n\x1b[31mtwo"), terminal)
    show_error(TestFailed("boom", error_type="AlgorithmError", trace="Traceback\n  line"), terminal)
    show_error(Several((SourceError("a"), SourceError("b"))), terminal)
    assert stream.getvalue() == (
        "Error: no such key \\x1b[2J\n"
        "  w.yaml:12:7 (template line 3)  algorithms[2].language  [unknown-key]\n"
        "  did you mean `language`?\n"
        "w.yaml has 1 fault.\n"
        "Error: GET /x: 403 no\n  request id req-1\n  look at DESTINATION_API_KEY\n"
        "Error: it failed\n  │ one\n  │ \\x1b[31mtwo\n"
        "Error: boom\n  (AlgorithmError)\n  │ Traceback\n  │   line\n"
        "Error: a\nError: b\n"
    )


def test_drift_as_text() -> None:
    findings = (
        Finding(HELLO, Drift.CHANGED, Resource(HELLO, BEFORE), Resource(HELLO, {**BEFORE, "label": "Hi"})),
        Finding(WEIGHTS, Drift.MISSING, Resource(WEIGHTS, size=3)),
        Finding(Address("data", "Hello", "theirs"), Drift.UNMANAGED, None, Resource(WEIGHTS, size=3)),
        Finding(Address("source", "Hello"), Drift.UNKNOWN, reason="403 \x07"),
    )
    terminal, stream = shown()
    show_drift(findings, terminal)
    assert stream.getvalue() == (
        "  ~ algorithm.Hello has changed outside of algosync\n"
        '      ~ label = "Hello" -> "Hi"\n'
        '  - data.Hello["w.pb"] is missing\n'
        '  ? data.Hello["theirs"] is not managed by this workflow\n'
        "  ! source.Hello could not be looked at\n"
        "      403 \\x07\n"
        "\n"
        "Drift: 1 changed, 1 missing, 1 unmanaged, 1 unknown.\n"
    )
    terminal, stream = shown()
    show_drift((findings[2],), terminal)
    assert stream.getvalue().endswith("\nNo drift. The destination is as it was left.\n")
