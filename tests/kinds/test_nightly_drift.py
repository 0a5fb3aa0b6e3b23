"""A nightly drift report, each from a clone that is thrown away, with a shared state: times, coverage and the budget of reading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from planted import World, world_of

from algosync.cli.drifting.options import ReadingOptions
from algosync.cli.drifting.seen import remembered
from algosync.cli.transferring.byte_count import byte_count
from algosync.core.address import Address
from algosync.core.error import Denied, UsageError
from algosync.core.planning.change import Drift, Finding
from algosync.core.planning.coverage import Coverage, Examined, Gap, LeftOut, Reading
from algosync.core.planning.target import Checksum
from algosync.core.workflow import AlgorithmSpec
from algosync.state import TestResults, parse_address, state_name

NIGHTS = tuple(f"2026-03-0{day}T02:00:00+00:00" for day in (1, 2, 3))
A_DAY = 86_400
BUDGET = Reading(Checksum.ALWAYS, len(b"weights"))


def results(shared: Path) -> TestResults:
    """As a process on a new machine opens them."""
    return TestResults(lambda name: parse_address(str(shared))(name, "algosync drift"), state_name("w", "local", "me"))


def night(world: World, shared: Path, at: str, reading: Reading | None = None) -> dict[str, Finding]:
    known = results(shared)
    verified = known.seen().verified
    examined = world.examine(replace(reading or Reading(), verified=verified))
    findings, warning = remembered(examined, known.record_seen, at, str, lambda address: address.kind == "test")
    assert warning == ""
    return {str(finding.address): finding for finding in findings}


def times(found: dict[str, Finding]) -> dict[str, tuple[str, int | None]]:
    return {address: (finding.first_seen, finding.age) for address, finding in found.items()}


def test_first_seen_and_age_are_right_on_the_third_night(tmp_path: Path) -> None:
    world, shared = world_of(tmp_path, "A", "B", "C"), tmp_path / "shared"
    world.there("A").settings["network_access"] = "isolated"
    world.overwrite("B", b"other weights")
    first = night(world, shared, NIGHTS[0])
    assert times(first) == {"algorithm.A": (NIGHTS[0], 0), 'data.B["w.bin"]': (NIGHTS[0], 0)}
    world.overwrite("B", b"WEIGHTS")
    commit = world.there("C").repository.push_behind("src/C.py", b"x")
    world.there("A").settings["network_access"] = "full"
    night(world, shared, NIGHTS[1])
    world.there("A").settings["network_access"] = "isolated"
    later = world.there("C").repository.push_behind("src/C.py", b"y")
    third = night(world, shared, NIGHTS[2])
    assert times(third) == {
        "algorithm.A": (NIGHTS[2], 0),
        'data.B["w.bin"]': (NIGHTS[0], 2 * A_DAY),
        "source.C": (NIGHTS[1], A_DAY),
    }
    shown = third["source.C"].after
    assert shown is not None
    assert (shown.attributes["commit"], later != commit) == (later, True), "the new commit, with the old time"


def test_a_night_that_cannot_look_keeps_the_time(tmp_path: Path) -> None:
    world, shared = world_of(tmp_path, "A"), tmp_path / "shared"
    world.overwrite("A", b"theirs", "more.bin")
    assert times(night(world, shared, NIGHTS[0])) == {'data.A["more.bin"]': (NIGHTS[0], 0)}
    world.cluster.data.failures["files A"] = Denied("403")
    unknown = night(world, shared, NIGHTS[1])
    assert {finding.drift for finding in unknown.values()} == {Drift.UNKNOWN}
    world.cluster.data.failures.clear()
    assert times(night(world, shared, NIGHTS[2])) == {'data.A["more.bin"]': (NIGHTS[0], 2 * A_DAY)}


def test_a_night_that_ran_no_tests_keeps_changed_answers(tmp_path: Path) -> None:
    test = Address("test", "A", "t")
    changed = Examined((Finding(test, Drift.BEHAVIOUR),), Coverage())
    known = results(tmp_path)
    remembered(changed, known.record_seen, NIGHTS[0], str, lambda _: False)
    remembered(Examined((), Coverage()), known.record_seen, NIGHTS[1], str, lambda address: address.kind == "test")
    (finding,) = remembered(changed, known.record_seen, NIGHTS[2], str, lambda _: False)[0]
    assert finding.first_seen == NIGHTS[0]


def test_names_are_stored_without_secrets_and_a_document_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    examined = Examined((Finding(Address("data", "A", "token.bin"), Drift.UNMANAGED),), Coverage())
    hidden = remembered(
        examined, results(tmp_path).record_seen, NIGHTS[0], lambda text: text.replace("token", "***"), lambda _: False
    )
    assert hidden[0][0].first_seen == NIGHTS[0]
    assert all(b"token" not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    newer = tmp_path / "newer"
    newer.mkdir()
    document = newer / "w@local~me.json.results"
    document.write_text('{"format_version": 9, "tests": {}}')
    (finding,), warning = remembered(examined, results(newer).record_seen, NIGHTS[1], str, lambda _: False)
    assert "the times when drift was first seen are not remembered" in warning
    assert "was written by a newer algosync" in warning
    assert finding.address == examined.findings[0].address
    assert document.read_text() == '{"format_version": 9, "tests": {}}'


def test_what_was_not_looked_at_is_told(tmp_path: Path) -> None:
    world = world_of(tmp_path, "A", "B")
    world.specs += (AlgorithmSpec("Later", "python3"),)
    world.cluster.data.failures["files B"] = Denied("403")
    world.cluster.data.failures["open A"] = Denied("forbidden")
    world.overwrite("A", b"WEIGHTS")
    coverage = world.examine().coverage
    assert coverage.left_out == (
        LeftOut(Address("algorithm", "Later"), Gap.NOT_APPLIED),
        LeftOut(Address("data", "B"), Gap.NOT_READABLE, "403"),
        LeftOut(Address("data", "A", "w.bin"), Gap.NOT_READABLE, "forbidden"),
    )
    assert coverage.misses(Address("data", "B", "any"))
    assert not coverage.misses(Address("source", "B"))
    assert {a.algorithm for a in coverage.compared if a.kind != "algorithm"} == {"A", "B"}


def test_the_bytes_of_all_files_are_compared_if_that_is_asked_for(tmp_path: Path) -> None:
    """A write of equal size whose time was set back leaves the stamp as it is."""
    world = world_of(tmp_path, "A")
    stamp = world.ledger.records[Address("data", "A", "w.bin")].destination_stamp
    assert stamp is not None
    world.overwrite("A", b"WEIGHTS")
    world.cluster.data.set_stamp("jane", "A", "w.bin", stamp)
    assert world.examine().findings == ()
    assert world.examine().coverage.trusted == 1
    examined = world.examine(Reading(Checksum.ALWAYS))
    assert [(str(f.address), f.drift) for f in examined.findings] == [('data.A["w.bin"]', Drift.CHANGED)]
    assert (dict(examined.coverage.read), examined.coverage.trusted) == ({Address("data", "A", "w.bin"): 7}, 0)


def test_the_budget_reads_what_was_not_read_for_the_longest_time(tmp_path: Path) -> None:
    world, shared = world_of(tmp_path, "A", "B", "C"), tmp_path / "shared"
    read = []
    for at in (*NIGHTS, "2026-03-04T02:00:00+00:00"):
        world.cluster.data.opened.clear()
        examined = world.examine(replace(BUDGET, verified=results(shared).seen().verified))
        remembered(examined, results(shared).record_seen, at, str, lambda _: False)
        (address,) = examined.coverage.read
        read.append(address.algorithm)
        assert len(world.cluster.data.opened) == 1
        left = {(each.address.algorithm, each.why, each.size) for each in examined.coverage.left_out}
        assert left == {(name, Gap.BUDGET, 7) for name in {"A", "B", "C"} - {address.algorithm}}
    assert read == ["A", "B", "C", "A"]


def test_a_file_that_may_have_changed_comes_first_and_is_unknown_without_room(tmp_path: Path) -> None:
    world = world_of(tmp_path, "A", "B")
    world.overwrite("B", b"WEIGHTS")
    examined = world.examine(BUDGET)
    assert [(str(f.address), f.drift) for f in examined.findings] == [('data.B["w.bin"]', Drift.CHANGED)]
    (finding,) = world.examine(replace(BUDGET, budget=6)).findings
    assert (str(finding.address), finding.drift) == ('data.B["w.bin"]', Drift.UNKNOWN)
    assert "--read-budget leaves no room" in finding.reason


@pytest.mark.parametrize(("text", "count"), [("7", 7), ("10GiB", 10 * 2**30), ("5 kB", 5000), ("1TB", 10**12)])
def test_a_budget_is_a_size(text: str, count: int) -> None:
    assert byte_count(text, "--read-budget") == count


@pytest.mark.parametrize("text", ["", "-1", "10gib", "1.5GB", "GiB", "9" * 20])
def test_another_budget_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        byte_count(text, "--read-budget")


def test_the_options_of_reading() -> None:
    assert ReadingOptions().reading == Reading()
    assert ReadingOptions("always").reading == Reading(Checksum.ALWAYS, 10 * 2**30)
    assert ReadingOptions("auto", "1MB").reading == Reading(Checksum.AUTO, 10**6)
    with pytest.raises(UsageError):
        ReadingOptions("never")
