"""Failures of the disk or the database during an upload leave no content behind, unless it may have been recorded."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from algosync.emulator.disk_space import RESERVE
from algosync.emulator.records import blobs
from algosync.emulator.records.blobs import Blobs
from algosync.emulator.records.data_uris import DataPath
from algosync.emulator.records.database import Database
from algosync.emulator.records.files import Collection, Files


class Unsure(Database):
    """A database that reports an error although the commit is on disk."""

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
        made = self.files.create(DataPath("local", "box"))
        assert made
        self.box: Collection = made

    def put(self) -> None:
        content = self.blobs.new()
        try:
            content.write(b"content")
            self.files.put(self.box, "file", content)
        except BaseException:
            content.discard()
            raise

    def contents(self) -> int:
        """The number of files on disk, unfinished ones included."""
        return sum(len(files) for _, _, files in os.walk(self.folder))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    with closing(site.database):
        yield site


def test_content_that_cannot_be_recorded_is_removed(site: Site) -> None:
    with site.database.write() as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON files BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(sqlite3.IntegrityError, match="full"):
        site.put()
    assert (site.contents(), site.files.page(site.box, "", 9)) == (0, [])


def test_content_that_cannot_be_kept_is_removed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(blobs, "sync_folder", full)
    with pytest.raises(OSError, match="full"):
        site.put()
    assert (site.contents(), site.files.page(site.box, "", 9)) == (0, [])


def test_content_that_may_have_been_recorded_stays(site: Site) -> None:
    site.database.failing = True
    with pytest.raises(sqlite3.OperationalError):
        site.put()
    assert site.files.read(site.box, "file", 99) == b"content"


def test_an_upload_to_a_deleted_collection_leaves_nothing(site: Site) -> None:
    content = site.blobs.new()
    content.write(b"content")
    assert site.files.delete_collection(site.box, force=True) == 0
    assert site.files.put(site.box, "file", content) is False
    assert site.contents() == 0


def test_contents_leave_room_for_deletions(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """If contents filled the disk, nothing could be deleted any more."""
    with monkeypatch.context() as small:
        small.setattr(os, "statvfs", lambda _: SimpleNamespace(f_blocks=2**20, f_bavail=RESERVE // 4096 - 1, f_frsize=4096))
        with pytest.raises(OSError, match="No space left"):
            site.put()
    assert site.contents() == 0
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_blocks=0, f_bavail=0, f_frsize=4096))
    site.put()


@pytest.mark.parametrize("size", [6, 8])
def test_a_file_of_an_unexpected_size_is_not_read(site: Site, size: int) -> None:
    site.put()
    (blob,) = (path for path in site.folder.iterdir() if path.is_file())
    os.truncate(blob, size)
    with pytest.raises(OSError, match="another size than was stored"):
        site.files.read(site.box, "file", 99)


def test_a_file_is_read_up_to_a_size(site: Site) -> None:
    site.put()
    assert site.files.read(site.box, "file", 7) == b"content"
    assert site.files.read(site.box, "file", 6) is None
    assert site.files.read(site.box, "other", 7) is None
