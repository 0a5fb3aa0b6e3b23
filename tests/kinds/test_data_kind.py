"""The kind `data` on stores in memory."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest
from fakes.clusters import OWNER, FakeCluster, FakeTime, context_of
from fakes.ledger import FakeLedger
from fakes.stores import FakeStore

from algosync.core.address import Address
from algosync.core.error import Conflict, Denied, SourceError, TransferError
from algosync.core.event import Event, Progress
from algosync.core.planning.change import Action, Change
from algosync.core.planning.diff import record_of
from algosync.core.planning.origin import Origin
from algosync.core.planning.plan import PlanHeader
from algosync.core.planning.schedule import Step, Verb
from algosync.core.planning.target import Selection
from algosync.core.ports import Side
from algosync.core.read_back import ReadBack, unread_note, was_read
from algosync.core.resource import Record, Resource
from algosync.core.workflow import AlgorithmSpec, DataFile, Workflow
from algosync.engine.plan import Scene, make_plan
from algosync.kinds import KINDS, PERFORMERS, Context, data
from algosync.net import Retry
from algosync.sources.remembered_facts import RememberedFacts
from algosync.sources.store import SourceStore

WEIGHTS = Address("data", "One", "w.bin")
URI = "data://.my/models/w-1.bin"
SPEC = AlgorithmSpec("One", "python3", data_files=(DataFile(URI, "w.bin"),))
CONTENT = b"0123456789"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Case:
    """One data file at the source, and an empty destination."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    store: FakeStore = field(default_factory=FakeStore)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    time: FakeTime = field(default_factory=FakeTime)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cluster.clock = self.time.clock
        self.store.write("quality", "models", "w-1.bin", CONTENT)

    def context(self, how: ReadBack = ReadBack.FULL) -> Context:
        return replace(context_of(self.cluster, SPEC, store=self.store, ledger=self.ledger, time=self.time), read_back=how)

    def change(self, context: Context) -> Change:
        (want,) = data.desired(SPEC, context)
        have = {r.address: r for r in data.observed(SPEC, context)}.get(WEIGHTS)
        return Change(WEIGHTS, Action.UPDATE if have else Action.CREATE, have, want)

    def perform(self, verb: Verb, context: Context, change: Change | None = None) -> Record:
        outcome = data.perform(Step(WEIGHTS, verb, change), SPEC, context, self.events.append)
        (record,) = outcome.records
        self.ledger.commit(record)
        return record

    def transfer(self, how: ReadBack = ReadBack.FULL) -> Record:
        context = self.context(how)
        self.perform(Verb.UPLOAD, context, self.change(context))
        return self.perform(Verb.VERIFY, context)


@pytest.fixture
def case() -> Case:
    return Case()


def test_a_file_is_uploaded_verified_and_recorded_with_both_stamps(case: Case) -> None:
    record = case.transfer()
    (want,), (have,) = data.desired(SPEC, case.context()), data.observed(SPEC, case.context())
    assert (record.digest, record.size) == (DIGEST, 10)
    assert (record.source_stamp, record.destination_stamp) == (want.stamp, have.stamp)
    assert case.cluster.data.digest(OWNER, "One", "w.bin") == DIGEST
    assert case.ledger.log == ['collection data.One["w.bin"]', 'upload data.One["w.bin"]', *['commit data.One["w.bin"]'] * 2]


def test_a_collection_with_files_is_not_created(case: Case) -> None:
    case.cluster.data.write(OWNER, "One", "other.bin", b"")
    case.cluster.data.failures["create_collection One"] = Denied("no")
    assert case.transfer().digest == DIGEST


def test_listing_reads_no_bytes(case: Case) -> None:
    case.change(case.context())
    assert case.store.opened == []
    assert case.store.listed == ["quality/models"]


def test_all_files_of_the_collection_are_observed_in_order(case: Case) -> None:
    for name in ("z", "a"):
        case.cluster.data.write(OWNER, "One", name, b"1")
    assert [r.address.name for r in data.observed(SPEC, case.context())] == ["a", "z"]


def test_reading_gives_digest_and_size_of_either_side(case: Case) -> None:
    case.cluster.data.write(OWNER, "One", "w.bin", b"theirs")
    context = case.context()
    change = case.change(context)
    assert change.before is not None
    assert change.after is not None
    assert data.read(change.after, Side.SOURCE, SPEC, context).digest == DIGEST
    read = data.read(change.before, Side.DESTINATION, SPEC, context)
    assert (read.digest, read.size) == (hashlib.sha256(b"theirs").hexdigest(), 6)


def test_a_file_that_the_workflow_does_not_have_cannot_be_read_at_the_source(case: Case) -> None:
    with pytest.raises(ValueError, match="is not in the workflow"):
        data.read(Resource(Address("data", "One", "x")), Side.SOURCE, SPEC, case.context())


def test_all_missing_files_are_named_with_the_owner_that_my_stands_for(case: Case) -> None:
    files = (DataFile("data://.my/models/a", "a"), DataFile(URI, "w.bin"), DataFile("data://lab/models/b", "b"))
    spec = AlgorithmSpec("One", "python3", data_files=files)
    with pytest.raises(SourceError) as caught:
        list(data.desired(spec, context_of(case.cluster, spec, store=case.store)))
    assert caught.value.message == "the source has no data://.my/models/a, data://lab/models/b"
    assert caught.value.hint == "the source is https://source, where `.my` is quality, the owner of SOURCE_API_KEY"


def test_a_folder_as_the_source_has_no_key(case: Case) -> None:
    store = SourceStore(case.store, "file://source", Retry())
    mine = "it has no file quality/nowhere/b, which is OWNER/COLLECTION/FILE"
    assert store.hint_for(["data://.my/nowhere/b"]) == f"the source is file://source, where `.my` is quality; {mine}"
    other = "it has no file lab/models/b, which is OWNER/COLLECTION/FILE"
    assert store.hint_for(["data://lab/models/b"]) == f"the source is file://source; {other}"


def test_a_missing_file_is_named_with_its_line_and_the_nearest_path(case: Case) -> None:
    """The nearest path may be in another collection that the workflow uses."""
    spec = AlgorithmSpec("One", "python3", data_files=(DataFile("data://.my/modles/w-1.bin", "x", 12), DataFile(URI, "w.bin", 13)))
    with pytest.raises(SourceError) as caught:
        list(data.desired(spec, context_of(case.cluster, spec, store=case.store)))
    assert caught.value.message == "the source has no data://.my/modles/w-1.bin (line 12 of the workflow)"
    assert str(caught.value.hint).startswith(f"did you mean {URI}? the source is ")


def test_without_a_single_owner_the_hint_names_none(case: Case) -> None:
    case.store.owner = None
    assert case.context().store.hint_for(["data://.my/nowhere/x"]) == "the source is https://source"


def test_a_file_that_appeared_since_the_plan_is_not_overwritten(case: Case) -> None:
    context = case.context()
    change = case.change(context)
    case.cluster.data.write(OWNER, "One", "w.bin", b"theirs")
    with pytest.raises(Conflict, match="somebody changed it since the plan was made"):
        case.perform(Verb.UPLOAD, context, change)
    assert case.cluster.data.digest(OWNER, "One", "w.bin") == hashlib.sha256(b"theirs").hexdigest()


def test_a_file_that_changed_since_the_plan_is_not_overwritten(case: Case) -> None:
    case.cluster.data.write(OWNER, "One", "w.bin", b"theirs")
    context = case.context()
    change = case.change(context)
    case.cluster.data.write(OWNER, "One", "w.bin", b"theirs")
    with pytest.raises(Conflict):
        case.perform(Verb.UPLOAD, context, change)


@pytest.mark.parametrize(("content", "overwritten"), [(b"theirs", True), (b"longer than theirs", False)])
def test_of_a_file_that_had_no_stamp_in_the_plan_the_size_decides(case: Case, content: bytes, overwritten: bool) -> None:
    case.cluster.data.young = 1
    case.cluster.data.write(OWNER, "One", "w.bin", b"theirs")
    context = case.context()
    change = case.change(context)
    assert change.before is not None
    assert change.before.stamp is None
    case.cluster.data.young = 0
    case.cluster.data.write(OWNER, "One", "w.bin", content)
    if overwritten:
        assert case.perform(Verb.UPLOAD, context, change).digest == DIGEST
    else:
        with pytest.raises(Conflict):
            case.perform(Verb.UPLOAD, context, change)


def test_a_source_of_another_size_than_planned_is_refused(case: Case) -> None:
    context = case.context()
    change = case.change(context)
    assert change.after is not None
    with pytest.raises(SourceError, match="its listing says 9"):
        case.perform(Verb.UPLOAD, context, replace(change, after=replace(change.after, size=9)))


def test_a_source_whose_size_is_not_known_is_compared_after_the_upload(case: Case) -> None:
    context = case.context()
    change = case.change(context)
    assert change.after is not None
    with pytest.raises(TransferError, match="the source changed since the plan was made"):
        case.perform(Verb.UPLOAD, context, replace(change, after=replace(change.after, size=None)))


def test_a_step_without_desired_content_is_an_error_of_the_caller(case: Case) -> None:
    with pytest.raises(ValueError, match="has no desired content"):
        case.perform(Verb.UPLOAD, case.context())


def test_the_collection_is_listed_once_for_all_uploads(case: Case) -> None:
    context = case.context()
    change = case.change(context)
    for _ in range(3):
        case.perform(Verb.UPLOAD, context, change)
    assert case.cluster.data.listed == [f"{OWNER}/One"] * 2  # by the plan, and before the first upload


def test_the_bytes_are_read_when_the_stamp_has_settled(case: Case) -> None:
    """One second after it was listed, and as long as clocks may differ."""
    opened: list[int] = []
    case.time.during = lambda: opened.append(len(case.cluster.data.opened))
    assert case.transfer().destination_stamp == "10@1"
    assert (opened, case.cluster.data.opened) == ([0], ["w.bin"])
    assert case.time.now == pytest.approx(1.1)
    assert case.cluster.data.listed == [f"{OWNER}/One"] * 3  # by the plan, before the upload, and after it


def test_a_recorded_stamp_is_trusted_at_any_age(case: Case) -> None:
    case.cluster.data.young = 1000
    record = case.transfer()
    (have,) = data.observed(SPEC, case.context())
    assert have.stamp == record.destination_stamp == "10@1", "the next plan reads nothing"
    case.cluster.data.write(OWNER, "One", "w.bin", CONTENT)
    (have,) = data.observed(SPEC, case.context())
    assert have.stamp is None


def test_a_file_without_a_time_gets_no_stamp_and_is_read_at_once(case: Case) -> None:
    case.cluster.data.written = None
    assert (case.transfer().destination_stamp, case.time.now, case.cluster.data.opened) == (None, 0, ["w.bin"])


def verified_together(number: int, threads: int) -> tuple[list[str], float]:
    """The listings for the verification of this many files of one collection by threads, and the seconds of its pauses."""
    files = tuple(DataFile(f"data://.my/models/{place}", str(place)) for place in range(number))
    spec = AlgorithmSpec("One", "python3", data_files=files)
    store, time = FakeStore(), FakeTime()
    cluster = FakeCluster(clock=time.clock)
    for place in range(number):
        store.write("quality", "models", str(place), CONTENT)
    context = context_of(cluster, spec, store=store, time=time)
    changes = [Change(r.address, Action.CREATE, None, r) for r in data.desired(spec, context)]

    def perform(verb: Verb, change: Change) -> None:
        outcome = data.perform(Step(change.address, verb, change), spec, context, lambda _: None)
        for record in outcome.records:
            context.ledger.commit(record)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(partial(perform, Verb.UPLOAD), changes))
        cluster.data.listed.clear()
        list(pool.map(partial(perform, Verb.VERIFY), changes))
    assert all(context.ledger.records[change.address].destination_stamp for change in changes)
    return cluster.data.listed, time.now


def test_files_that_were_uploaded_before_are_verified_with_one_listing() -> None:
    listed, _ = verified_together(50, threads=8)
    assert listed == [f"{OWNER}/One"]


def test_files_share_the_wait_for_their_stamps_to_settle() -> None:
    listed, waited = verified_together(50, threads=1)
    assert (len(listed), round(waited, 6)) == (1, 1.1)


@pytest.mark.parametrize("stale", [1, 2])
def test_a_listing_from_before_the_write_does_not_count(case: Case, stale: int) -> None:
    """Neither where the file is new, nor where it had the same size."""
    for content in (CONTENT, CONTENT[::-1]):
        case.store.write("quality", "models", "w-1.bin", content)
        case.cluster.data.stale, before = 0, case.cluster.data.listed.copy()
        context = case.context()
        case.perform(Verb.UPLOAD, context, case.change(context))
        case.cluster.data.stale = stale
        record = case.perform(Verb.VERIFY, context)
        assert len(case.cluster.data.listed) - len(before) == 3 + stale
        (have,) = data.observed(SPEC, case.context())
        assert have.stamp == record.destination_stamp


@pytest.mark.parametrize("how", [ReadBack.SIZE, ReadBack.NONE])
def test_a_file_that_is_not_read_back_is_recorded_as_such(case: Case, how: ReadBack) -> None:
    record = case.transfer(how)
    assert case.cluster.data.opened == []
    assert (record.digest, record.destination_stamp, was_read(record)) == (DIGEST, "10@1", False)
    (want,), (have,) = data.desired(SPEC, case.context()), data.observed(SPEC, case.context())
    assert (want.stamp, have.stamp) == (record.source_stamp, record.destination_stamp), "the next plan is empty"
    assert unread_note([record])
    read = data.read(have, Side.DESTINATION, SPEC, case.context())
    assert was_read(record_of(read, read, record)), "whoever reads it has it recorded"
    assert was_read(case.transfer())


def test_another_size_is_an_error_where_sizes_are_compared(case: Case) -> None:
    context = case.context(ReadBack.SIZE)
    case.perform(Verb.UPLOAD, context, case.change(context))
    case.cluster.data.write(OWNER, "One", "w.bin", b"short")
    with pytest.raises(TransferError, match="is not what was sent"):
        case.perform(Verb.VERIFY, context)


@pytest.mark.parametrize("found", [b"short", None])
def test_without_any_check_the_next_plan_shows_what_did_not_arrive(case: Case, found: bytes | None) -> None:
    context = case.context(ReadBack.NONE)
    case.perform(Verb.UPLOAD, context, case.change(context))
    case.cluster.data.delete(OWNER, "One", "w.bin")
    if found is not None:
        case.cluster.data.write(OWNER, "One", "w.bin", found)
    assert case.perform(Verb.VERIFY, context).destination_stamp is None


def test_a_file_that_vanished_is_an_error(case: Case) -> None:
    case.ledger.commit(Record(WEIGHTS, DIGEST, None, None, 10))
    with pytest.raises(TransferError, match="is not there although its upload was accepted"):
        case.perform(Verb.VERIFY, case.context())


@pytest.mark.parametrize("content", [b"9876543210", b"short"])
def test_a_file_with_other_bytes_is_an_error(case: Case, content: bytes) -> None:
    context = case.context()
    case.perform(Verb.UPLOAD, context, case.change(context))
    case.cluster.data.write(OWNER, "One", "w.bin", content)
    with pytest.raises((TransferError, SourceError)):
        case.perform(Verb.VERIFY, context)


def test_progress_is_reported_at_intervals(case: Case) -> None:
    case.store.write("quality", "models", "w-1.bin", bytes(40))
    context = context_of(case.cluster, SPEC, store=case.store, ledger=case.ledger)
    ticks = iter(number * 0.04 for number in range(1000))
    object.__setattr__(context, "clock", lambda: next(ticks))
    case.perform(Verb.UPLOAD, context, case.change(context))
    done = [event.done for event in case.events if isinstance(event, Progress)]
    assert 0 < len(done) < 10  # ten blocks
    assert done == sorted(done)
    assert {event.total for event in case.events if isinstance(event, Progress)} == {40}


def test_its_steps_and_its_explanation(case: Case) -> None:
    change = case.change(case.context())
    assert data.verbs(change) == (Verb.UPLOAD, Verb.VERIFY)
    assert data.explain(change, SPEC, case.context()) is change


def test_nearest_names_are_looked_up_for_the_first_missing_files_only() -> None:
    store = FakeStore()
    for place in range(30):
        store.write("quality", "models", f"weights-{place:02}.bin", CONTENT)
    files = tuple(DataFile(f"data://.my/models/weight-{place:02}.bin", str(place)) for place in range(30))
    spec = AlgorithmSpec("One", "python3", data_files=files)
    with pytest.raises(SourceError) as caught:
        list(data.desired(spec, context_of(FakeCluster(), spec, store=store)))
    assert caught.value.message.count("weight-") == 30
    assert str(caught.value.hint).count("weights-") == 10


def test_a_missing_file_gets_the_nearest_name() -> None:
    case = Case()
    spec = replace(SPEC, data_files=(DataFile("data://.my/models/w-2.bin", "w.bin"), DataFile("data://.my/nowhere/x", "x")))
    with pytest.raises(SourceError) as caught:
        list(data.desired(spec, context_of(case.cluster, spec, store=case.store)))
    assert caught.value.message == "the source has no data://.my/models/w-2.bin, data://.my/nowhere/x"
    assert str(caught.value.hint).startswith("did you mean data://.my/models/w-1.bin? ")


def remembering(case: Case, folder: Path, *, trusts_stamps: bool = True) -> Context:
    """The context of a new command with a local source, and with what earlier ones remembered in the folder."""
    context = context_of(case.cluster, SPEC, store=case.store, ledger=case.ledger, time=case.time, source_name="file://source")
    sources = replace(context.desired_sources.sources, memory=RememberedFacts(folder / "cache" / "memory.json"))
    return replace(context, desired_sources=replace(context.desired_sources, sources=sources, trusts_stamps=trusts_stamps))


def test_a_remembered_digest_does_not_count_if_stamps_are_not_trusted(case: Case, tmp_path: Path) -> None:
    for trusts, opened in ((True, 1), (True, 1), (False, 2), (False, 3), (True, 3)):
        context = remembering(case, tmp_path, trusts_stamps=trusts)
        data.explain(case.change(context), SPEC, context)
        context.sources.memory.save()
        assert len(case.store.opened) == opened


def test_a_local_file_is_read_once_by_plans_as_long_as_its_stamp_stays(case: Case, tmp_path: Path) -> None:
    def digest() -> str | None:
        context = remembering(case, tmp_path)
        after = data.explain(case.change(context), SPEC, context).after
        context.sources.memory.save()
        assert after is not None
        return after.digest

    assert [digest() for _ in range(3)] == [DIGEST] * 3
    assert case.store.opened == ["w-1.bin"]
    case.store.write("quality", "models", "w-1.bin", CONTENT[::-1])
    assert digest() == hashlib.sha256(CONTENT[::-1]).hexdigest()
    case.store.young = 9
    case.store.write("quality", "models", "w-1.bin", CONTENT)
    assert [digest() for _ in range(2)] == [DIGEST] * 2, "a young file has no stamp, so it is read each time"
    assert len(case.store.opened) == 4


def test_a_digest_that_is_not_that_of_the_bytes_fails_one_run_only(case: Case, tmp_path: Path) -> None:
    """Not every file system gives changed bytes another stamp."""

    def context() -> Context:
        found = context_of(case.cluster, SPEC, store=case.store, ledger=case.ledger, source_name="file://source")
        memory = RememberedFacts(tmp_path / "cache" / "memory.json")
        sources = replace(found.desired_sources.sources, memory=memory)
        return replace(found, desired_sources=replace(found.desired_sources, sources=sources))

    first = context()
    want = case.change(first).after
    assert want is not None
    first.sources.memory.note_digest(want.stamp or "", hashlib.sha256(b"as it was before").hexdigest())
    first.sources.memory.save()
    second = context()
    with pytest.raises(SourceError, match="changed since the plan was made"):
        case.perform(Verb.UPLOAD, second, data.explain(case.change(second), SPEC, second))
    second.sources.memory.save()
    third = context()
    assert case.perform(Verb.UPLOAD, third, data.explain(case.change(third), SPEC, third)).digest == DIGEST


@pytest.mark.parametrize(("name", "digest"), [("file://source", DIGEST), ("https://source", None)])
def test_a_plan_names_the_digest_of_a_file_that_costs_no_transfer(name: str, digest: str | None) -> None:
    case = Case()
    context = context_of(case.cluster, SPEC, store=case.store, source_name=name)
    change = data.explain(case.change(context), SPEC, context)
    assert change.after is not None
    assert (change.after.digest, change.after.size) == (digest, len(CONTENT))
    assert case.store.opened == (["w-1.bin"] if digest else [])


def test_a_plan_with_a_target_asks_no_more_requests_however_many_algorithms_there_are(tmp_path: Path) -> None:
    """The manifests of other algorithms are not read either."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "One.py").write_text("def apply(input):\n    return input\n")
    one = replace(SPEC, code="file://.")
    requests = []
    for count in (1, 40):
        case = Case()
        case.store.write("quality", "code", "other.tar.gz", b"")
        others = (replace(SPEC, name=f"Other{n}", code="data://.my/code/other.tar.gz") for n in range(count))
        flow = Workflow("w", str(tmp_path), (one, *others))
        context = context_of(case.cluster, *flow.algorithms, folder=tmp_path, store=case.store, reached={"One"})
        plan = make_plan(flow, Scene(KINDS, PERFORMERS, context, 2), {}, PlanHeader("w", None, "d", OWNER), Selection(("One",)))
        assert {change.address.algorithm for change in plan.changes} == {"One"}
        requests.append((sorted(case.cluster.algorithms.requests), case.store.listed, case.store.opened))
    assert requests[0] == requests[1]
    assert requests[0][2] == []


def test_a_file_that_has_drifted_tells_when_it_was_written(case: Case) -> None:
    for modified, at in (("2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05+00:00"), ("yesterday", "")):
        case.cluster.data.write(OWNER, "One", "w.bin", b"other")
        case.cluster.data.modified = modified
        context = case.context()
        change = replace(case.change(context), drifted=True)
        assert Origin.of(data.explain(change, SPEC, context)) == Origin(at=at)
        assert Origin.of(data.explain(replace(change, drifted=False), SPEC, context)) == Origin()
