"""Caching transfers: the source is asked once for each file, and never are wrong bytes taken from the cache."""

from __future__ import annotations

import hashlib
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fakes.stores import FakeStore

from algosync.cluster import blob_cache
from algosync.cluster.blob_cache import BlobCache
from algosync.cluster.caching_transfers import CachedSource, CachingTransfers
from algosync.cluster.transfer import Advance, File, Name
from algosync.cluster.transfers import LocalTransfers
from algosync.core.error import SourceError, Unreachable
from algosync.net import Retry

CONTENT = b"the weights of a model"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
MODEL = ("quality", "models", "model.bin")
RETRY = Retry(tries=1)


@dataclass
class World:
    """A source with one file, a destination, and a cache in `folder`."""

    folder: Path
    limit: int = 1000
    keeps: Callable[[Name], bool] = lambda _: True
    told: list[str] = field(default_factory=list)
    source: FakeStore = field(default_factory=FakeStore)
    destination: FakeStore = field(default_factory=FakeStore)

    def __post_init__(self) -> None:
        self.source.write(*MODEL, CONTENT)
        self.destination.create_collection("quality", "copies")

    def transfers(self) -> CachingTransfers:
        """As in a new process."""
        source = CachedSource(self.source, self.keeps, self.key)
        return CachingTransfers(LocalTransfers(), source, BlobCache(self.folder, self.limit, self.told.append))

    def key(self, name: Name) -> str:
        return f"{name} {self.source.files(*name[:2])[name[2]].stamp}"

    def file(self, name: Name = MODEL, digest: str | None = None) -> File:
        return File(self.source, name, self.source.files(*name[:2])[name[2]].size, digest)

    def relay(self, transfers: CachingTransfers, target: str, file: File | None = None) -> tuple[str, int]:
        sent = transfers.relay(file or self.file(), self.destination, ("quality", "copies", target), lambda _: None, RETRY)
        assert sent[0] == self.destination.digest("quality", "copies", target)
        return sent

    def blob(self, digest: str = DIGEST) -> Path:
        return self.folder / digest


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "algosync" / "blobs")


def test_ten_destinations_cost_one_download(world: World) -> None:
    for number in range(10):  # each as a process of its own
        assert world.relay(world.transfers(), f"{number}.bin") == (DIGEST, len(CONTENT))
    assert world.source.opened == ["model.bin"]


def test_transfers_at_the_same_time_share_one_download(world: World) -> None:
    transfers = world.transfers()
    with ThreadPoolExecutor(10) as pool:
        sent = list(pool.map(lambda number: world.relay(transfers, f"{number}.bin"), range(10)))
    assert sent == [(DIGEST, len(CONTENT))] * 10
    assert world.source.opened == ["model.bin"]


def test_transfers_from_the_cache_do_not_wait_for_each_other(world: World) -> None:
    together = threading.Barrier(2, timeout=60)

    class Meeting(LocalTransfers):
        def digest(self, file: File, advance: Advance, retry: Retry) -> tuple[str, int]:
            together.wait()
            return super().digest(file, advance, retry)

    world.relay(world.transfers(), "first.bin")
    source = CachedSource(world.source, world.keeps, world.key)
    transfers = CachingTransfers(Meeting(), source, BlobCache(world.folder, world.limit))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: transfers.digest(world.file(), lambda _: None, RETRY), range(2)))
    assert found == [(DIGEST, len(CONTENT))] * 2


def test_what_a_plan_has_read_is_not_read_again(world: World) -> None:
    transfers = world.transfers()
    assert transfers.fingerprint(world.file(), RETRY) == (DIGEST, hashlib.md5(CONTENT).hexdigest())
    assert transfers.digest(world.file(), lambda _: None, RETRY) == (DIGEST, len(CONTENT))
    world.relay(transfers, "copy.bin")
    assert world.source.opened == ["model.bin"]


def test_equal_content_under_another_name_is_found_by_its_digest(world: World) -> None:
    other = ("quality", "models", "other.bin")
    world.source.write(*other, CONTENT)
    world.relay(world.transfers(), "copy.bin")
    world.relay(world.transfers(), "other.bin", world.file(other, DIGEST))
    assert world.source.opened == ["model.bin"]


def test_a_file_that_changed_is_read(world: World) -> None:
    world.relay(world.transfers(), "copy.bin")
    changed = CONTENT.upper()
    world.source.write(*MODEL, changed)
    assert world.relay(world.transfers(), "copy.bin") == (hashlib.sha256(changed).hexdigest(), len(changed))
    assert world.source.opened == ["model.bin"] * 2


@pytest.mark.parametrize("damage", [CONTENT.upper(), CONTENT[:-1], b"", CONTENT + b"!"], ids=["other", "cut", "empty", "longer"])
def test_a_damaged_content_is_dropped_and_never_sent(world: World, damage: bytes) -> None:
    world.relay(world.transfers(), "copy.bin")
    world.blob().write_bytes(damage)
    assert world.relay(world.transfers(), "second.bin") == (DIGEST, len(CONTENT))
    assert world.source.opened == ["model.bin"] * 2
    assert world.blob().read_bytes() == CONTENT


def test_a_damaged_index_is_no_harm(world: World) -> None:
    world.relay(world.transfers(), "copy.bin")
    for entry in (world.folder / "index").iterdir():
        entry.write_bytes(b"../../../etc/passwd\xff")
    assert world.relay(world.transfers(), "second.bin") == (DIGEST, len(CONTENT))


def test_an_index_that_names_another_content_is_not_trusted_against_the_plan(world: World) -> None:
    other = ("quality", "models", "other.bin")
    world.source.write(*other, CONTENT.upper())
    transfers = world.transfers()
    world.relay(transfers, "copy.bin")
    world.relay(transfers, "other.bin", world.file(other))
    first, second = sorted((world.folder / "index").iterdir())
    names = first.read_text(), second.read_text()
    first.write_text(names[1])
    second.write_text(names[0])
    assert world.relay(world.transfers(), "third.bin", world.file(digest=DIGEST)) == (DIGEST, len(CONTENT))


def test_a_transfer_that_fails_leaves_nothing(world: World) -> None:
    with pytest.raises(SourceError):
        world.relay(world.transfers(), "copy.bin", world.file(digest="0" * 64))
    world.destination.failures["put copies"] = Unreachable("broken")
    with pytest.raises(Unreachable):
        world.relay(world.transfers(), "copy.bin")
    assert [path.name for path in world.folder.iterdir()] == ["index"]


def test_only_files_that_are_to_be_kept_are_kept(world: World) -> None:
    world.keeps = lambda name: name != MODEL
    for number in range(2):
        world.relay(world.transfers(), f"{number}.bin")
    assert world.source.opened == ["model.bin"] * 2
    assert not world.folder.exists()


def test_the_oldest_leave_a_full_cache(world: World) -> None:
    world.limit = 2 * len(CONTENT)
    names = [("quality", "models", f"{letter}.bin") for letter in "abc"]
    for number, name in enumerate(names):
        world.source.write(*name, CONTENT[:-1] + bytes([number]))
    for name in (*names[:2], names[0], names[2]):
        world.relay(world.transfers(), name[2], world.file(name))
    assert sum(path.stat().st_size for path in world.folder.iterdir() if path.is_file()) == world.limit
    for name in (names[0], names[2], names[1]):
        world.relay(world.transfers(), name[2], world.file(name))
    assert world.source.opened == ["a.bin", "b.bin", "c.bin", "b.bin"]  # `a` was used after `b`, so `b` had left


def test_a_file_larger_than_the_cache_is_not_kept(world: World) -> None:
    world.limit = len(CONTENT) - 1
    world.relay(world.transfers(), "copy.bin")
    assert not world.folder.exists()
    assert world.told == []


def test_folders_and_files_are_private(world: World) -> None:
    world.folder.mkdir(parents=True, mode=0o755)
    world.relay(world.transfers(), "copy.bin")
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (world.folder, *world.folder.rglob("*"))}
    assert {mode for name, mode in found.items() if name not in ("blobs", "index")} == {0o600}
    assert (found["blobs"], found["index"]) == (0o700, 0o700)


def test_a_cache_that_cannot_be_written_is_told_once(world: World) -> None:
    world.folder.parent.mkdir()
    world.folder.write_text("in the way")
    transfers = world.transfers()
    for number in range(3):
        world.relay(transfers, f"{number}.bin")
    assert len(world.told) == 1
    assert world.told[0].startswith(f"The cache {world.folder} is not used: ")


def test_a_full_disk_is_told_once_and_the_transfer_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object, block: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(blob_cache.BlobWriter, "_write", full)
    transfers = world.transfers()
    for number in range(2):
        assert world.relay(transfers, f"{number}.bin") == (DIGEST, len(CONTENT))
    assert len(world.told) == 1
    assert "No space left on device" in world.told[0]
    assert [path.name for path in world.folder.iterdir()] == ["index"]


def test_a_folder_that_is_a_link_is_not_used(world: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    world.folder.parent.mkdir()
    world.folder.symlink_to(elsewhere)
    world.relay(world.transfers(), "copy.bin")
    assert list(elsewhere.iterdir()) == []
    assert len(world.told) == 1


def test_the_index_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_cache, "_MOST_ENTRIES", 6)
    transfers = world.transfers()
    for number in range(20):
        name = ("quality", "models", f"{number}.bin")
        world.source.write(*name, CONTENT)
        world.relay(transfers, "copy.bin", world.file(name))
    assert len(list((world.folder / "index").iterdir())) <= 6


def test_several_commands_share_a_cache_that_is_too_small(world: World) -> None:
    world.limit = 3 * len(CONTENT)
    names = [("quality", "models", f"{number}.bin") for number in range(8)]
    for number, name in enumerate(names):
        world.source.write(*name, CONTENT[:-1] + bytes([number]))

    def command(number: int) -> None:
        transfers = world.transfers()
        for turn in range(24):
            name = names[(number * 5 + turn * 3) % 8]
            world.relay(transfers, f"{number}.bin", world.file(name))
            assert world.destination.digest("quality", "copies", f"{number}.bin") == world.source.digest(*name)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(command, range(4)))
    assert world.told == []
    assert not list(world.folder.glob("incoming-*"))
