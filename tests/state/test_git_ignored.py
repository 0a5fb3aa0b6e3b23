"""The folders that algosync creates in a user's repository: what git sees of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from dulwich import porcelain
from dulwich.repo import Repo
from fakes.stores import FakeStore

from algosync.cli.local.location import make_root
from algosync.cluster.transfer import File
from algosync.core.address import Address
from algosync.kinds.kept_files import KeptFiles
from algosync.net import Retry
from algosync.state.durable import EVERYTHING, PRIVATE_FILES, make_folder
from algosync.state.entry import JournalHeader
from algosync.state.journal import Journal
from algosync.state.local import LocalBackend

STATE = "w@api.example.com~ada.json"
PRIVATE = [STATE + end for end in (".lock", ".journal", ".backup", ".tmp", ".results.lock", ".results.damaged")]


def a_state(top: Path) -> None:
    backend = LocalBackend(top / "state" / STATE)
    backend.lock()
    backend.write(b"{}", expect=None)
    backend.unlock()


def a_cluster(top: Path) -> None:
    make_root(top / "state" / "local" / "default")
    (top / "state" / "local" / "default" / "cluster.json").write_text("key")


def a_cluster_in_a_folder_of_the_user(top: Path) -> None:
    (top / "clusters").mkdir()
    make_root(top / "clusters" / "default")
    (top / "clusters" / "default" / "cluster.json").write_text("key")


def a_cluster_of_an_older_version(top: Path) -> None:
    (top / "state" / "local" / "default").mkdir(parents=True)
    a_cluster(top)


def kept_bytes(top: Path) -> None:
    store = FakeStore()
    store.write("quality", "One", "w.pb", b"bytes")
    file = File(store, ("quality", "One", "w.pb"), len(b"bytes"))
    KeptFiles(top / "kept", lambda: "lineage").keep(Address("data", "One", "w.pb"), file, Retry(tries=1))


def a_journal_of_a_remote_state(top: Path) -> None:
    Journal(top / "state" / "local" / ".journals" / "x.journal", JournalHeader("lineage", 0)).close()


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def seen(top: Path) -> list[str]:
    """The files that `git add .` would take."""
    with Repo.init(str(top)) as repository:
        return sorted(map(os.fsdecode, porcelain.status(repository, untracked_files="all").untracked))


@pytest.mark.parametrize(
    "create",
    [a_cluster, a_cluster_in_a_folder_of_the_user, a_cluster_of_an_older_version, kept_bytes, a_journal_of_a_remote_state],
)
def test_keys_and_data_are_not_seen_by_git(top: Path, create: Callable[[Path], None]) -> None:
    create(top)
    assert set(seen(top)) <= {"state/.gitignore"}


@pytest.mark.parametrize("create", [(a_state, a_cluster), (a_cluster, a_state)], ids=["state-first", "cluster-first"])
def test_of_a_folder_of_states_git_sees_the_states(top: Path, create: tuple[Callable[[Path], None], ...]) -> None:
    for each in create:
        each(top)
    for name in PRIVATE:
        (top / "state" / name).touch()
    assert seen(top) == ["state/.gitignore", f"state/{STATE}"]


def test_a_folder_of_the_user_gets_no_file_and_loses_none(top: Path) -> None:
    (top / "state").mkdir()
    (top / "local").mkdir()
    (top / "local" / ".gitignore").write_text("mine")
    a_state(top)
    make_folder(top / "local", EVERYTHING)
    make_root(top / "local")
    assert not (top / "state" / ".gitignore").exists()
    assert (top / "local" / ".gitignore").read_text() == "mine"


def test_a_removed_file_stays_away(top: Path) -> None:
    """Who wants to commit the locks of a folder of states removes its `.gitignore`."""
    a_state(top)
    assert (top / "state" / ".gitignore").read_text() == PRIVATE_FILES
    (top / "state" / ".gitignore").unlink()
    LocalBackend(top / "state" / "other.json").lock()
    assert not (top / "state" / ".gitignore").exists()
