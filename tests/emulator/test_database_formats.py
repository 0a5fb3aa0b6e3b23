"""Database files of older formats. Format 5 kept the contents of small files in the database."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from emulated import Emulator, emulator

from algosync.emulator.records.database import Database
from algosync.emulator.records.schema import ACCOUNTS, FORMAT, FORMAT_3, FORMAT_4, SCHEMA

IN_DATABASE = {"empty": b"", "text": b"content", "binary": os.urandom(2**16)}
ON_DISK = b"streamed" * 100_000
BLOBS = {name: f"{number:032x}" for number, name in enumerate((*IN_DATABASE, "large"))}

FORMAT_5 = "CREATE TABLE contents (blob TEXT PRIMARY KEY REFERENCES files (blob) ON DELETE CASCADE, body BLOB NOT NULL);"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder as a cluster of format 5 left it, with small files in the database and a large one on disk."""
    root = tmp_path / "root"
    (root / "blobs" / "incoming").mkdir(parents=True)
    (root / "blobs" / BLOBS["large"]).write_bytes(ON_DISK)
    with closing(sqlite3.connect(root / "cluster.sqlite")) as connection:
        connection.executescript(ACCOUNTS + SCHEMA + FORMAT_3 + FORMAT_4 + FORMAT_5)
        connection.execute("INSERT INTO collections (id, account, name, acl) VALUES ('1', 'local', 'kept', '[]')")
        for name, content in (*IN_DATABASE.items(), ("large", ON_DISK)):
            connection.execute("INSERT INTO files VALUES ('1', ?, ?, 1700000000, ?)", (name, len(content), BLOBS[name]))
        for name, content in IN_DATABASE.items():
            connection.execute("INSERT INTO contents VALUES (?, ?)", (BLOBS[name], content))
        connection.execute("PRAGMA user_version=5")
        connection.commit()
    return root


def version(root: Path) -> int:
    with closing(sqlite3.connect(root / "cluster.sqlite")) as connection:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return found


def read(site: Emulator) -> dict[str, bytes]:
    return {name: site.request("GET", f"/v1/data/local/kept/{name}").body for name in BLOBS}


def blobs(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "blobs").iterdir() if path.is_file()}


def test_a_folder_of_format_5_is_served(root: Path, environments: Path) -> None:
    expected = {**IN_DATABASE, "large": ON_DISK}
    listings = []
    for _ in range(2):
        with emulator(root, environments) as site:
            assert read(site) == expected
            listings.append(site.get("/v1/data/local/kept")["files"])
    assert listings[0] == listings[1]
    assert {entry["last_modified"] for entry in listings[0]} == {"2023-11-14T22:13:20.000Z"}
    assert blobs(root) == {BLOBS[name]: content for name, content in expected.items()}
    assert version(root) == FORMAT


def test_the_tables_are_those_of_a_new_database(root: Path, tmp_path: Path) -> None:
    shapes = []
    for path in (root / "cluster.sqlite", tmp_path / "new.sqlite"):
        with closing(Database(path)) as database:
            shapes.append([tuple(row) for row in database.rows("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")])
    assert shapes[0] == shapes[1]


def test_the_database_gives_the_room_of_the_contents_back(root: Path) -> None:
    before = (root / "cluster.sqlite").stat().st_size
    Database(root / "cluster.sqlite").close()
    assert (root / "cluster.sqlite").stat().st_size <= before - 2**16


@pytest.mark.parametrize("done", range(4))
def test_a_failed_upgrade_is_repeated(root: Path, monkeypatch: pytest.MonkeyPatch, done: int) -> None:
    """The contents stay in the database until all of them are on disk."""
    synced: list[int] = []
    fsync = os.fsync

    def full(file: int) -> None:
        if len(synced) == done:
            raise OSError("No space left on device")
        synced.append(file)
        fsync(file)

    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            Database(root / "cluster.sqlite")
    assert version(root) == 5
    Database(root / "cluster.sqlite").close()
    assert blobs(root) == {BLOBS[name]: content for name, content in (*IN_DATABASE.items(), ("large", ON_DISK))}


def test_a_database_in_use_is_not_upgraded(root: Path) -> None:
    with pytest.raises(ValueError, match="has the older format 5, and is in use"):
        Database(root / "cluster.sqlite", migrate=False)
    assert version(root) == 5
