"""Drift of every kind and attribute, planted on a cluster in memory: each in exactly one finding, none missed, none invented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fakes.repositories import FIRST_DATE
from planted import AUTHOR, PLANTS, World, world_of

from algosync.core.address import Address
from algosync.core.planning.change import Drift, Finding
from algosync.core.planning.origin import Origin, time_of
from algosync.views.value import differences

TIMES = 8  # each plant, so that more than 200 are planted
NAMES = tuple(f"Plant{number}" for number in range(TIMES * len(PLANTS)))
UNTOUCHED = ("Untouched", "Another")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = world_of(tmp_path_factory.mktemp("planted"), *NAMES, *UNTOUCHED)
    assert made.examine().findings == ()
    for number, name in enumerate(NAMES):
        PLANTS[number % len(PLANTS)].change(made, name)
    return made


@pytest.fixture(scope="module")
def findings(world: World) -> Mapping[Address, Finding]:
    found = world.examine().findings
    assert len({finding.address for finding in found}) == len(found), "two findings of one address"
    return {finding.address: finding for finding in found}


def expected() -> Iterator[tuple[Address, Drift, frozenset[str]]]:
    for number, name in enumerate(NAMES):
        for kind, (drift, attributes) in PLANTS[number % len(PLANTS)].found.items():
            file = {"data": "w.bin", "theirs": "theirs"}.get(kind)
            yield Address("data" if file else kind, name, file), drift, attributes


def names_of(finding: Finding) -> frozenset[str]:
    if finding.drift not in (Drift.CHANGED, Drift.REWRITTEN):
        return frozenset()
    return frozenset(d.name for d in differences(finding.before, finding.after) if d.before != d.after)


def test_each_planted_drift_is_in_one_finding_none_is_missed_and_none_is_invented(findings: Mapping[Address, Finding]) -> None:
    assert len(NAMES) > 200
    found = {(address, finding.drift, names_of(finding)) for address, finding in findings.items()}
    assert found == set(expected())


def test_of_each_commit_the_files_their_lines_the_author_and_the_time_are_told(
    world: World, findings: Mapping[Address, Finding]
) -> None:
    pushed = [(name, plant) for number, name in enumerate(NAMES) if "source" in (plant := PLANTS[number % len(PLANTS)]).found]
    for name, plant in pushed:
        finding = findings[Address("source", name)]
        if finding.drift is Drift.MISSING:
            assert finding.details == {}
            continue
        files = finding.details["files"]
        assert isinstance(files, list)
        assert {row["path"]: (row["added"], row["removed"]) for row in files if isinstance(row, dict)} == plant.files
        third = time_of(FIRST_DATE + 2)  # after the platform's template and our own push
        assert Origin.of(finding) == Origin(AUTHOR, third)
        assert finding.after is not None
        assert finding.after.attributes["commit"] == world.there(name).repository.head()


def test_a_rewritten_history_is_told_without_its_files(tmp_path: Path) -> None:
    world = world_of(tmp_path, "One")
    repository = world.there("One").repository
    head = repository.head()
    assert head is not None
    repository.hold("f" * 40, {**repository.tree(head), "src/One.py": repository.tree(head)["src/tool.py"]}, AUTHOR)
    repository.texts["f" * 40] = "all anew"
    (finding,) = world.examine().findings
    assert finding.drift is Drift.CHANGED
    assert finding.reason == "the repository does not contain the recorded commit any more"
    assert Origin.of(finding).by == AUTHOR
