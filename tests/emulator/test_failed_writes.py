"""Uploads whose disk or database fails leave nothing behind, unless they may have been recorded."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from algosync.emulator.disk_space import RESERVE
from algosync.emulator.records import database
from algosync.emulator.records.blobs import Blobs
from algosync.emulator.records.data_uris import Place
from algosync.emulator.records.database import LONGEST_JOURNAL, Database
from algosync.emulator.records.files import Collection, Files, Put


class Unsure(Database):
    """A database that commits, and then reports a failure."""

    failing = False

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        with super().write() as connection:
            yield connection
        if self.failing:
            raise sqlite3.OperationalError("disk I/O error")


class Site:
    """Files without a server."""

    def __init__(self, root: Path) -> None:
        self.database = Unsure(root / "cluster.sqlite")
        self.folder = root / "blobs"
        self.blobs = Blobs(self.folder)
        self.files = Files(self.database, self.blobs)
        made = self.files.create(Place("local", "box"))
        assert made
        self.box: Collection = made

    def put(self) -> None:
        content = self.blobs.new()
        content.write(b"content")
        self.files.put(self.box, "file", content)

    def put_all(self) -> None:
        self.files.put_all([Put(self.box, f"local/box/{name}", b"content") for name in ("file", "other")])

    def contents(self) -> int:
        """The number of files on disk, complete or not."""
        return sum(len(files) for _, _, files in os.walk(self.folder))

    def kept(self) -> int:
        """The number of contents in the database."""
        return len(self.database.rows("SELECT 1 FROM contents"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    with closing(site.database):
        yield site


@pytest.mark.parametrize("many", [False, True])
def test_a_file_that_cannot_be_recorded_is_removed(site: Site, many: bool) -> None:
    with site.database.write() as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON files BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(sqlite3.IntegrityError, match="full"):
        site.put_all() if many else site.put()
    assert (site.contents(), site.files.page(site.box, "", 9)) == (0, [])


def test_a_file_that_cannot_be_synced_is_removed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Blobs) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Blobs, "sync", full)
    with pytest.raises(OSError, match="full"):
        site.put()
    assert (site.contents(), site.files.page(site.box, "", 9)) == (0, [])


@pytest.mark.parametrize("many", [False, True])
def test_a_file_that_may_have_been_recorded_is_kept(site: Site, many: bool) -> None:
    site.database.failing = True
    with pytest.raises(sqlite3.OperationalError):
        site.put_all() if many else site.put()
    assert site.files.read(site.box, "file", 99) == b"content"


@pytest.mark.parametrize("many", [False, True])
def test_uploads_keep_a_reserve_for_deletions(site: Site, monkeypatch: pytest.MonkeyPatch, many: bool) -> None:
    """On a completely full disk, nothing could be deleted any more."""
    site.put_all()
    with monkeypatch.context() as small:
        small.setattr(os, "statvfs", lambda _: SimpleNamespace(f_blocks=2**20, f_bavail=RESERVE // 4096 - 1, f_frsize=4096))
        with pytest.raises(OSError, match="No space left"):
            site.put_all() if many else site.put()
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_blocks=0, f_bavail=0, f_frsize=4096))
    site.put_all() if many else site.put()


def test_deleted_contents_free_their_space(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start frees it. Until then, the journal stays small."""
    names = [f"local/box/{number}" for number in range(500)]
    site.files.put_all([Put(site.box, name, os.urandom(2**16)) for name in names])
    file, journal = tmp_path / "cluster.sqlite", tmp_path / "cluster.sqlite-wal"
    assert site.files.delete_collection(site.box, force=True) == len(names)
    assert journal.stat().st_size < 2 * LONGEST_JOURNAL
    site.files.recover()
    assert file.stat().st_size > 500 * 2**16, "it is not much"
    monkeypatch.setattr(database, "WORTH_IT", 2**20)
    site.files.recover()
    assert file.stat().st_size < 2**20


@pytest.mark.parametrize("size", [6, 8])
def test_a_file_of_an_unexpected_size_is_not_read(site: Site, size: int) -> None:
    site.put()
    (blob,) = (path for path in site.folder.iterdir() if path.is_file())
    os.truncate(blob, size)
    with pytest.raises(OSError, match="another size than was stored"):
        site.files.read(site.box, "file", 99)


def _delete(site: Site) -> None:
    assert site.files.delete(site.box, "file")
    assert site.files.delete(site.box, "other")


def _replace(site: Site) -> None:
    for name in ("file", "other"):
        content = site.blobs.new()
        content.write(b"by a stream")
        assert site.files.put(site.box, name, content)


def _delete_collection(site: Site) -> None:
    assert site.files.delete_collection(site.box, force=True) == 2


@pytest.mark.parametrize("end", [_delete, _replace, _delete_collection])
def test_small_contents_are_deleted_with_their_files(site: Site, end: Callable[[Site], None]) -> None:
    site.put_all()
    site.put_all()
    assert site.kept() == 2
    end(site)
    assert site.kept() == 0


def test_small_contents_are_read_from_database_or_file(site: Site) -> None:
    """Uploads in a batch are stored in the database, single ones in files. Formats before 5 had files only."""
    for put in (site.put_all, site.put, site.put_all):
        put()
        opened = site.files.open(site.box, "file")
        assert opened
        with opened[1] as content:
            assert content.read() == site.files.read(site.box, "file", 7) == b"content"
        assert site.files.read(site.box, "file", 6) is None
    assert (site.contents(), site.kept()) == (0, 2)
