"""`ignore`: differences that plan leaves as they are and drift does not report. On a cluster in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from planted import World, world_of

from algosync.core.planning.change import Drift
from algosync.core.planning.ignoring import of_day
from algosync.core.workflow import IGNORABLE, Details, Ignore, Settings

RULES = {
    "label": "details.label",
    "summary": "details.summary",
    "tagline": "details.tagline",
    "source_visibility": "settings.source_visibility",
    "license": "settings.license",
    "network_access": "settings.network_access",
    "pipeline_enabled": "settings.*",
    "algorithm_environment": "language",
}
THEIRS: dict[str, object] = {
    **dict.fromkeys(("label", "summary", "tagline"), "theirs"),
    "source_visibility": "open",
    "license": "mit",
    "network_access": "isolated",
    "pipeline_enabled": False,
    "algorithm_environment": "env-37",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_of(tmp_path, "A")


def rule(world: World, *attributes: str, until: str = "") -> None:
    rules = tuple(Ignore(attribute, "edited by hand", until) for attribute in attributes)
    world.specs = of_day(replace(world.workflow, algorithms=(replace(world.specs[0], ignore=rules),)), "2026-06-01").algorithms


def change(world: World, name: str) -> None:
    there = world.there("A")
    (there.details if name in there.details else there.settings)[name] = THEIRS[name]


def planned(world: World) -> list[str]:
    return [str(each.address) for each in world.plan().visible]


def notes(world: World) -> list[str]:
    return [note for _, note in world.plan().notes()]


def found(world: World) -> list[str]:
    return [str(finding.address) for finding in world.examine().findings]


@pytest.mark.parametrize("name", RULES)
def test_an_ignored_value_is_neither_changed_nor_reported_and_both_say_so(world: World, name: str) -> None:
    change(world, name)
    assert found(world) == ["algorithm.A"]
    assert "algorithm.A" in planned(world)
    rule(world, RULES[name])
    assert (found(world), planned(world)) == ([], [])
    assert world.examine().notes == (f"A: `ignore` of {RULES[name]} leaves 1 difference as it is (edited by hand)",)
    if name != "algorithm_environment":  # `language` allows several environments, so any of them fits the workflow
        assert any("left as it is at the destination (edited by hand)" in note for note in notes(world))


@pytest.mark.parametrize("name", RULES)
def test_an_apply_of_something_else_leaves_an_ignored_value(world: World, name: str) -> None:
    change(world, name)
    rule(world, RULES[name])
    (spec,) = world.specs
    other = Settings(network_access="isolated") if name != "network_access" else Settings(pipeline_enabled=False)
    if RULES[name] == "settings.*":
        world.specs = (replace(spec, details=replace(spec.details, summary="new")),)
    else:
        world.specs = (replace(spec, settings=other),)
    (world.folder / "A" / "src" / "A.py").write_bytes(b"def apply(input):\n    return 2\n")
    assert "algorithm.A" in planned(world)
    assert [str(each.address) for each in world.plan().drifted] == []
    world.apply()
    there = world.there("A")
    assert (there.details | there.settings)[name] == THEIRS[name]
    assert (planned(world), found(world)) == ([], [])


def test_who_can_read_the_data(world: World) -> None:
    world.cluster.data.readers["jane", "A"] = ("user://*",)
    rule(world, "collection.read")
    assert (found(world), planned(world)) == ([], [])
    world.specs = (replace(world.specs[0], details=Details("new", "a summary", "a tagline")),)
    world.apply()
    assert world.cluster.data.readers["jane", "A"] == ("user://*",)


@pytest.mark.parametrize("content", [b"WEIGHTS", b"other weights"])
def test_a_data_file_is_left_as_it_is(world: World, content: bytes) -> None:
    rule(world, 'data["w.*"]')
    world.overwrite("A", content)
    assert (found(world), planned(world)) == ([], [])
    assert any("left as it is" in note for note in notes(world))
    assert len(world.examine().notes) == 1
    world.apply()
    with world.cluster.data.open("jane", "A", "w.bin") as download:
        assert b"".join(download.blocks) == content


def test_a_missing_data_file_is_sent_and_reported_all_the_same(world: World) -> None:
    rule(world, 'data["w.bin"]')
    world.cluster.data.delete("jane", "A", "w.bin")
    assert [finding.drift for finding in world.examine().findings] == [Drift.MISSING]
    assert 'data.A["w.bin"]' in planned(world)


def test_an_unmanaged_file_is_ignored_and_another_one_is_not(world: World) -> None:
    rule(world, 'data["*.tmp"]')
    world.overwrite("A", b"x", "x.tmp")
    world.overwrite("A", b"x", "x.bin")
    assert found(world) == ['data.A["x.bin"]']


def test_another_attribute_is_reported_without_the_ignored_one(world: World) -> None:
    change(world, "summary")
    change(world, "network_access")
    rule(world, "details.*")
    (finding,) = world.examine().findings
    assert finding.before is not None
    assert finding.after is not None
    differing = {n for n, value in finding.before.attributes.items() if finding.after.attributes[n] != value}
    assert differing == {"network_access"}
    (shown,) = (each for each in world.plan().visible if str(each.address) == "algorithm.A")
    assert shown.before is not None
    assert shown.after is not None
    assert {n for n, value in shown.before.attributes.items() if shown.after.attributes[n] != value} == {"network_access"}


@pytest.mark.parametrize(("until", "expired"), [("2026-05-31", True), ("2026-06-01", False), ("", False)])
def test_a_rule_that_ended_is_noted_and_counts_no_more(world: World, until: str, expired: bool) -> None:
    change(world, "summary")
    rule(world, "details.summary", until=until)
    ended = f"`ignore` of details.summary ended on {until}, so it is compared again (edited by hand)"
    assert (found(world) == ["algorithm.A"], "algorithm.A" in planned(world)) == (expired, expired)
    assert (f"A: {ended}" in world.examine().notes, ended in notes(world)) == (expired, expired)


def test_a_glob_takes_brackets_as_they_are() -> None:
    assert Ignore('data["x?.bin"]', "r").names('data["x1.bin"]')
    assert not Ignore('data["x"]', "r").names("datax")
    assert {name for name in IGNORABLE if Ignore("settings.*", "r").names(name)} == {n for n in IGNORABLE if "settings" in n}


def test_without_rules_nothing_is_noted(world: World) -> None:
    assert (notes(world), world.examine().notes) == ([], ())
