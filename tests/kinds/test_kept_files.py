"""The folder of kept bytes: who may read it, who shares it, and what is removed from it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fakes.stores import FakeStore

from algosync.cluster.transfer import File
from algosync.cluster.wire import Download
from algosync.core.address import Address
from algosync.core.error import TransferError
from algosync.kinds.kept_files import KeptFiles, default_keep_folder
from algosync.net import Retry

ONE, TWO = Address("data", "One", "w.pb"), Address("data", "Two", "w.pb")
CONTENT = b"previous bytes"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
RETRY = Retry(tries=2, pause=lambda _: None)


def of_state(lineage: str) -> Callable[[], str]:
    return lambda: lineage


@pytest.fixture
def store() -> FakeStore:
    found = FakeStore()
    found.write("quality", "One", "w.pb", CONTENT)
    return found


@pytest.fixture
def kept(tmp_path: Path) -> KeptFiles:
    return KeptFiles(tmp_path / "kept", of_state("a"))


def original(store: FakeStore) -> File:
    return File(store, ("quality", "One", "w.pb"), len(CONTENT))


def read(file: File) -> bytes:
    with file.open() as opened:
        return b"".join(opened.blocks)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("[!.]*") if path.is_file()]


def test_what_is_kept_is_read_again(kept: KeptFiles, store: FakeStore) -> None:
    assert kept.keep(ONE, original(store), RETRY) == (DIGEST, len(CONTENT))
    assert (kept.has(ONE, DIGEST), kept.has(TWO, DIGEST)) == (True, False)
    assert read(kept.file(ONE, DIGEST, len(CONTENT))) == CONTENT


def test_only_the_user_may_read_it(kept: KeptFiles, store: FakeStore, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        kept.keep(ONE, original(store), RETRY)
    finally:
        os.umask(before)
    folder = tmp_path / "kept"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*")) if path.is_dir()}
    assert (modes, {stat.S_IMODE(path.stat().st_mode) for path in files(folder)}) == ({0o700}, {0o600})


def test_equal_bytes_of_two_addresses_are_dropped_one_by_one(kept: KeptFiles, store: FakeStore, tmp_path: Path) -> None:
    kept.keep(ONE, original(store), RETRY)
    kept.keep(TWO, original(store), RETRY)
    kept.drop(ONE, DIGEST)
    assert (kept.has(ONE, DIGEST), kept.has(TWO, DIGEST)) == (False, True)
    kept.drop(TWO, DIGEST)
    kept.drop(TWO, DIGEST)
    assert list((tmp_path / "kept").glob("[!.]*")) == []


def test_two_states_with_the_same_address_share_nothing(store: FakeStore, tmp_path: Path) -> None:
    staging, production = (KeptFiles(tmp_path, of_state(lineage)) for lineage in ("staging", "production"))
    for each in (staging, production):
        each.keep(ONE, original(store), RETRY)
    staging.drop(ONE, DIGEST)
    staging.sweep([])
    assert (staging.has(ONE, DIGEST), production.has(ONE, DIGEST)) == (False, True)


def test_leftovers_of_killed_commands_are_swept(kept: KeptFiles, store: FakeStore, tmp_path: Path) -> None:
    for address in (ONE, TWO):
        kept.keep(address, original(store), RETRY)
    (file, _) = sorted(files(tmp_path))
    (file.parent / "incoming-x").write_bytes(b"half of it")
    kept.sweep([(TWO, DIGEST)])
    assert (kept.has(ONE, DIGEST), kept.has(TWO, DIGEST), len(files(tmp_path))) == (False, True, 1)


def test_without_a_state_nothing_is_swept(store: FakeStore, tmp_path: Path) -> None:
    kept = KeptFiles(tmp_path)
    kept.keep(ONE, original(store), RETRY)
    kept.sweep([])
    assert kept.has(ONE, DIGEST)


class ShortStore(FakeStore):
    """Its transfers end too early."""

    @contextmanager
    def open(self, owner: str, collection: str, name: str) -> Iterator[Download]:
        with super().open(owner, collection, name) as download:
            yield Download(download.length, iter(list(download.blocks)[:-1]))


def test_a_transfer_that_breaks_leaves_no_file(kept: KeptFiles, tmp_path: Path) -> None:
    store = ShortStore()
    store.write("quality", "One", "w.pb", CONTENT)
    with pytest.raises(TransferError):
        kept.keep(ONE, original(store), RETRY)
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_named(store: FakeStore, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"a file")
    with pytest.raises(TransferError, match="previous bytes cannot be kept in") as caught:
        KeptFiles(tmp_path / "kept", of_state("a")).keep(ONE, original(store), RETRY)
    assert "--keep-dir" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("variable", "expected"), [("/cache", "/cache"), ("relative", "/home/ada/.cache"), ("", "/home/ada/.cache")]
)
def test_the_default_folder_is_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, variable: str, expected: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", variable)
    monkeypatch.setenv("HOME", "/home/ada")
    assert default_keep_folder() == Path(expected) / "algosync" / "kept"
