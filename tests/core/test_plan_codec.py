"""Saved plans in memory: the file, what they are bound to, and what they hide."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from algosync.core.address import Address
from algosync.core.error import Corrupt, NewerFormat, Stale
from algosync.core.planning.change import Action, Change
from algosync.core.planning.movement import is_applied, movements
from algosync.core.planning.plan import Check, FailedCheck, Plan, PlanHeader
from algosync.core.planning.plan_codec import FORMAT_VERSION, decode_plan, encode_plan
from algosync.core.planning.plan_file_start import MAGIC, is_plan
from algosync.core.planning.plan_inputs import CodeFile, LocalCode, LocalFile, PlanFile, PlanInputs, WorkflowText
from algosync.core.planning.saved_plan import (
    Binding,
    Conceal,
    RecordMark,
    SavedPlan,
    plan_digest,
    record_marks,
    without_secrets,
    workflow_digest,
)
from algosync.core.planning.target import Selection
from algosync.core.redaction import Redactor
from algosync.core.resource import SENSITIVE, KindTraits, Record, Resource, digest_of
from algosync.core.testing.case import CaseFile, TestCase
from algosync.core.typed_json import from_json, to_json
from algosync.core.workflow import AlgorithmSpec, DataFile, Details, Ignore, Move, Publish, Workflow

ONE, WEIGHTS, SOURCE = Address("algorithm", "One"), Address("data", "One", "w.bin"), Address("source", "One")
HEADER = PlanHeader("w (w.json)", "https://a", "https://b", "jane")
CHANGES = (
    Change(ONE, Action.CREATE, None, Resource(ONE, {"label": "One"}, stamp="d1", digest="d1")),
    Change(
        WEIGHTS,
        Action.UPDATE,
        Resource(WEIGHTS, stamp="10@t1", digest="9" * 64, size=10),
        Resource(WEIGHTS, {"md5": "m"}, stamp="12@t2", digest="8" * 64, size=12),
        details={"keep": True},
        recorded=Resource(WEIGHTS, digest="9" * 64, size=10),
    ),
    Change(SOURCE, Action.NONE, Resource(SOURCE, {"commit": "c1"}, stamp="c1", digest="7" * 40), Resource(SOURCE, digest="7" * 40)),
)
CHECKS = (Check(Address("test", "One"), TestCase("", "1", 300), of_algorithm=True, candidate=True),)
KINDS = {"data": KindTraits(is_file=True, read_back=frozenset({"md5"}))}
PLAN = Plan(HEADER, CHANGES, CHECKS, (("One", ()),), kinds=KINDS)
MARK = RecordMark("9" * 64, "10@t0", "10@t1", "c" * 64)
BINDING = Binding("lineage", "w.json", "https://b", None, "jane", "https://a", None, "ann", "f" * 64, {WEIGHTS: MARK})
SAVED = SavedPlan(PLAN, Selection(("One",), ("data.*",)), BINDING, "sha256:0")
CODE = b"code \x00\n"
INPUTS = PlanInputs(
    WorkflowText("w.json", "{}", {"n": 1}, ("token",), "w.json", ""),
    (LocalCode("One", None, (CodeFile("src/\udcff.py", hashlib.sha256(CODE).hexdigest(), executable=True),), ("x/",)),),
    (LocalFile("data://.my/models/w.bin", 3, None, "5" * 64),),
    "quality",
)
FILE = PlanFile(SAVED, INPUTS, {hashlib.sha256(CODE).hexdigest(): CODE})


def test_a_saved_plan_is_read_as_it_was_written() -> None:
    data = encode_plan(FILE)
    assert decode_plan(data) == FILE
    assert encode_plan(decode_plan(data)) == data
    assert is_plan(data)


@pytest.mark.parametrize("name", ["/home/jane/.profile", "../w.json", "a/w.json", "..", "", "w\0.json"])
def test_a_plan_names_no_file_outside_of_its_folder(name: str) -> None:
    text = replace(INPUTS.workflow, name=name)
    with pytest.raises(Corrupt, match="not that of a file"):
        decode_plan(encode_plan(replace(FILE, inputs=replace(INPUTS, workflow=text))))


@pytest.mark.parametrize("field", ["source", "destination", "owner"])
def test_a_plan_shows_the_clusters_that_it_is_bound_to(field: str) -> None:
    header = replace(HEADER, **{field: "https://other"})
    with pytest.raises(Corrupt, match="other clusters"):
        decode_plan(encode_plan(replace(FILE, saved=replace(SAVED, plan=replace(PLAN, header=header)))))


def test_each_flipped_bit_and_each_cut_is_refused() -> None:
    """Never a traceback, and never another plan."""
    data = encode_plan(FILE)
    broken = [data[:length] for length in range(len(data))]
    broken += [data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :] for at in range(len(data))]
    for each in broken:
        with pytest.raises((Corrupt, Stale)):
            decode_plan(each)


def test_another_format_is_refused_with_the_way_out() -> None:
    data = encode_plan(FILE).replace(MAGIC + b"2\n", MAGIC + b"3\n", 1)
    with pytest.raises(NewerFormat, match="was saved by a newer algosync: format 3") as caught:
        decode_plan(data)
    assert "upgrade algosync" in (caught.value.hint or "")
    assert FORMAT_VERSION == 2


def test_a_plan_that_nothing_moved_is_not_stale() -> None:
    again = decode_plan(encode_plan(FILE)).saved
    assert movements(again, SAVED) == ()


NEW = Change(Address("version", "One"), Action.CREATE, None, None)


def changed(index: int, **values: object) -> SavedPlan:
    changes = list(CHANGES)
    changes[index] = replace(changes[index], **values)  # type: ignore[arg-type]  # fields of a change
    return replace(SAVED, plan=replace(PLAN, changes=tuple(changes)))


def bound(**values: object) -> SavedPlan:
    return replace(SAVED, binding=replace(BINDING, **values))  # type: ignore[arg-type]  # fields of a binding


def marked(**values: str) -> SavedPlan:
    return bound(records={WEIGHTS: replace(MARK, **values)})


def side(name: str, index: int = 1, **values: object) -> SavedPlan:
    resource = getattr(CHANGES[index], name)
    return changed(index, **{name: replace(resource, **values)})


MOVED: dict[str, tuple[Callable[[], SavedPlan], str]] = {
    "lineage": (partial(bound, lineage="other"), "the lineage of the state: lineage -> other"),
    "state file": (partial(bound, state_file="v.json"), "the workflow file of the state: w.json -> v.json"),
    "destination": (partial(bound, destination="https://c"), "the destination: https://b -> https://c"),
    "identity": (partial(bound, identity="id"), "the local cluster at the destination: nothing -> id"),
    "owner": (partial(bound, owner="joe"), "the owner at the destination: jane -> joe"),
    "source": (partial(bound, source="https://x"), "the source: https://a -> https://x"),
    "source identity": (partial(bound, source_identity="id"), "the local cluster at the source: nothing -> id"),
    "source owner": (partial(bound, source_owner="eve"), "the owner of the source's key: ann -> eve"),
    "workflow": (partial(bound, workflow="e" * 64), f"the digest of the workflow: {'f' * 12}… -> {'e' * 12}…"),
    "record's digest": (
        partial(marked, digest="1" * 64),
        f'the record of data.One["w.bin"]: digest {"9" * 12}… -> digest {"1" * 12}…',
    ),
    "record's source stamp": (
        partial(marked, source_stamp="s"),
        'the record of data.One["w.bin"]: source stamp 10@t0 -> source stamp s',
    ),
    "record's destination stamp": (
        partial(marked, destination_stamp="s"),
        'the record of data.One["w.bin"]: destination stamp 10@t1 -> destination stamp s',
    ),
    "record's content": (
        partial(marked, content="d" * 64),
        f'the record of data.One["w.bin"]: content {"c" * 12}… -> content {"d" * 12}…',
    ),
    "record is gone": (partial(bound, records={}), f'the record of data.One["w.bin"]: digest {"9" * 12}… -> nothing'),
    "source stamp": (partial(side, "after", stamp="12@t9"), 'data.One["w.bin"] at the source: stamp 12@t2 -> stamp 12@t9'),
    "source size": (partial(side, "after", size=13), 'data.One["w.bin"] at the source: 12 B -> 13 B'),
    "source digest": (
        partial(side, "after", digest="6" * 64),
        f'data.One["w.bin"] at the source: digest {"8" * 12}… -> digest {"6" * 12}…',
    ),
    "source attribute": (partial(side, "after", attributes={"md5": "n"}), 'data.One["w.bin"] at the source: md5 m -> md5 n'),
    "destination stamp": (
        partial(side, "before", stamp="10@t9"),
        'data.One["w.bin"] at the destination: stamp 10@t1 -> stamp 10@t9',
    ),
    "destination size": (partial(side, "before", size=11), 'data.One["w.bin"] at the destination: 10 B -> 11 B'),
    "destination digest": (
        partial(side, "before", digest="5" * 64),
        f'data.One["w.bin"] at the destination: digest {"9" * 12}… -> digest {"5" * 12}…',
    ),
    "destination attribute": (
        partial(side, "before", 2, attributes={"commit": "c2"}),
        "source.One at the destination: commit c1 -> commit c2",
    ),
    "deleted at the destination": (
        partial(changed, 1, before=None),
        f'data.One["w.bin"] at the destination: digest {"9" * 12}… -> nothing',
    ),
    "created at the destination": (
        partial(changed, 0, before=Resource(ONE, digest="d2")),
        "algorithm.One at the destination: nothing -> digest d2",
    ),
    "action": (partial(changed, 1, action=Action.HOLD), 'what to do with data.One["w.bin"]: update {"keep": true} -> hold'),
    "details": (partial(changed, 1, details={}), 'what to do with data.One["w.bin"]: update {"keep": true} -> update {}'),
    "a resource more": (
        lambda: replace(
            SAVED, plan=replace(PLAN, changes=(*CHANGES, Change(Address("version", "One"), Action.CREATE, None, None)))
        ),
        "version.One: nothing -> create",
    ),
    "tests": (lambda: replace(SAVED, plan=replace(PLAN, checks=())), "the tests: test.One -> nothing"),
}


@pytest.mark.parametrize("name", MOVED)
def test_each_movement_is_named_as_it_was_and_as_it_is(name: str) -> None:
    make, text = MOVED[name]
    (first, *_) = movements(SAVED, make())
    assert str(first).startswith(text)


def applied(**values: object) -> SavedPlan:
    """The same plan made again after it was applied: the records are there, and nothing is left to do."""
    records = {
        ONE: RecordMark("d1", "d1", "d9", "1" * 64),
        WEIGHTS: RecordMark("8" * 64, "12@t2", None, "2" * 64),
    }
    changes = tuple(replace(change, action=Action.NONE, before=change.after) for change in CHANGES)
    again = replace(SAVED, plan=replace(PLAN, changes=changes))
    return replace(again, binding=replace(BINDING, **{"records": records, **values}))  # type: ignore[arg-type]  # fields of a binding


def test_a_plan_that_was_applied_is_recognized_by_the_records() -> None:
    now = applied()
    first = replace(SAVED, binding=replace(BINDING, lineage=None))
    assert movements(SAVED, now)
    assert is_applied(SAVED, now)
    assert is_applied(first, now)
    assert is_applied(SAVED, replace(now, plan=SAVED.plan)), "the records tell it, also if the source has moved since"


def test_a_plan_that_was_not_applied_or_only_in_part_is_not_recognized() -> None:
    records = applied().binding.records
    assert not is_applied(SAVED, SAVED)
    assert not is_applied(SAVED, applied(records={ONE: records[ONE]})), "a record is missing"
    assert not is_applied(SAVED, applied(records={**records, WEIGHTS: MARK})), "a record is the old one"
    other = {**records, WEIGHTS: replace(records[WEIGHTS], digest="0" * 64)}
    assert not is_applied(SAVED, replace(applied(records=other), plan=SAVED.plan)), "a record has another content"
    assert not is_applied(SAVED, applied(lineage="other"))
    assert not is_applied(SAVED, applied(owner="joe"))
    nothing = replace(SAVED, plan=replace(PLAN, changes=CHANGES[2:]))
    assert not is_applied(nothing, nothing), "it changes nothing"


def test_an_applied_deletion_is_recognized_by_the_missing_record() -> None:
    delete = replace(SAVED, plan=replace(PLAN, changes=(replace(CHANGES[1], action=Action.DELETE, after=None),)))
    assert is_applied(delete, replace(delete, binding=replace(BINDING, records={})))
    assert not is_applied(delete, delete)


def test_each_field_of_a_binding_has_a_movement() -> None:
    names = {"lineage", "state_file", "destination", "identity", "owner", "source", "workflow", "records"}
    names |= {"source_identity", "source_owner"}
    assert set(Binding.__dataclass_fields__) == names


def test_results_of_tests_and_reasons_do_not_make_a_plan_stale() -> None:
    plan = replace(PLAN, failing=(FailedCheck(CHECKS[0].address, "2026-01-02T03:04:05+00:00", "boom"),))
    plan = replace(plan, changes=(CHANGES[0], replace(CHANGES[1], reason="another"), replace(CHANGES[2], action=Action.REFRESH)))
    assert movements(SAVED, replace(SAVED, plan=plan)) == ()
    assert plan_digest(replace(SAVED, plan=plan)) == plan_digest(SAVED)


def test_a_stamp_that_came_later_is_no_movement_if_the_content_is_known() -> None:
    assert movements(side("after", stamp=None), SAVED) == ()
    assert movements(side("after", stamp=None, digest=None), SAVED) != ()


# The digest of a plan.


def test_the_line_of_a_test_is_in_no_document() -> None:
    """Digests of tests are recorded, and documents are read by versions that do not know it."""
    case = TestCase("t", "1", line=7)
    document = to_json(case)
    assert isinstance(document, dict)
    assert "line" not in document
    assert from_json(TestCase, document, "a test") == case


def test_a_digest_does_not_depend_on_the_place() -> None:
    """Names of files, and stamps of files whose content is known, differ between two folders."""
    other = replace(PLAN, header=replace(HEADER, workflow="v (x/v.json)", state="/x"))
    there = replace(bound(lineage="x", state_file="v.json", records={}), plan=other)
    assert plan_digest(there) == plan_digest(SAVED)
    assert plan_digest(side("after", stamp="x")) == plan_digest(SAVED)


@pytest.mark.parametrize(
    "name",
    [
        *("destination", "identity", "owner", "source", "source identity", "source owner", "workflow"),
        *("source size", "source digest", "destination digest", "action", "tests"),
    ],
)
def test_a_digest_changes_with_what_would_be_done(name: str) -> None:
    assert plan_digest(MOVED[name][0]()) != plan_digest(SAVED)


def test_a_local_cluster_has_one_digest_at_all_its_addresses() -> None:
    one = bound(identity="d-1", destination="local", source_identity="s-1", source="local:prod")
    other = bound(identity="d-1", destination="http://127.0.0.1:1", source_identity="s-1", source="http://localhost:2")
    assert plan_digest(one) == plan_digest(other) != plan_digest(SAVED)


def test_a_stamp_counts_where_the_content_is_not_known() -> None:
    unread = side("after", digest=None)
    assert plan_digest(unread) != plan_digest(side("after", digest=None, stamp="x"))


def test_a_workflow_has_one_digest_whatever_its_name_and_lines() -> None:
    conceal = Conceal(lambda text: text, lambda _: False)

    def flow(name: str, line: int, label: str = "One") -> Workflow:
        files = (DataFile("data://.my/a/b", "b", line),)
        spec = AlgorithmSpec("One", "python3", details=Details(label), data_files=files, tests=(TestCase("t", "1", line=line),))
        return Workflow(name, f"/{name}", (spec,))

    assert workflow_digest(flow("a", 1), conceal) == workflow_digest(flow("b", 2), conceal)
    assert workflow_digest(replace(flow("a", 1), source_address="local"), conceal) == workflow_digest(flow("a", 1), conceal)
    assert workflow_digest(flow("a", 1), conceal) != workflow_digest(flow("a", 1, "Two"), conceal)


# Secrets.

SECRET = "hunter22-and-more"


def conceal() -> Conceal:
    redactor = Redactor()
    redactor.hide(SECRET)
    return Conceal(redactor.redact, redactor.holds)


def test_no_secret_and_no_digest_of_one_is_saved() -> None:
    secret = {"label": f"it is {SECRET}", "license": "apl"}
    digest = digest_of(secret)
    old = Resource(ONE, {"label": "former", "license": "apl"}, stamp="s" + digest, digest=digest_of({"label": "former"}))
    change = Change(
        ONE, Action.UPDATE, old, Resource(ONE, secret, stamp=digest, digest=digest), reason=SECRET, details={"x": [SECRET]}
    )
    test = Address("test", "One", f"with {SECRET}")
    checks = (Check(test, TestCase("", json.dumps({"token": SECRET}), 300), of_algorithm=False),)
    plan = Plan(HEADER, (change,), checks, failing=(FailedCheck(test, "2026-01-02T03:04:05+00:00", SECRET),))
    hidden = without_secrets(plan, conceal())
    text = str(hidden)
    assert SECRET not in text
    assert digest not in text
    (found,) = hidden.changes
    assert found.before is not None
    assert (found.before.digest, found.before.stamp) == (SENSITIVE, None)
    assert movements(replace(SAVED, plan=hidden), replace(SAVED, plan=hidden)) == ()


def test_no_digest_of_a_secret_that_was_recorded_in_the_open_is_saved() -> None:
    attributes = {"label": SECRET}
    record = Record(ONE, digest_of(attributes), digest_of(attributes), "s" + digest_of(attributes), attributes=attributes)
    (mark,) = record_marks({ONE: record}, ["One"], conceal()).values()
    assert (mark.digest, mark.source_stamp, mark.destination_stamp) == (SENSITIVE, None, None)
    assert mark.content not in (digest_of(attributes), digest_of([attributes, {}]))


def test_only_records_of_the_algorithms_of_the_plan_are_bound() -> None:
    records = {a: Record(a, "d", None, None) for a in (ONE, Address("algorithm", "Two"))}
    assert list(record_marks(records, ["One"], conceal())) == [ONE]


def test_a_plan_without_secrets_is_searched_once() -> None:
    asked: list[str] = []

    def may_hold(text: str) -> bool:
        asked.append(text)
        return False

    conceal = Conceal(str, lambda _: False, may_hold)
    changes = tuple(replace(CHANGES[1], address=Address("data", "One", f"{number}")) for number in range(50))
    plan = replace(PLAN, changes=changes, checks=(), failing=())
    assert without_secrets(plan, conceal).changes == changes
    assert len(asked) == 1


RICH = Workflow(
    "w",
    "/x",
    (
        AlgorithmSpec(
            "One",
            "python3",
            data_files=(DataFile("data://.my/c/f", "f", line=7), DataFile("data://.my/c/g", "g")),
            tests=(TestCase("t", "1", line=3, cases=CaseFile("c.csv", "5" * 64, 3)),),
            details=Details("One"),
            ignore=(Ignore("details.*", "theirs", "2027-01-31"),),
        ),
        AlgorithmSpec("Two", "java11", publish=Publish(on=frozenset({"data", "source"}))),
    ),
    source_address="https://a",
    entrypoint="One",
    moved=(Move("Old", "One"),),
)


@pytest.mark.parametrize("label", ["One", "Eins …", 'Q "1" \\u0041', "*** is no secret", "the secret is k3y-0f-jane"])
def test_the_digest_of_a_workflow_is_that_of_its_json(label: str) -> None:
    """As earlier versions made it, with their own way through the objects: saved plans and approvals have it."""
    redactor = Redactor()
    redactor.hide("k3y-0f-jane")
    conceal = Conceal(redactor.redact, redactor.holds, redactor.may_hold)
    workflow = replace(RICH, algorithms=(replace(RICH.algorithms[0], details=Details(label)), RICH.algorithms[1]))
    document = json.loads(json.dumps(to_json(workflow)))
    for file in document["algorithms"][0]["data_files"]:
        del file["line"]
    said = {name: value for name, value in document.items() if name not in ("name", "folder", "source_address")}
    assert workflow_digest(workflow, conceal) == digest_of(conceal(said))
