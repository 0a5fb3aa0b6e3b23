"""Each resource is read again before it is written. What somebody changed since the plan is a Conflict that names it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes.clusters import OWNER, FakeCluster, context_of
from fakes.ledger import FakeLedger
from fakes.releases import Release
from fakes.stores import FakeStore

from algosync.cluster.algorithms import Version
from algosync.core.address import Address
from algosync.core.error import Conflict, SourceError
from algosync.core.planning.change import Change
from algosync.core.planning.schedule import Step, Verb
from algosync.core.resource import Resource
from algosync.core.workflow import AlgorithmSpec, DataFile, Details, Settings
from algosync.kinds import Context, algorithm

ONE = Address("algorithm", "One")
SPEC = AlgorithmSpec("One", "python3", details=Details("One"))
FILES = (DataFile("data://.my/models/w.bin", "w.bin"),)


def configure(context: Context, spec: AlgorithmSpec) -> None:
    algorithm.perform(Step(ONE, Verb.CONFIGURE), spec, context, lambda _: None)


def seen(context: Context, spec: AlgorithmSpec) -> Context:
    """The context of a command that has made its plan."""
    list(algorithm.observed(spec, context))
    return context


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    algorithm.perform(Step(ONE, Verb.CREATE), SPEC, context_of(cluster, SPEC), lambda _: None)
    return cluster


@pytest.mark.parametrize(("part", "name", "value"), [("details", "label", "Uno"), ("settings", "license", "mit")])
def test_settings_that_somebody_changed_are_not_written(cluster: FakeCluster, part: str, name: str, value: str) -> None:
    spec = replace(SPEC, settings=Settings(network_access="isolated"))
    context = seen(context_of(cluster, spec), spec)
    there = cluster.algorithms.algorithms["One"]
    getattr(there, part)[name] = value
    with pytest.raises(Conflict, match=rf"^algorithm\.One: somebody changed its {name} since the plan was made$"):
        configure(context, spec)
    assert there.settings["network_access"] == "full"


def test_access_that_somebody_changed_is_not_written(cluster: FakeCluster) -> None:
    spec = replace(SPEC, data_files=FILES)
    cluster.data.create_collection(OWNER, "One", ("user://*",))
    context = seen(context_of(cluster, spec, store=FakeStore()), spec)
    cluster.data.readers[OWNER, "One"] = ()
    with pytest.raises(Conflict, match="somebody changed who can read its data"):
        configure(context, spec)
    assert cluster.data.readers[OWNER, "One"] == ()


def test_a_collection_that_somebody_created_keeps_its_access(cluster: FakeCluster) -> None:
    spec = replace(SPEC, collection_read="private")
    context = seen(context_of(cluster, spec, ledger=FakeLedger()), spec)
    cluster.data.create_collection(OWNER, "One", ("user://*",))
    with pytest.raises(Conflict, match="somebody changed who can read its data"):
        configure(context, spec)
    assert cluster.data.readers[OWNER, "One"] == ("user://*",)


def test_no_version_is_published_after_one_of_somebody_else(tmp_path: Path) -> None:
    release = Release(tmp_path).created().pushed()
    release.perform(Verb.BUILD, release.change("version"))
    change = release.change("version")
    release.there.versions.insert(0, Version("7.0.0", "f" * 40, {}))
    with pytest.raises(Conflict, match=r"somebody published version 7\.0\.0 since the plan was made"):
        release.perform(Verb.PUBLISH, change)
    assert [version.number for version in release.there.versions] == ["7.0.0"]


def test_another_source_than_the_planned_one_is_not_pushed(tmp_path: Path) -> None:
    release = Release(tmp_path).created()
    change = release.change("source")
    assert change.after is not None
    head = release.head
    planned: Change = replace(change, after=Resource(change.address, digest="0" * 40))
    with pytest.raises(SourceError, match=r"source\.One: the source changed since the plan was made"):
        release.perform(Verb.PUSH, planned)
    assert release.head == head
