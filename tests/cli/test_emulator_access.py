"""Users and keys of a local cluster that cannot be made, and what a cut reset leaves."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from harness import Workspace

from algosync.cli import keeping
from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.database import Database

FAR = "after the year 9999"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a cluster that never ran."""
    root = tmp_path / "state" / "local" / "default"
    root.mkdir(parents=True)
    return root


@pytest.mark.parametrize("seconds", ["1e12", "inf", "nan"])
def test_a_key_ends_within_a_hundred_years(tmp_path: Path, root: Path, seconds: str) -> None:
    ended = Workspace(tmp_path).run("emulator", "key", "add", "--expires-in", seconds)
    assert (ended.returncode, ended.stdout) == (64, "")
    assert "--expires-in" in ended.stderr
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("ends", [1e12, float("inf")])
def test_keys_are_listed_whenever_they_end(tmp_path: Path, root: Path, ends: float) -> None:
    """Older versions have made such keys."""
    with closing(Database(root / "cluster.sqlite")) as database:
        accounts = Accounts(database)
        accounts.add_user("local")
        accounts.add_key("local", "simKey", expires_at=ends)
        [key] = accounts.key_records()
    place = Workspace(tmp_path)
    line = f"{key.id}  local  write, call, management, read  until {FAR}\n"
    assert place.run("emulator", "key", "list").stdout == line
    document = {"id": key.id, "user": "local", "rights": ["write", "call", "management", "read"], "main": False, "expires_at": FAR}
    listed = place.run("emulator", "key", "list", "--json").stdout
    assert json.loads(listed) == {"format_version": "1.0", "keys": [document]}


def test_a_user_is_added_whole_or_not_at_all(tmp_path: Path, root: Path) -> None:
    """The second organization cannot be: then there is no user, no first organization, no key."""
    place = Workspace(tmp_path)
    ended = place.run("emulator", "user", "add", "bob", "--organization", "pond", "--organization", "bad name!")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "'bad name!' cannot name an account" in ended.stderr
    assert standing(root) == (False, None, (), 0)
    assert re.fullmatch(r"sim\w{25}\n", place.run("emulator", "user", "add", "bob", "--organization", "pond").stdout)
    assert standing(root) == (True, {}, ("pond",), 1)


def standing(root: Path) -> tuple[bool, dict[str, object] | None, tuple[str, ...], int]:
    """Whether there is bob, the organization, what bob belongs to, how many keys there are."""
    with closing(Database(root / "cluster.sqlite")) as database:
        accounts = Accounts(database)
        pond = accounts.profile_of_organization("pond")
        return accounts.has_user("bob"), pond, accounts.organizations("bob"), len(accounts.key_records())


@pytest.mark.parametrize("done", [1, 2])
def test_a_reset_that_is_cut_lets_no_removed_key_in_again(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    """It was removed in the write-ahead log, and is still in the database's file."""
    with closing(Database(tmp_path / "old.sqlite")) as database:
        accounts = Accounts(database)
        accounts.set_key("local", "simMain")
        accounts.add_key("local", "simRemoved")
        database._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert [accounts.remove_key(key.id) for key in accounts.key_records()] == [False, True]
        for end in ("", "-wal", "-shm"):
            shutil.copy(tmp_path / f"old.sqlite{end}", root / f"cluster.sqlite{end}")
    removed: list[Path] = []
    unlink = Path.unlink

    def cut(path: Path, missing_ok: bool = False) -> None:
        if len(removed) == done:
            raise KeyboardInterrupt
        unlink(path, missing_ok)
        removed.append(path)

    monkeypatch.setattr(Path, "unlink", cut)
    (root / "requests.jsonl").touch()
    with pytest.raises(KeyboardInterrupt):
        keeping._remove(root)
    with closing(Database(root / "cluster.sqlite")) as database:
        assert Accounts(database).caller("simRemoved") is None
        assert Accounts(database).key_records() == []
