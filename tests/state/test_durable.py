"""What is on the disk when a function returns: each write is followed by its fsync, before and after the rename."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from algosync.core.address import Address
from algosync.state import durable
from algosync.state.entry import Forget, JournalHeader, encode_entry
from algosync.state.journal import Journal

Path_ = str | os.PathLike[str]


class Disk:
    """Lists what reaches the disk, by the names of files and folders. `fails_at`: the number of the write that finds it full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.fails_at = 0
        self._writes = 0
        real: dict[str, Callable[..., None]] = {name: getattr(os, name) for name in ("fsync", "replace", "unlink", "mkdir")}
        real_write = os.write

        def write(descriptor: int, data: bytes) -> int:
            self._writes += 1
            if self._writes == self.fails_at:
                raise OSError(errno.ENOSPC, "No space left on device")
            self._note("write", _path(descriptor))
            return real_write(descriptor, data[: max(len(data) // 2, 1)])

        def fsync(descriptor: int) -> None:
            self._note("fsync", _path(descriptor))
            real["fsync"](descriptor)

        def replace(old: Path_, new: Path_) -> None:
            self.calls.append(f"rename {Path(old).name} {Path(new).name}")
            real["replace"](old, new)

        def unlink(path: Path_) -> None:
            real["unlink"](path)
            self.calls.append(f"unlink {Path(path).name}")

        def mkdir(path: Path_, mode: int = 0o777) -> None:
            real["mkdir"](path, mode)
            self.calls.append(f"mkdir {Path(path).name}")

        for function in (write, fsync, replace, unlink, mkdir):
            monkeypatch.setattr(os, function.__name__, function)

    def _note(self, call: str, path: Path) -> None:
        note = f"{call} {path.name}"
        if self.calls[-1:] != [note]:  # a file is written in several parts
            self.calls.append(note)


def _path(descriptor: int) -> Path:
    return Path(os.readlink(f"/proc/self/fd/{descriptor}"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


REPLACED = ["write a.json.tmp", "fsync a.json.tmp", "rename a.json.tmp a.json", "fsync state"]


def test_content_is_on_the_disk_before_the_rename_and_the_name_after_it(folder: Path, disk: Disk) -> None:
    durable.replace_file(folder / "a.json", b"new")
    assert disk.calls == REPLACED
    assert (folder / "a.json").read_bytes() == b"new"


@pytest.mark.parametrize("write", [1, 2, 3])
def test_a_disk_that_is_full_keeps_the_old_content(folder: Path, disk: Disk, write: int) -> None:
    (folder / "a.json").write_bytes(b"the old content")
    disk.fails_at = write
    with pytest.raises(OSError, match="No space left"):
        durable.replace_file(folder / "a.json", b"the new content")
    assert durable.read_file(folder / "a.json") == b"the old content"


def test_an_entry_is_on_the_disk_when_append_returns(folder: Path, disk: Disk) -> None:
    journal = Journal(folder / "a.journal", JournalHeader("lineage", 0))
    disk.calls.clear()
    journal.append([encode_entry(Forget(Address("algorithm", "Hello")))])
    journal.close()
    assert disk.calls == ["write a.journal", "fsync a.journal"]


def test_a_name_that_is_gone_or_new_is_on_the_disk(folder: Path, disk: Disk) -> None:
    (folder / "a.json").write_bytes(b"")
    durable.move_file(folder / "a.json", folder / "b.json")
    durable.remove_file(folder / "b.json")
    durable.make_folder(folder / "more")
    assert disk.calls == ["rename a.json b.json", "fsync state", "unlink b.json", "fsync state", "mkdir more", "fsync state"]
