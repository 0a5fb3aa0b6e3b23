"""The text of plans, drift and errors, to the letter: every symbol, and nothing in it that could steer a terminal."""

from collections.abc import Iterable
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.change import Action, Change, Drift, Finding
from algosync.core.error import AlgosyncError, BuildFailed, Denied, Fault, Several, SourceError, TestFailed, WorkflowError
from algosync.core.plan import Check, Plan, PlanHeader
from algosync.core.redaction import Redactor
from algosync.core.resource import Json, Resource
from algosync.core.text import PAINT
from algosync.kinds import KINDS
from algosync.views import FORMATS
from algosync.views.drift import drift_lines
from algosync.views.error import error_lines
from algosync.views.plan import plan_lines
from algosync.views.subject import Drifted, Planned


def plain(lines: Iterable[str]) -> str:
    return PAINT.sub("", "".join(f"{line}\n" for line in lines))


TRAITS = {name: kind.TRAITS for name, kind in KINDS.items()}
HELLO, WEIGHTS = Address("algorithm", "Hello"), Address("data", "Hello", "w.pb")
BEFORE: dict[str, Json] = {"environment": "Python 3.7", "label": "Hello", "pipeline_enabled": True}
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
HEADER = PlanHeader("release (workflows/release.yaml)", "https://api.a.com", "https://api.b.com", "jane")
PLAN = Plan(HEADER, CHANGES, CHECKS, kinds=TRAITS)
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
    assert PAINT.sub("", FORMATS["text"](Planned(PLAN, {}), Redactor())) == TEXT


def test_symbols_are_painted() -> None:
    assert "  \x1b[33m~\x1b[0m algorithm.Hello" in list(plan_lines(PLAN, lambda text: text))


def test_a_plan_that_changes_nothing_says_so() -> None:
    assert plain(plan_lines(replace(PLAN, changes=(), checks=()), str)) == "No changes. Your destination matches the workflow.\n"


def test_a_plan_of_targets_says_what_was_looked_at() -> None:
    text = plain(plan_lines(replace(PLAN, changes=(), checks=(), targets=("B", "source.*")), str))
    assert text == (
        "No changes. The targets match the workflow.\n"
        "Note: Only the targets and what they depend on were looked at: B, source.*. The rest may differ.\n"
    )


def test_a_plan_that_only_tests_says_so() -> None:
    text = plain(plan_lines(replace(PLAN, changes=(), compared=False), str))
    assert text == "Nothing is compared: the workflow says run_only.\nTests: 1 algorithm payload, 1 workflow test.\n"


def test_what_was_removed_and_what_is_published_untested() -> None:
    version = Address("version", "New")
    changes = (
        Change(HELLO, Action.CREATE, None, Resource(HELLO, {"label": "Hello"}), drifted=True),
        Change(version, Action.CREATE, None, Resource(version), details={"publish": "minor"}),
        Change(Address("source", "New"), Action.CREATE, None, Resource(version), details={"files": []}),
    )
    lines = plain(plan_lines(replace(PLAN, changes=changes, checks=()), str)).splitlines()
    assert "  # algorithm.Hello was removed" in lines
    assert '      + label = "Hello"' in lines
    assert "      + version = (known after apply, minor)" in lines
    assert "      (an empty commit)" in lines
    assert lines[-1] == "Note: version.New is published untested: its algorithm has no test_payload."


def test_a_value_that_goes_away_and_one_that_is_long() -> None:
    before, after = (
        Resource(HELLO, {"tags": {"a": 1, "b": 2}, "label": "x"}),
        Resource(HELLO, {"tags": {"a": 1}, "label": "y" * 300}),
    )
    change = Change(HELLO, Action.UPDATE, before, after)
    lines = plain(plan_lines(replace(PLAN, changes=(change,), checks=()), str)).splitlines()
    assert "      - tags.b = 2" in lines
    assert f'      ~ label  = "x" -> "{"y" * 198}…' in lines


def test_a_secret_is_hidden_before_its_value_is_cut() -> None:
    redactor = Redactor()
    redactor.hide("s3cret-of-some-length")
    after = Resource(HELLO, {"label": "y" * 190 + "s3cret-of-some-length"})
    plan = replace(PLAN, changes=(Change(HELLO, Action.CREATE, None, after),), checks=())
    text = FORMATS["text"](Planned(plan, {}), redactor)
    assert "s3cret" not in text
    assert "y***" in text


MEND = "  the same code fails again: mend the algorithm, its data or the payload\n"


def test_errors_say_what_where_and_what_next() -> None:
    fault = Fault(12, 7, "algorithms[2].language", "unknown-key", "no such key \x1b[2J", "did you mean `language`?", 3)
    errors: list[AlgosyncError] = [
        WorkflowError("w.yaml", (fault,)),
        Denied("GET /x: 403 no", status=403, request_id="req-1", hint="look at DESTINATION_API_KEY"),
        BuildFailed("it failed", log="one\n\x1b[31mtwo"),
        TestFailed("boom", error_type="AlgorithmError", trace="Traceback\n  line"),
        TestFailed("no"),
        Several((SourceError("a"), SourceError("b"))),
    ]
    assert plain(line for error in errors for line in error_lines(error)) == (
        "Error: no such key \\x1b[2J\n"
        "  w.yaml:12:7 (template line 3)  algorithms[2].language  [unknown-key]\n"
        "  did you mean `language`?\n"
        "w.yaml has 1 fault.\n"
        "Error: GET /x: 403 no\n  request id req-1\n  look at DESTINATION_API_KEY\n"
        "Error: it failed\n  │ one\n  │ \\x1b[31mtwo\n  the same source fails again: mend the source or its requirements.txt\n"
        f"Error: boom\n  (AlgorithmError)\n  │ Traceback\n  │   line\n{MEND}"
        f"Error: no\n{MEND}"
        "Error: a\nError: b\n"
    )
    assert next(iter(error_lines(SourceError("a")))) == "\x1b[31;1mError:\x1b[0m a"


FINDINGS = (
    Finding(HELLO, Drift.CHANGED, Resource(HELLO, BEFORE), Resource(HELLO, {**BEFORE, "label": "Hi"})),
    Finding(WEIGHTS, Drift.MISSING, Resource(WEIGHTS, size=3)),
    Finding(Address("data", "Hello", "theirs"), Drift.UNMANAGED, None, Resource(WEIGHTS, size=3)),
    Finding(Address("source", "Hello"), Drift.UNKNOWN, reason="403 \x07"),
)


def test_drift_as_text() -> None:
    shown = FORMATS["text"](Drifted(PLAN.header, FINDINGS, {}), Redactor())
    assert PAINT.sub("", shown).partition("\n\n")[2] == (
        "  ~ algorithm.Hello has changed outside of algosync\n"
        '      ~ label = "Hello" -> "Hi"\n'
        '  - data.Hello["w.pb"] is missing\n'
        '  ? data.Hello["theirs"] is not managed by this workflow\n'
        "  ! source.Hello could not be looked at\n"
        "      403 \\x07\n"
        "\n"
        "Drift: 1 changed, 1 missing, 1 unmanaged, 1 unknown.\n"
    )


def test_unmanaged_resources_are_no_drift() -> None:
    assert plain(drift_lines((FINDINGS[2],))).endswith("\nNo drift. The destination is as it was left.\n")
    assert plain(drift_lines(())) == "No drift. The destination is as it was left.\n"
