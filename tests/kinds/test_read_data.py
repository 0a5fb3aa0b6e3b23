"""An algorithm whose source reads data of another one, on a cluster in memory. Workers load it at the first call of a version."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakes.clusters import OWNER, FakeAlgorithms, FakeCluster, FakeTime, context_of
from fakes.ledger import FakeLedger
from fakes.stores import FakeStore
from release_site import HEADER, KilledError

from algosync.core.address import Address
from algosync.core.error import TestFailed
from algosync.core.event import Event, StepFailed
from algosync.core.planning.change import Action
from algosync.core.planning.data_reads import READ_DATA, READS
from algosync.core.planning.explanation import Reason, explanations
from algosync.core.planning.plan import Plan
from algosync.core.planning.schedule import Verb
from algosync.core.planning.target import Selection
from algosync.core.report import Report, fold
from algosync.core.resource import Record
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec, DataFile, Publish, Workflow
from algosync.engine.apply import apply, schedule_of
from algosync.engine.plan import Scene, make_plan
from algosync.kinds import KINDS, PERFORMERS, Context

READER = Address("version", "Reader")
WHOLE = b'LABELS = "data://.my/Other/" + name\n'
ONE_FILE = b'LABELS = "data://<user>/Other/labels.txt"\n'
REASON = "data of Other changed, which its source reads"
EVERYTHING = Selection()


class Workers(FakeAlgorithms):
    """A call of Reader fails if the file of Other that its worker loaded is broken."""

    def __init__(self, data: FakeStore) -> None:
        super().__init__()
        self._data = data
        self.loaded: dict[tuple[str, str], bytes] = {}

    def call(self, owner: str, name: str, reference: str, payload: str, timeout: int) -> Answer:
        if name == "Reader":
            now = content(self._data, "labels.txt")
            assert self.loaded.setdefault((name, reference), now) == now, "a commit was tested whose workers have another file"
            if b"broken" in now:
                raise TestFailed("its labels are broken")
        return super().call(owner, name, reference, payload, timeout)


def content(data: FakeStore, name: str) -> bytes:
    with data.open(OWNER, "Other", name) as download:
        return b"".join(download.blocks)


def spec_of(name: str, *files: str, tested: bool = True) -> AlgorithmSpec:
    data = tuple(DataFile(f"data://.my/models/{file}", file) for file in files)
    return AlgorithmSpec(name, "python3", data_files=data, tests=(TestCase("", "1"),) if tested else ())


@dataclass
class ReadingSite:
    """Reader comes first in the file, and reads data of Other. `killed_at`: apply is killed before it commits that record."""

    folder: Path
    reads: bytes = WHOLE
    specs: dict[str, AlgorithmSpec] = field(default_factory=dict)
    store: FakeStore = field(default_factory=FakeStore)
    cluster: FakeCluster = field(default_factory=FakeCluster)
    killed_at: int = 0
    commits: int = 0

    def __post_init__(self) -> None:
        self.algorithms = Workers(self.cluster.data)
        self.cluster.algorithms = self.algorithms
        self.ledger = FakeLedger(before_commit=self.count_commit)
        for spec in (spec_of("Reader"), spec_of("Other", "labels.txt", "more.txt")):
            self.specs[spec.name] = spec
        self.code("Reader", self.reads)
        self.code("Other", b"")
        self.write("labels.txt", b"cat")
        self.write("more.txt", b"m")
        assert self.apply().exit_code == 0

    def count_commit(self, record: Record) -> None:
        self.commits += 1
        if self.commits == self.killed_at:
            raise KilledError

    def code(self, name: str, text: bytes) -> None:
        path = self.folder / "algorithms" / name / "src" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)

    def write(self, name: str, data: bytes) -> None:
        self.store.write("quality", "models", name, data)

    def change(self, **fields: object) -> None:
        self.specs["Reader"] = replace(self.specs["Reader"], **fields)  # type: ignore[arg-type]  # fields of a spec

    def scene(self) -> tuple[Workflow, Scene[Context]]:
        specs = tuple(self.specs.values())
        context = context_of(self.cluster, *specs, folder=self.folder, store=self.store, ledger=self.ledger, time=FakeTime())
        return Workflow("w", str(self.folder), specs), Scene(KINDS, PERFORMERS, context, 1)

    def plan(self, wanted: Selection = EVERYTHING) -> Plan:
        workflow, scene = self.scene()
        return make_plan(workflow, scene, self.ledger.records, HEADER, wanted)

    def apply(self, wanted: Selection = EVERYTHING) -> Report:
        return fold(self.events(wanted), lambda: self.ledger.wrote)

    def events(self, wanted: Selection = EVERYTHING) -> list[Event]:
        workflow, scene = self.scene()
        plan = make_plan(workflow, scene, self.ledger.records, HEADER, wanted)
        with closing(apply(plan, workflow, scene, self.ledger)) as events:
            return list(events)

    def restart(self, private: Iterable[str] = ()) -> None:
        """After a kill. Records forget the `private` members."""
        records = [
            replace(r, private={n: v for n, v in r.private.items() if n not in private}) for r in self.ledger.records.values()
        ]
        pending: set[str] = set()
        for entry in self.ledger.log:
            verb, _, address = entry.partition(" ")
            pending = pending - {address} if verb in ("commit", "forget") else pending | {address}
        self.killed_at = 0
        self.ledger = FakeLedger(
            [replace(r, destination_stamp=None) if str(r.address) in pending else r for r in records],
            before_commit=self.count_commit,
        )

    def published(self, name: str = "Reader") -> str:
        return self.algorithms.algorithms[name].versions[0].number


@pytest.fixture
def site(tmp_path: Path) -> ReadingSite:
    return ReadingSite(tmp_path / "site")


def visible(plan: Plan) -> list[str]:
    return [str(change.address) for change in plan.visible]


def converged(site: ReadingSite) -> bool:
    commit = site.algorithms.algorithms["Reader"].versions[0].commit
    loaded = site.algorithms.loaded["Reader", commit] == content(site.cluster.data, "labels.txt")
    return loaded and site.plan().visible == ()


def test_a_plan_after_the_first_release_is_empty(site: ReadingSite) -> None:
    assert site.plan().visible == ()
    assert not list(site.plan().notes())


@pytest.mark.parametrize("reads", [WHOLE, ONE_FILE, b'"data://jane/Other/labels.txt"', b"# data://.my/Other"])
def test_changed_data_of_another_algorithm_publishes_a_fresh_commit(tmp_path: Path, reads: bytes) -> None:
    site = ReadingSite(tmp_path, reads)
    site.write("labels.txt", b"dog")
    plan = site.plan()
    (version,) = (change for change in plan.versions if change.address == READER)
    assert (version.action, version.reason) == (Action.UPDATE, REASON)
    (why,) = explanations(plan, site.ledger.records, [str(READER)])
    assert why.reason is Reason.READ_DATA_CHANGED
    head = site.algorithms.algorithms["Reader"].repository.head()
    assert site.apply().exit_code == 0
    assert site.algorithms.algorithms["Reader"].repository.head() != head
    assert (site.published(), converged(site)) == ("0.2.0", True)


def test_a_new_file_and_a_mended_file_of_another_algorithm_count(site: ReadingSite) -> None:
    site.write("new.txt", b"new")
    site.specs["Other"] = spec_of("Other", "labels.txt", "more.txt", "new.txt")
    site.apply()
    assert (site.published(), converged(site)) == ("0.2.0", True)
    site.cluster.data.write(OWNER, "Other", "labels.txt", b"somebody")
    site.apply()
    assert (site.published(), converged(site)) == ("0.3.0", True)


@pytest.mark.parametrize("reads", [ONE_FILE, b"", b'"data://.my/Others/labels.txt"', b'"data://somebody/Other/labels.txt"'])
def test_data_that_the_source_does_not_read_publishes_nothing(tmp_path: Path, reads: bytes) -> None:
    site = ReadingSite(tmp_path, reads)
    site.write("more.txt" if reads == ONE_FILE else "labels.txt", b"new")
    assert not any(change.address == READER for change in site.plan().visible)
    site.apply()
    assert (site.published("Other"), site.published(), site.plan().visible) == ("0.2.0", "0.1.0", ())


def test_the_test_comes_after_the_data_and_version_of_the_other(site: ReadingSite) -> None:
    site.write("labels.txt", b"dog")
    _, scene = site.scene()
    keys = [step.key for step in schedule_of(site.plan(), scene).steps]
    assert keys.index("publish version.Other") < keys.index("test.Reader") < keys.index("publish version.Reader")


def test_a_failing_test_leaves_the_version_and_says_what_is_live(site: ReadingSite) -> None:
    site.write("labels.txt", b"broken")
    (failed,) = (event for event in site.events() if isinstance(event, StepFailed))
    assert (failed.step.address, failed.step.verb) == (Address("test", "Reader"), Verb.TEST)
    assert failed.error.hint == (
        "version 0.1.0 of Reader stays published, and the changed data of Other is live: fix Reader or that data"
    )
    assert (site.published("Other"), site.published(), content(site.cluster.data, "labels.txt")) == ("0.2.0", "0.1.0", b"broken")
    assert visible(site.plan()) == ["version.Reader"]
    head = site.algorithms.algorithms["Reader"].repository.head()
    site.events()
    assert site.algorithms.algorithms["Reader"].repository.head() == head, "its workers have the newest data"
    site.write("labels.txt", b"mended")
    assert site.apply().exit_code == 0
    assert (site.published(), converged(site)) == ("0.2.0", True)


def test_data_that_is_put_back_publishes_nothing(site: ReadingSite) -> None:
    """Other's test fails with the new data, so it gets the previous bytes back, and is held."""
    site.algorithms.failing_payloads.add("2")
    site.specs["Other"] = replace(site.specs["Other"], tests=(TestCase("", "2"),))
    site.write("labels.txt", b"dog")
    assert site.apply().exit_code != 0
    assert (content(site.cluster.data, "labels.txt"), site.published()) == (b"cat", "0.1.0")
    held = {str(change.address): change.action for change in site.plan().visible}
    assert held == {'data.Other["labels.txt"]': Action.HOLD, "version.Other": Action.HOLD}


def test_an_interrupted_apply_converges(tmp_path: Path) -> None:
    whole = ReadingSite(tmp_path / "whole")
    start = whole.commits
    whole.write("labels.txt", b"dog")
    whole.apply()
    assert whole.commits > start
    for number in range(start + 1, whole.commits + 1):
        site = ReadingSite(tmp_path / str(number))
        site.write("labels.txt", b"dog")
        site.killed_at = number
        with suppress(KilledError):
            site.apply()
        site.restart()
        assert site.apply().exit_code == 0
        assert (site.published(), converged(site)) == ("0.2.0", True), number


@pytest.mark.parametrize("then", [lambda site: None, lambda site: site.apply()])
def test_a_state_of_an_older_version_gives_an_empty_plan(site: ReadingSite, then: Callable[[ReadingSite], object]) -> None:
    site.restart(private=[READ_DATA])
    code = site.ledger.records[Address("source", "Reader")]
    site.ledger.commit(replace(code, attributes={n: v for n, v in code.attributes.items() if n != READS}))
    assert site.plan().visible == ()
    then(site)
    site.write("labels.txt", b"dog")
    assert REASON in [change.reason for change in site.plan().visible]
    site.apply()
    assert (site.published(), converged(site)) == ("0.2.0", True)


def test_data_that_an_apply_of_the_other_alone_wrote_is_due_later(site: ReadingSite) -> None:
    site.write("labels.txt", b"dog")
    assert site.apply(Selection(targets=("Other",))).exit_code == 0
    assert visible(site.plan()) == ["version.Reader"]
    site.apply()
    assert (site.published(), converged(site)) == ("0.2.0", True)


def test_a_commit_that_was_called_before_the_data_changed_is_not_tested_again(site: ReadingSite) -> None:
    site.algorithms.failing_payloads.add("2")
    site.change(tests=(TestCase("", "2"),))
    site.code("Reader", WHOLE + WHOLE)
    assert site.apply().exit_code != 0
    site.algorithms.failing_payloads.clear()
    site.write("labels.txt", b"dog")
    assert site.apply(Selection(targets=("Other",))).exit_code == 0
    assert site.apply().exit_code == 0
    assert (site.published(), converged(site)) == ("0.2.0", True)


def test_a_target_brings_the_data_that_it_reads_up_to_date(site: ReadingSite) -> None:
    site.specs["Third"] = spec_of("Third")
    site.code("Third", b"")
    site.write("labels.txt", b"dog")
    assert site.apply(Selection(targets=("Reader",))).exit_code == 0
    assert (site.published("Other"), site.published()) == ("0.2.0", "0.2.0")
    assert {change.address.algorithm for change in site.plan().visible} == {"Third"}


def test_excluding_the_other_leaves_out_what_reads_its_data(site: ReadingSite) -> None:
    site.write("labels.txt", b"dog")
    assert site.plan(Selection(exclude=("Other",))).changes == ()


def test_publish_on_decides_about_data_of_others_too(site: ReadingSite) -> None:
    site.change(publish=Publish(on=frozenset({"source", "settings"})))
    site.write("labels.txt", b"dog")
    site.apply()
    assert (site.published(), site.plan().visible) == ("0.1.0", ())
    site.change(publish=Publish())
    assert visible(site.plan()) == ["version.Reader"]
    site.apply()
    assert (site.published(), converged(site)) == ("0.2.0", True)


def test_a_source_that_begins_to_read_data_is_no_reason_by_itself(tmp_path: Path) -> None:
    site = ReadingSite(tmp_path, b"")
    site.change(publish=Publish(on=frozenset({"data"})))
    site.code("Reader", WHOLE)
    site.apply()
    assert (site.published(), site.plan().visible) == ("0.1.0", ())


def test_reads_that_would_make_a_cycle_are_noted_and_ignored(site: ReadingSite) -> None:
    site.specs["Reader"] = replace(spec_of("Reader", "own.txt"))
    site.write("own.txt", b"one")
    site.code("Other", b'open("data://.my/Reader/own.txt")\n')
    assert site.apply().exit_code == 0
    notes = ["it reads data of Reader, which depends on Other: Other is not tested again when only that data changes"]
    assert [note for _, note in site.plan().notes()] == notes
    assert site.plan().visible == ()
    site.write("own.txt", b"two")
    assert {change.address.algorithm for change in site.plan().visible} == {"Reader"}


def test_the_plan_has_the_dependency(site: ReadingSite) -> None:
    assert dict(site.plan().depends_on) == {"Reader": ("Other",), "Other": ()}
