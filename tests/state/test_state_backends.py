"""The contract of backends, for each entry of `BACKENDS`; then what only the folder backend promises."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from state_samples import tree

from algosync.core.error import Corrupt, LockHeld, Stale, StateError
from algosync.state import Backend, parse_address
from algosync.state.backend import fingerprint
from algosync.state.local import LocalBackend
from algosync.state.recovery import find

Make = Callable[[], Backend]


@pytest.fixture
def make(address: str) -> Make:
    """Makes another backend of the same state."""
    return lambda: parse_address(address)("a.json", "algosync apply")


@pytest.fixture
def writer(make: Make) -> Backend:
    backend = make()
    assert backend.lock(exclusive=True)
    return backend


def test_read_returns_what_was_written(writer: Backend, make: Make) -> None:
    assert writer.read() is None
    writer.write(b"one", expect=None)
    assert make().read() == b"one"
    writer.write(b"two", expect=fingerprint(b"one"))
    assert make().read() == b"two"


def test_a_write_with_an_old_fingerprint_is_refused(writer: Backend) -> None:
    with pytest.raises(Stale):
        writer.write(b"one", expect=fingerprint(b"zero"))
    assert writer.read() is None
    writer.write(b"one", expect=None)
    for expect in (None, fingerprint(b"zero")):
        with pytest.raises(Stale):
            writer.write(b"two", expect=expect)
    assert writer.read() == b"one"


def test_the_previous_one_is_kept(writer: Backend) -> None:
    writer.write(b"one", expect=None)
    assert writer.backup is None
    writer.write(b"two", expect=fingerprint(b"one"))
    assert writer.backup is not None


def test_writing_needs_the_exclusive_lock(writer: Backend, make: Make) -> None:
    writer.write(b"one", expect=None)
    writer.unlock()
    with pytest.raises(StateError):
        writer.write(b"two", expect=fingerprint(b"one"))
    reader = make()
    assert reader.lock(exclusive=False)
    with pytest.raises(StateError):
        reader.write(b"two", expect=fingerprint(b"one"))
    assert reader.read() == b"one"


def test_an_exclusive_lock_excludes_everybody_else(writer: Backend, make: Make) -> None:
    for exclusive in (True, False):
        with pytest.raises(LockHeld):
            make().lock(exclusive=exclusive)
    writer.unlock()
    assert make().lock(exclusive=True)


def test_the_lock_still_excludes_after_a_write(writer: Backend, make: Make) -> None:
    """A write may replace the file that holds the state. The lock must not be lost with it."""
    writer.write(b"one", expect=fingerprint(writer.read()))
    for exclusive in (True, False):
        with pytest.raises(LockHeld):
            make().lock(exclusive=exclusive)


def test_readers_share(writer: Backend, make: Make) -> None:
    writer.write(b"one", expect=None)
    writer.unlock()
    readers = [make() for _ in range(3)]
    assert [reader.lock(exclusive=False) for reader in readers] == [True, True, True]
    for reader in readers:
        with pytest.raises(LockHeld):
            make().lock(exclusive=True)
        reader.unlock()
    assert make().lock(exclusive=True)


def test_unlock_releases_only_its_own_lock(writer: Backend, make: Make) -> None:
    make().unlock()
    with pytest.raises(LockHeld):
        make().lock(exclusive=True)
    writer.unlock()
    writer.unlock()
    assert make().lock(exclusive=True)


def test_the_same_session_does_not_lock_twice(writer: Backend) -> None:
    with pytest.raises(StateError):
        writer.lock(exclusive=True)


def test_a_reader_of_nothing_creates_nothing(make: Make, tmp_path: Path) -> None:
    assert make().read() is None
    assert make().lock(exclusive=False) is False
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_was_never_kept_has_no_lock_for_readers_even_if_others_are_kept_there(
    writer: Backend, address: str, tmp_path: Path
) -> None:
    writer.write(b"one", expect=None)
    before = tree(tmp_path)
    reader = parse_address(address)("b.json", "algosync plan")
    assert reader.lock(exclusive=False) is False
    assert reader.read() is None
    assert tree(tmp_path) == before


def test_reading_needs_no_lock_beside_a_writer(writer: Backend, make: Make) -> None:
    assert make().read() is None
    for before, after in pairwise((None, b"one", b"two" * 10**6, b"three")):
        assert make().read() == before
        writer.write(after or b"", expect=fingerprint(before))
        assert make().read() == after


def test_a_reader_beside_a_writer_sees_whole_states(writer: Backend, make: Make) -> None:
    """A thread reads without pause while large states replace each other."""
    states = [bytes([65 + n]) * 10**6 for n in range(10)]
    seen: list[bytes | None] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(make().read())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        for before, after in pairwise((None, *states)):
            writer.write(after or b"", expect=fingerprint(before))
    finally:
        done.set()
        thread.join()
    assert seen
    assert set(seen) <= {None, *states}


def test_the_message_of_a_lock_names_place_and_command(writer: Backend, make: Make) -> None:
    for exclusive in (True, False):
        with pytest.raises(LockHeld) as caught:
            make().lock(exclusive=exclusive)
        assert caught.value.message.startswith(f"{writer.where} is in use by `algosync apply` (")


def test_two_names_at_one_address_do_not_disturb_each_other(writer: Backend, make: Make, address: str) -> None:
    other = parse_address(address)("b.json", "algosync apply")
    assert other.lock(exclusive=True)
    writer.write(b"one", expect=None)
    assert other.read() is None
    other.write(b"zwei", expect=None)
    writer.write(b"two", expect=fingerprint(b"one"))
    assert (writer.read(), other.read()) == (b"two", b"zwei")
    assert (writer.backup is None, other.backup) == (False, None)
    assert len({writer.where, other.where}) == len({writer.journal, other.journal}) == 2
    writer.unlock()
    with pytest.raises(LockHeld):
        parse_address(address)("b.json", "algosync apply").lock(exclusive=True)
    assert make().lock(exclusive=True)


def test_files_are_private_whatever_the_umask(make: Make, tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        backend = make()
        backend.lock(exclusive=True)
        backend.write(b"one", expect=None)
        backend.write(b"two", expect=fingerprint(b"one"))
        backend.unlock()
    finally:
        os.umask(umask)
    assert {str(path): oct(path.stat().st_mode & 0o077) for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077} == {}


def test_recovery_names_the_place_of_the_state_and_of_its_backup(writer: Backend) -> None:
    writer.write(b"one", expect=None)
    writer.write(b"damaged", expect=fingerprint(b"one"))
    with pytest.raises(Corrupt) as caught:
        find(writer, writer.journal)
    assert caught.value.message.startswith(f"{writer.where} ")
    assert caught.value.hint is not None
    assert str(writer.backup) in caught.value.hint
    assert "a.json" in writer.where


# The folder backend.


def local(folder: Path, command: str = "algosync apply") -> LocalBackend:
    return LocalBackend(folder / "a.json", command, lambda: datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc))


def test_the_holder_is_named(tmp_path: Path) -> None:
    local(tmp_path, "algosync apply \x1b[31mx").lock(exclusive=True)
    with pytest.raises(LockHeld) as caught:
        local(tmp_path).lock(exclusive=False)
    holder = f"`algosync apply \N{REPLACEMENT CHARACTER}[31mx` (pid {os.getpid()}, since 2026-03-04T05:06:07+00:00)"
    assert caught.value.message == f"{tmp_path / 'a.json'} is in use by {holder}"


@pytest.mark.parametrize("note", [b"", b"{", b"[1]", b'{"pid": 1e999, "command": "", "since": ""}', b"\xff", b"[" * 4000])
def test_an_unreadable_lock_file_names_no_holder(tmp_path: Path, note: bytes) -> None:
    local(tmp_path).lock(exclusive=True)
    (tmp_path / "a.json.lock").write_bytes(note)
    with pytest.raises(LockHeld) as caught:
        local(tmp_path).lock(exclusive=True)
    assert caught.value.message == f"{tmp_path / 'a.json'} is in use by another command"


def test_a_reader_removes_the_note_of_a_killed_writer(tmp_path: Path) -> None:
    (tmp_path / "a.json.lock").write_bytes(b'{"command": "algosync apply", "pid": 1, "since": "2020"}\n')
    local(tmp_path).lock(exclusive=False)
    with pytest.raises(LockHeld, match="is in use by another command"):
        local(tmp_path).lock(exclusive=True)


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    backend = local(tmp_path)
    backend.lock(exclusive=True)
    pipe = subprocess.PIPE
    with subprocess.Popen(["/bin/cat"], stdin=pipe, stdout=pipe, bufsize=0, close_fds=False) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"x")
        assert child.stdout.read(1) == b"x"  # it runs, so the kernel has closed the files that are not inherited
        backend.unlock()
        assert local(tmp_path).lock(exclusive=True)
        assert child.poll() is None
        child.stdin.close()


def test_a_state_without_its_lock_file_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"one")
    reader = local(tmp_path)
    assert reader.lock(exclusive=False)
    assert reader.read() == b"one"
    with pytest.raises(LockHeld):
        local(tmp_path).lock(exclusive=True)


def test_the_backup_holds_the_previous_one(tmp_path: Path) -> None:
    backend = local(tmp_path)
    backend.lock(exclusive=True)
    backend.write(b"one", expect=None)
    backend.write(b"two", expect=fingerprint(b"one"))
    backend.unlock()
    assert tree(tmp_path) == {"a.json": b"two", "a.json.backup": b"one", "a.json.lock": b""}


def test_a_temporary_file_of_a_crash_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.json.tmp").write_bytes(b"half a sta")
    backend = local(tmp_path)
    backend.lock(exclusive=True)
    backend.write(b"one", expect=None)
    backend.unlock()
    assert tree(tmp_path) == {"a.json": b"one", "a.json.lock": b""}


@pytest.mark.parametrize("name", ["a.json", "a.json.lock"])
def test_links_are_not_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").write_bytes(b"keep")
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    backend = local(tmp_path)
    with pytest.raises(StateError, match="symbolic link"):
        backend.read() if name == "a.json" else backend.lock(exclusive=True)
    assert (tmp_path / "elsewhere").read_bytes() == b"keep"


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(StateError, match="it is not a regular file"):
        local(tmp_path).read()
    (tmp_path / "b").mkdir()
    with pytest.raises(StateError, match="it is not a regular file"):
        LocalBackend(tmp_path / "b").read()


def test_a_file_instead_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(StateError, match="cannot be locked"):
        local(tmp_path / "state").lock(exclusive=True)
