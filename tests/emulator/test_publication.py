"""What a publication may say, and that it happens whole or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from emulated import SETTINGS, Emulator

from algosync.emulator.algorithms import Algorithm
from algosync.emulator.database import Database
from algosync.emulator.records import Records
from algosync.emulator.versions import Release


@pytest.fixture(scope="module")
def built(site: Emulator) -> str:
    """An algorithm with a commit to publish."""
    site.deploy("Built", "def apply(input):\n    return input\n")
    return "/v1/algorithms/local/Built"


@pytest.mark.parametrize("label", [5, ["Built"]])
def test_a_label_is_a_text(site: Emulator, built: str, label: Any) -> None:
    """At publication and in a change as in creation."""
    before = site.get(built)
    details = {"label": label}
    settings = {**SETTINGS, "algorithm_environment": site.environment()}
    creation = {"name": "Unlabelled", "details": details, "settings": settings}
    assert site.publish("Built", details=details).status == 400
    assert site.request("PUT", built, {"details": details, "settings": settings}).status == 400
    assert site.request("POST", "/v1/algorithms/local", creation).status == 400
    assert site.get(built) == before


def test_a_label_of_null_says_nothing(site: Emulator, built: str) -> None:
    """It leaves what is there, and there is nothing yet of a new algorithm."""
    details = {"label": None}
    settings = {**SETTINGS, "algorithm_environment": site.environment()}
    before = site.get(built)["details"]
    assert site.request("PUT", built, {"details": details, "settings": settings}).status == 200
    assert site.publish("Built", details=details).status == 200
    assert site.get(built)["details"] == before
    creation = {"name": "Unlabelled", "details": details, "settings": settings}
    assert site.request("POST", "/v1/algorithms/local", creation).status == 400


def test_a_publication_is_one_transaction(tmp_path: Path) -> None:
    """What keeps the algorithm from being changed keeps the version from being there: a retry is no second publication."""
    private: dict[str, object] = {"algorithm_callability": "private"}
    public: dict[str, object] = {"algorithm_callability": "public"}
    release = Release("commit", "minor", {"label": "x"}, public, {})
    with closing(Database(tmp_path / "cluster.sqlite")) as database:
        records = Records.of(database)
        records.algorithms.add(Algorithm("id", "local", "Whole", {"label": "x"}, private, ""))
        with database.write() as connection:
            connection.execute("CREATE TRIGGER kill BEFORE UPDATE ON algorithms BEGIN SELECT RAISE(ABORT, 'killed'); END")
        with pytest.raises(sqlite3.IntegrityError, match="killed"):
            records.versions.publish("id", release)
        assert (records.versions.of("id"), stand(records)) == ([], private)
        with database.write() as connection:
            connection.execute("DROP TRIGGER kill")
        version = records.versions.publish("id", release)
        assert (records.versions.of("id"), stand(records)) == ([version], public)


def stand(records: Records) -> object:
    found = records.algorithms.get("id")
    return found and found.settings
