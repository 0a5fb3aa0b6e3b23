"""Who can read an algorithm's data, on a cluster in memory: planned, mended and recorded as the attribute `data_read`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakes.clusters import OWNER, FakeCluster, context_of
from fakes.ledger import FakeLedger
from fakes.stores import FakeStore

from algosync.core.address import Address
from algosync.core.error import Denied, StoredOtherwise
from algosync.core.event import Event, StepDone, StepFailed, StepSkipped
from algosync.core.planning.change import Action, Change, Drift
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.target import Selection
from algosync.core.resource import Json, Record, digest_of
from algosync.core.workflow import AlgorithmSpec, DataFile, Details, Readers, Workflow
from algosync.engine.apply import apply
from algosync.engine.drift import find_drift
from algosync.engine.plan import Scene, make_plan
from algosync.kinds import KINDS, PERFORMERS, Context

ONE = Address("algorithm", "One")
PRIVATE, MINE, PUBLIC = (), ("algo://.my/*",), ("user://*",)
FILES = (DataFile("data://.my/models/w.bin", "w.bin"),)
SPEC = AlgorithmSpec("One", "python3", code="file://one", details=Details("One"), data_files=FILES)
PLAIN = replace(SPEC, data_files=())
HEADER = PlanHeader("w", None, "local", OWNER)


@dataclass
class Case:
    """An algorithm with a source beside the workflow, and an empty destination."""

    folder: Path
    spec: AlgorithmSpec = SPEC
    others: tuple[AlgorithmSpec, ...] = ()
    cluster: FakeCluster = field(default_factory=FakeCluster)
    store: FakeStore = field(default_factory=FakeStore)
    ledger: FakeLedger = field(default_factory=FakeLedger)

    def __post_init__(self) -> None:
        self.store.write("quality", "models", "w.bin", b"weights")
        (self.folder / "one" / "src").mkdir(parents=True)
        (self.folder / "one" / "src" / "One.py").write_text("def apply(input):\n    return input\n")

    @property
    def data(self) -> FakeStore:
        return self.cluster.data

    @property
    def readers(self) -> tuple[str, ...]:
        return self.data.readers[OWNER, "One"]

    def give(self, readers: tuple[str, ...]) -> None:
        """As somebody else does it."""
        self.data.readers[OWNER, "One"] = readers

    def workflow(self) -> Workflow:
        return Workflow("w", str(self.folder), (self.spec, *self.others))

    def scene(self, *, recorded_only: bool = False) -> Scene[Context]:
        context = context_of(
            self.cluster,
            self.spec,
            *self.others,
            folder=self.folder,
            store=self.store,
            ledger=self.ledger,
            recorded_only=recorded_only,
        )
        return Scene(KINDS, PERFORMERS, context, 2)

    def plan(self, *targets: str) -> Plan:
        return make_plan(self.workflow(), self.scene(), self.ledger.records, HEADER, Selection(targets))

    def change(self) -> Change:
        return next(change for change in self.plan().changes if change.address == ONE)

    def apply(self, *targets: str) -> list[Event]:
        return list(apply(self.plan(*targets), self.workflow(), self.scene(), self.ledger))

    def drift(self) -> list[tuple[Address, Drift, Json, Json]]:
        found = find_drift(self.workflow(), self.scene(recorded_only=True), self.ledger.records)
        return [(f.address, f.drift, read_of(f.before), read_of(f.after)) for f in found]

    def requests(self) -> list[str]:
        return [request for request in self.cluster.algorithms.requests if request.startswith(("create", "update"))]


def read_of(resource: object) -> Json:
    attributes: Mapping[str, Json] = getattr(resource, "attributes", {})
    return attributes.get("data_read")


def failures(events: list[Event]) -> list[StepFailed]:
    return [event for event in events if isinstance(event, StepFailed)]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


@pytest.mark.parametrize(("word", "readers"), [(None, MINE), ("my_algorithms", MINE), ("public", PUBLIC), ("private", PRIVATE)])
def test_the_collection_is_created_with_its_acl(case: Case, word: Readers | None, readers: tuple[str, ...]) -> None:
    case.spec = replace(SPEC, collection_read=word)
    change = case.change()
    assert (change.action, read_of(change.after)) == (Action.CREATE, word or "my_algorithms")
    assert failures(case.apply()) == []
    assert case.readers == readers
    assert case.data.given == []
    assert {change.action for change in case.plan().changes} == {Action.NONE}
    assert case.drift() == []


@pytest.mark.parametrize(
    ("word", "now", "shown"),
    [
        ("my_algorithms", PUBLIC, "public"),
        ("my_algorithms", PRIVATE, "private"),
        ("private", MINE, "my_algorithms"),
        ("public", ("user://jane",), ["user://jane"]),
        ("my_algorithms", (*MINE, *PUBLIC), [*MINE, *PUBLIC]),
    ],
)
def test_a_change_by_somebody_else_is_planned_reported_and_mended(
    case: Case, word: Readers, now: tuple[str, ...], shown: Json
) -> None:
    case.spec = replace(SPEC, collection_read=word)
    case.apply()
    wanted = case.readers
    case.give(now)
    assert case.drift() == [(ONE, Drift.CHANGED, word, shown)]
    change = case.change()
    assert (change.action, change.drifted) == (Action.UPDATE, True)
    assert (read_of(change.before), read_of(change.after)) == (shown, word)
    assert [c.address for c in case.plan().visible] == [ONE]
    assert failures(case.apply()) == []
    assert case.data.given == [("One", wanted)]
    assert case.requests() == ["create One"]  # the settings are as desired, so they are not sent
    assert case.plan().visible == ()
    assert case.drift() == []


def test_a_new_word_in_the_workflow_is_no_drift(case: Case) -> None:
    case.apply()
    case.spec = replace(SPEC, collection_read="private")
    change = case.change()
    assert (change.action, change.drifted) == (Action.UPDATE, False)
    case.apply()
    assert case.readers == PRIVATE
    assert case.plan().visible == ()


def test_changed_settings_do_not_set_the_acl_again(case: Case) -> None:
    case.apply()
    case.spec = replace(SPEC, details=Details("Uno"))
    case.apply()
    assert case.requests() == ["create One", "update One"]
    assert case.data.given == []


def test_a_plan_asks_for_one_listing_of_the_collection(case: Case) -> None:
    case.apply()
    case.data.listed.clear()
    case.plan()
    assert case.data.listed == [f"{OWNER}/One"]


def test_without_data_files_nothing_is_compared_unless_the_workflow_gives_it(case: Case) -> None:
    case.spec = PLAIN
    case.apply()
    case.data.write(OWNER, "One", "theirs", b"")
    case.give(PUBLIC)
    assert (case.change().action.visible, read_of(case.change().after)) == (False, None)
    case.apply()
    case.spec = replace(PLAIN, collection_read="private")
    change = case.change()
    assert (change.action, change.drifted, read_of(change.before)) == (Action.UPDATE, False, "public")
    case.apply()
    assert case.readers == PRIVATE


def test_a_collection_that_no_data_file_creates_is_created_with_its_acl(case: Case) -> None:
    case.spec = replace(PLAIN, collection_read="private")
    case.apply()
    assert case.readers == PRIVATE
    assert case.plan().visible == ()
    case.data.remove(OWNER, "One")
    assert case.drift() == [(ONE, Drift.CHANGED, "private", "no collection")]
    assert read_of(case.change().before) == "no collection"
    case.apply()
    assert case.readers == PRIVATE
    assert case.requests() == ["create One"]


def test_a_vanished_collection_is_reported_by_its_files_only(case: Case) -> None:
    case.apply()
    case.data.remove(OWNER, "One")
    assert [(address.kind, drift) for address, drift, _, _ in case.drift()] == [("data", Drift.MISSING)]
    assert not case.change().action.visible


def test_an_existing_collection_gets_the_acl_before_a_file(case: Case) -> None:
    case.data.write(OWNER, "One", "theirs", b"")
    case.give(PUBLIC)
    case.data.failures["put One"] = Denied("no")
    case.apply()
    assert case.readers == MINE


def test_what_is_not_told_is_not_compared_and_noted(case: Case) -> None:
    case.apply()
    case.give(PUBLIC)
    case.data.tells_readers = False
    plan = case.plan()
    assert plan.visible == ()
    assert list(plan.notes()) == [(ONE, "the destination does not tell who can read the data, so that is not compared")]
    assert case.drift() == []
    case.apply()
    case.data.tells_readers = True
    assert (read_of(case.change().before), read_of(case.change().after)) == ("public", "my_algorithms")


def test_a_recorded_acl_that_is_not_told_is_no_drift(case: Case) -> None:
    case.spec = replace(SPEC, collection_read="private")
    case.apply()
    case.data.tells_readers = False
    assert case.drift() == []


def test_a_collection_that_cannot_be_listed_leaves_the_settings_comparable(case: Case) -> None:
    case.apply()
    case.data.failures["files One"] = Denied("the key has no data rights")
    assert [(address.kind, drift) for address, drift, _, _ in case.drift()] == [("data", Drift.UNKNOWN)]


def test_a_denied_change_is_told_in_words_and_no_file_is_uploaded(case: Case) -> None:
    case.data.write(OWNER, "One", "theirs", b"")
    case.give(PUBLIC)
    case.spec = replace(SPEC, collection_read="private")
    case.data.failures["set_readers One"] = Denied("PATCH /v1/data/jane/One: 403 not permitted", status=403)
    events = case.apply()
    (failed,) = failures(events)
    assert isinstance(failed.error, Denied)
    assert failed.error.message == (
        "algorithm.One: the key may not make its data private: PATCH /v1/data/jane/One: 403 not permitted"
    )
    assert f"only {OWNER}" in str(failed.error.hint)
    assert 'upload data.One["w.bin"]' in {event.step.key for event in events if isinstance(event, StepSkipped)}
    assert ONE not in case.ledger.records
    del case.data.failures["set_readers One"]
    assert failures(case.apply()) == []
    assert case.requests() == ["create One"]


def test_a_change_without_effect_is_an_error(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.apply()
    case.give(PUBLIC)
    monkeypatch.setattr(case.data, "set_readers", lambda *arguments: None)
    (failed,) = failures(case.apply())
    assert isinstance(failed.error, StoredOtherwise)
    assert 'has stored data_read "my_algorithms" as "public"' in failed.error.message


def test_a_file_as_a_target_is_not_written_before_its_acl(case: Case) -> None:
    case.spec = replace(SPEC, collection_read="private")
    case.apply()
    case.give(PUBLIC)
    case.store.write("quality", "models", "w.bin", b"new weights")
    events = case.apply('data.One["w.bin"]')
    assert failures(events) == []
    assert case.data.given == [("One", PRIVATE)]
    done = [str(event.step.address) for event in events if isinstance(event, StepDone)]
    assert list(dict.fromkeys(done)) == ["algorithm.One", 'data.One["w.bin"]']


def test_a_target_does_not_change_the_acl_of_others(case: Case) -> None:
    case.apply()
    case.give(PUBLIC)
    other = replace(PLAIN, name="Two", code="file://two", details=Details("Two"))
    (case.folder / "two" / "src").mkdir(parents=True)
    (case.folder / "two" / "src" / "Two.py").write_text("def apply(input):\n    return input\n")
    case.others = (other,)
    assert failures(case.apply("Two")) == []
    assert (case.readers, case.data.given) == (PUBLIC, [])


def older(record: Record) -> Record:
    """The record as it was written before the ACL was compared: no such attribute, in no digest and no stamp."""
    attributes = {name: value for name, value in record.attributes.items() if name != "data_read"}
    digest = digest_of(attributes)
    seen = {name: attributes.get(name, "") for name in ("summary", "tagline")} | attributes
    return replace(record, digest=digest, source_stamp=digest, destination_stamp=digest_of(seen), attributes=attributes)


def test_an_older_record_is_completed_silently(case: Case) -> None:
    case.apply()
    newer = case.ledger.records[ONE]
    case.ledger.commit(older(newer))
    assert case.drift() == []
    assert (case.plan().visible, case.change().action) == ((), Action.REFRESH)
    case.apply()
    assert case.ledger.records[ONE] == newer
    assert case.change().action is Action.NONE


def test_a_change_in_the_workflow_after_the_upgrade_is_no_drift(case: Case) -> None:
    case.apply()
    case.ledger.commit(older(case.ledger.records[ONE]))
    case.spec = replace(SPEC, details=Details("Uno"))
    assert (case.change().action, case.change().drifted) == (Action.UPDATE, False)


def test_an_acl_that_differed_before_the_upgrade_is_mended(case: Case) -> None:
    case.apply()
    case.ledger.commit(older(case.ledger.records[ONE]))
    case.give(PUBLIC)
    assert case.drift() == []  # it is not recorded
    assert (case.change().action, case.change().drifted) == (Action.UPDATE, True)
    case.apply()
    assert case.readers == MINE
