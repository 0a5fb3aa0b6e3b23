"""The text of plans, drift and errors, to the letter: every symbol, and nothing in it that could steer a terminal."""

import re
from dataclasses import replace

import pytest
from samples import FINDINGS, HELLO, PLAN, SUBJECTS, TEXT, WEIGHTS, plain

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, BuildFailed, Denied, Fault, Several, SourceError, TestFailed, WorkflowError
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.planning.diff import GONE, NOT_WANTED
from algosync.core.planning.explanation import Explanation, Reason, reason_of
from algosync.core.planning.file_diff import FileDiff
from algosync.core.planning.origin import Origin, with_origin
from algosync.core.planning.plan import Excluded, Plan
from algosync.core.planning.target import Mode
from algosync.core.redaction import Redactor
from algosync.core.resource import SENSITIVE, Json, Record, Resource
from algosync.core.text import PAINT
from algosync.views import FORMATS
from algosync.views.address_list import address_lines
from algosync.views.drift import drift_lines
from algosync.views.error import error_lines
from algosync.views.explanation import explanation_lines
from algosync.views.file_diff import diff_lines
from algosync.views.plan import plan_lines
from algosync.views.subject import Drifted, Planned


def test_the_whole_text() -> None:
    assert PAINT.sub("", FORMATS["text"](SUBJECTS["plan"], Redactor())) == TEXT


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


def test_a_plan_that_destroys_says_what_was_looked_at() -> None:
    destroys = replace(PLAN, changes=(), checks=(), mode=Mode.DESTROY)
    assert "Only the targets and what depends on them were looked at: B." in plain(
        plan_lines(replace(destroys, targets=("B",)), str)
    )
    assert plain(plan_lines(destroys, str)) == "No changes. Nothing is recorded that could be destroyed.\n"
    left_out = replace(destroys, excluded=Excluded(("B",), ("B",)))
    assert plain(plan_lines(left_out, str)).startswith("No changes. Everything recorded that could be destroyed is left out.\n")


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (NOT_WANTED, "is no longer in the workflow; it stays at the destination; --prune would delete it"),
        ("moved to B, and the platform cannot rename", "it stays at the destination; --prune would delete it"),
        ("`removed` names it", "is no longer in the workflow; it stays at the destination"),
        (GONE, "is no longer at the destination, and is forgotten"),
    ],
)
def test_what_is_forgotten_says_whether_prune_deletes_it(reason: str, sentence: str) -> None:
    forgotten = replace(PLAN, changes=(Change(HELLO, Action.FORGET, None, None, reason=reason),), checks=())
    line = next(line for line in plain(plan_lines(forgotten, str)).splitlines() if "# algorithm.Hello" in line)
    assert line.endswith(sentence)


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
    assert "      + version = (known after apply: the next minor version)" in lines
    assert "      (an empty commit)" in lines
    assert lines[-2:] == [
        "Note: version.New is published untested: its algorithm has no test_payload.",
        "Create: algorithm.Hello, version.New, source.New",
    ]


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


MEND = "  the same code fails again: fix the algorithm, its data or the payload\n"


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
        "Error: it failed\n  │ one\n  │ \\x1b[31mtwo\n  the same source fails again: fix the source or its requirements.txt\n"
        f"Error: boom\n  (AlgorithmError)\n  │ Traceback\n  │   line\n{MEND}"
        f"Error: no\n{MEND}"
        "Error: a\nError: b\n"
    )
    assert next(iter(error_lines(SourceError("a")))) == "\x1b[31;1mError:\x1b[0m a"


def test_drift_as_text() -> None:
    shown = FORMATS["text"](Drifted(PLAN.header, FINDINGS, {}), Redactor())
    assert PAINT.sub("", shown).partition("\n\n")[2] == (
        "  ~ algorithm.Hello has changed outside of algosync\n"
        '      ~ label = "Hello" -> "Hi"\n'
        '  - data.Hello["w.pb"] is missing\n'
        '  ? data.Hello["theirs"] is not managed by this workflow\n'
        "  ! source.Hello could not be looked at\n"
        "      403 \\x07\n"
        '  x test.Hello["t"] failed when it last ran\n'
        "      since 2026-01-02T03:04:05+00:00\n"
        "      boom \\x07\n"
        "\n"
        "Drift: 1 changed, 1 missing, 1 unmanaged, 1 failing, 1 unknown.\n"
        "algosync plan shows how an apply would mend it.\n"
        "For a failing test, mend the algorithm, its data or the payload: algosync apply then tests it again.\n"
    )


def test_what_is_in_the_workflow_and_not_recorded_can_be_imported() -> None:
    finding = Finding(Address("data", "Hello", "a b"), Drift.UNMANAGED, None, None, in_workflow=True)
    assert plain(drift_lines((finding,), str)).startswith(
        '  ? data.Hello["a b"] is not recorded\n      the workflow has it; record it with: algosync import \'data.Hello["a b"]\'\n'
    )


def test_an_apply_mends_no_failing_test_and_nothing_that_could_not_be_looked_at() -> None:
    failing, unknown = (Finding(Address("test", "Hello"), drift, None, None) for drift in (Drift.FAILING, Drift.UNKNOWN))
    *_, told, step = plain(drift_lines((failing, unknown), str)).splitlines()
    assert told == "Drift: 1 failing, 1 unknown."
    assert step == "For a failing test, mend the algorithm, its data or the payload: algosync apply then tests it again."
    assert plain(drift_lines((unknown,), str)).endswith("\nDrift: 1 unknown.\n")


def test_what_was_written_again_with_the_same_content_is_a_note_without_a_next_step() -> None:
    version = Address("version", "Hello")
    before, after = (Resource(version, {"version": number, "callability": "private"}, digest="a") for number in ("1.0.0", "1.0.1"))
    assert plain(drift_lines((Finding(version, Drift.REWRITTEN, before, after),), str)) == (
        "  = version.Hello was written again outside of algosync, with the same content\n"
        '      ~ version = "1.0.0" -> "1.0.1"\n'
        "\n"
        "No drift. The destination is as it was left.\n"
    )


def test_unmanaged_resources_are_no_drift() -> None:
    assert plain(drift_lines((FINDINGS[2],), str)).endswith("\nNo drift. The destination is as it was left.\n")
    assert plain(drift_lines((), str)) == "No drift. The destination is as it was left.\n"


def test_modes_and_what_is_left_out_are_shown_with_the_files() -> None:
    mode: list[Json] = ["100644", "100755"]
    files: list[Json] = [
        {"path": "src/alone", "action": "update", "added": 0, "removed": 0, "mode": mode},
        {"path": "src/also", "action": "update", "added": 2, "removed": 0, "mode": mode},
        {"path": "src/binary", "action": "update", "added": None, "removed": None, "mode": mode},
    ]
    left_out: list[Json] = [".git/", *(f"src/._{n}" for n in range(6))]
    source = Address("source", "Hello")
    change = Change(source, Action.UPDATE, Resource(source), Resource(source), details={"files": files, "left_out": left_out})
    lines = plain(plan_lines(replace(PLAN, changes=(change,), checks=()), str)).splitlines()
    start = lines.index("  ~ source.Hello") + 1
    assert lines[start : start + 4] == [
        "      ~ src/alone    mode 100644 -> 100755",
        "      ~ src/also     +2 mode 100644 -> 100755",
        "      ~ src/binary   binary mode 100644 -> 100755",
        "      (7 paths of the source left out: .git/, src/._0, src/._1, src/._2, src/._3 and 2 more)",
    ]


def test_a_note_on_several_resources_is_shown_once() -> None:
    found = [Address("algorithm", name) for name in ("A", "B", "C")]
    changes = tuple(Change(a, Action.NONE, Resource(a, notes=("not told",)), Resource(a, notes=("not told",))) for a in found)
    lines = plain(plan_lines(replace(PLAN, changes=changes[:1], checks=()), str)).splitlines()
    assert lines[1:] == ["Note: algorithm.A: not told."]
    lines = plain(plan_lines(replace(PLAN, changes=changes, checks=()), str)).splitlines()
    assert lines[1:] == ["Note: algorithm.A and 2 more: not told."]


def test_notes_are_shown_whether_something_changes_or_not() -> None:
    source = Address("source", "Hello")
    change = Change(source, Action.NONE, Resource(source, notes=("left \x1b[31mas it is",)), Resource(source, notes=("secret",)))
    lines = plain(plan_lines(replace(PLAN, changes=(change,), checks=()), lambda text: text.replace("secret", "***"))).splitlines()
    assert lines == [
        "No changes. Your destination matches the workflow.",
        "Note: source.Hello: left \\x1b[31mas it is.",
        "Note: source.Hello: ***.",
    ]


def many(action: Action) -> Plan:
    addresses = [Address("data", "Hello", f"{number}.pb") for number in range(13)]
    return replace(PLAN, changes=tuple(Change(address, action, None, Resource(address)) for address in addresses), checks=())


def test_the_list_of_addresses_is_short() -> None:
    *_, last = plain(plan_lines(many(Action.ADOPT), str)).splitlines()
    assert last.startswith('Adopt: data.Hello["0.pb"], data.Hello["1.pb"], ')
    assert last.endswith(', data.Hello["9.pb"] and 3 more')


def test_what_is_deleted_is_listed_in_full() -> None:
    (line,) = address_lines(many(Action.FORGET), {Action.FORGET: ("-", "destroy: it is deleted")}, str)
    assert line == "Destroy: " + ", ".join(f'data.Hello["{number}.pb"]' for number in range(13))


def test_a_change_outside_is_told_with_its_author_and_time_as_far_as_they_are_known() -> None:
    def second_line(origin: Origin) -> str:
        change = with_origin(Change(HELLO, Action.UPDATE, Resource(HELLO), Resource(HELLO), drifted=True), origin)
        return plain(plan_lines(replace(PLAN, changes=(change,)), str)).splitlines()[3]

    assert second_line(Origin("Jane <j@x>", "2026-01-02T03:04:05+00:00")) == "      (by Jane <j@x>, at 2026-01-02T03:04:05+00:00)"
    assert second_line(Origin(at="2026-01-02T03:04:05+00:00")) == "      (at 2026-01-02T03:04:05+00:00)"
    assert second_line(Origin()) == ""


def test_an_explanation_has_a_line_for_each_side() -> None:
    before, after = (
        Resource(WEIGHTS, stamp="t2", size=3),
        Resource(WEIGHTS, stamp="s", digest="d" * 64, size=4, digest_from="record"),
    )
    change = Change(WEIGHTS, Action.UPDATE, before, after, drifted=True)
    record = Record(WEIGHTS, "d" * 64, "s", None, 4)
    explanation = Explanation(change, reason_of(change, record), record, ("listing", "listing"))
    assert plain(explanation_lines([explanation], Redactor())) == (
        "\n"
        'Why data.Hello["w.pb"]: update (destination-changed: somebody has changed it at the destination since it was recorded)\n'
        f"    source:      stamp s (listing), digest {'d' * 64} (record), 4 B\n"
        "    destination: stamp t2 (listing), digest not read, 3 B\n"
        f"    record:      stamp of the source s, no stamp of the destination, digest {'d' * 64}, 4 B\n"
    )
    alone = Explanation(Change(WEIGHTS, Action.CREATE, None, after), Reason.NEW, None, ("listing", "listing"))
    assert plain(explanation_lines([alone], Redactor())).endswith("    destination: nothing\n    record:      none\n")


def test_an_explanation_hides_what_is_computed_from_a_secret() -> None:
    redactor = Redactor()
    redactor.hide("1234")
    after = Resource(HELLO, {"summary": "PIN1234"}, "e" * 64, "d" * 64)
    change = Change(HELLO, Action.UPDATE, Resource(HELLO, {"summary": "***"}, "c" * 64, "b" * 64), after)
    explained = Explanation(change, Reason.SOURCE_CHANGED, Record(HELLO, SENSITIVE, None, None), ("workflow", "settings"))
    for name, view in FORMATS.items():
        if name in ("gitlab", "prometheus"):
            continue  # only numbers
        text = view(Planned(replace(PLAN, changes=()), {}, (explained,)), redactor)
        assert "source-changed" in text, name
        assert not re.search(r"([b-e])\1{9}", text), name


def test_diffs_by_source_and_file() -> None:
    source = Address("source", "Hello")
    diffs = [
        FileDiff(source, "src/Hello.py", lines=("@@ -1 +1 @@", "-a\x1b[2J", "+b\tc\r"), left_out=1),
        FileDiff(source, "new\x07", "create", left_out=3),
        FileDiff(source, "old", "delete", note="Binary files differ: 1 B (SHA-256 x) -> nothing"),
    ]
    text = "".join(f"{line}\n" for line in diff_lines(diffs, Redactor()))
    assert "\x1b[31m-a\\x1b[2J\x1b[0m\n" in text
    assert PAINT.sub("", text) == (
        "\nDifferences of source.Hello\n"
        "\n--- a/src/Hello.py\n+++ b/src/Hello.py\n@@ -1 +1 @@\n-a\\x1b[2J\n+b\\x09c\\x0d\n(1 more line)\n"
        "\n--- /dev/null\n+++ b/new\\x07\n(3 lines not shown)\n"
        "\n--- a/old\n+++ /dev/null\n(Binary files differ: 1 B (SHA-256 x) -> nothing)\n"
    )
