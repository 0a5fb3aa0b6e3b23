"""The contract of backends, for each entry of `BACKENDS`; then what only the folder backend promises."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from state_samples import tree

from algosync.core.error import Corrupt, LockHeld, Stale, StateError
from algosync.state import Backend, Patience, journal_path, parse_address
from algosync.state.backend import fingerprint
from algosync.state.file_lock import file_lock
from algosync.state.local import LocalBackend
from algosync.state.recovery import find

Make = Callable[[], Backend]


@pytest.fixture
def make(address: str) -> Make:
    """Makes another backend of the same state."""
    return lambda: parse_address(address)("a.json", "algosync apply")


@pytest.fixture
def writer(make: Make) -> Iterator[Backend]:
    backend = make()
    backend.lock()
    yield backend
    with suppress(StateError):  # a test may have broken its lock
        backend.unlock()


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
    assert writer.read() == b"one"


def test_a_lock_excludes_every_other_writer(writer: Backend, make: Make) -> None:
    with pytest.raises(LockHeld):
        make().lock()
    writer.unlock()
    make().lock()


def test_the_lock_still_excludes_after_a_write(writer: Backend, make: Make) -> None:
    """A write may replace the file that holds the state. The lock must not be lost with it."""
    writer.write(b"one", expect=fingerprint(writer.read()))
    with pytest.raises(LockHeld):
        make().lock()


def test_readers_see_the_holder_without_disturbing_anybody(writer: Backend, make: Make, address: str, tmp_path: Path) -> None:
    before = tree(tmp_path)
    holder = make().seen_holder()
    if address.startswith("http"):  # its protocol has no way to look
        assert holder is None
    else:
        assert str(holder).startswith("`algosync apply` (")
    assert tree(tmp_path) == before
    writer.check_lock()
    writer.write(b"one", expect=None)
    writer.unlock()
    assert make().seen_holder() is None
    make().lock()


def test_a_writer_begins_while_readers_look(make: Make, address: str) -> None:
    """A reader that looks for the holder of a lock must not be taken for one."""
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            make().seen_holder()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20 if address.startswith("file") else 3):
            backend = make()
            backend.lock()
            backend.unlock()
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_the_holder_is_told_and_looking_changes_nothing(writer: Backend, make: Make) -> None:
    for _ in range(2):
        holder = make().holder()
        assert holder is not None
        assert str(holder).startswith("`algosync apply` (")
    writer.check_lock()
    writer.write(b"one", expect=None)
    writer.unlock()
    assert make().holder() is None
    make().lock()


def test_a_lock_is_broken_with_its_own_id_only(writer: Backend, make: Make, remote: bool) -> None:
    writer.write(b"one", expect=None)
    with pytest.raises(StateError, match=None if remote else "need not be unlocked: its lock ends with the process that holds it"):
        make().break_lock("1")
    with pytest.raises(LockHeld):
        make().lock()
    if remote:
        holder = make().holder()
        assert holder is not None
        make().break_lock(holder.lock_id)
        other = make()
        Patience(20).take(other.lock)  # PostgreSQL ends a session a moment after it was told to
        other.write(b"two", expect=fingerprint(b"one"))
        with pytest.raises(StateError):
            writer.write(b"three", expect=fingerprint(b"one"))
        with suppress(StateError):  # the server may refuse it
            writer.unlock()
        assert make().read() == b"two"
        with pytest.raises(LockHeld):
            make().lock()


def test_unlock_releases_only_its_own_lock(writer: Backend, make: Make) -> None:
    make().unlock()
    with pytest.raises(LockHeld):
        make().lock()
    writer.unlock()
    writer.unlock()
    make().lock()


def test_the_same_session_does_not_lock_twice(writer: Backend) -> None:
    with pytest.raises(StateError):
        writer.lock()


def test_a_reader_of_nothing_creates_nothing(make: Make, tmp_path: Path) -> None:
    assert make().read() is None
    assert make().seen_holder() is None
    assert list(tmp_path.iterdir()) == []


def test_a_reader_of_nothing_creates_nothing_beside_others(writer: Backend, address: str, tmp_path: Path) -> None:
    writer.write(b"one", expect=None)
    before = tree(tmp_path)
    reader = parse_address(address)("b.json", "algosync plan")
    assert reader.seen_holder() is None
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
    with pytest.raises(LockHeld) as caught:
        make().lock()
    assert caught.value.message.startswith(f"{writer.where} is in use by `algosync apply` (")


def test_two_names_at_one_address_do_not_disturb_each_other(writer: Backend, make: Make, address: str, tmp_path: Path) -> None:
    other = parse_address(address)("b.json", "algosync apply")
    other.lock()
    writer.write(b"one", expect=None)
    assert other.read() is None
    other.write(b"zwei", expect=None)
    writer.write(b"two", expect=fingerprint(b"one"))
    assert (writer.read(), other.read()) == (b"two", b"zwei")
    assert (writer.backup is None, other.backup) == (False, None)
    assert len({writer.where, other.where}) == len({journal_path(each, tmp_path) for each in (writer, other)}) == 2
    writer.unlock()
    with pytest.raises(LockHeld):
        parse_address(address)("b.json", "algosync apply").lock()
    make().lock()


def test_files_are_private_whatever_the_umask(make: Make, tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        backend = make()
        backend.lock()
        backend.write(b"one", expect=None)
        backend.write(b"two", expect=fingerprint(b"one"))
        backend.unlock()
    finally:
        os.umask(umask)
    assert {str(path): oct(path.stat().st_mode & 0o077) for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077} == {}


def test_recovery_names_the_place_of_the_state_and_of_its_backup(writer: Backend, tmp_path: Path) -> None:
    writer.write(b"one", expect=None)
    writer.write(b"damaged", expect=fingerprint(b"one"))
    with pytest.raises(Corrupt) as caught:
        find(writer, journal_path(writer, tmp_path))
    assert caught.value.message.startswith(f"{writer.where} ")
    assert caught.value.hint is not None
    assert str(writer.backup) in caught.value.hint
    assert "a.json" in writer.where


# The folder backend.


def local(folder: Path, command: str = "algosync apply") -> LocalBackend:
    return LocalBackend(folder / "a.json", command, lambda: datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc))


def test_the_holder_is_named(tmp_path: Path) -> None:
    local(tmp_path, "algosync apply \x1b[31mx").lock()
    with pytest.raises(LockHeld) as caught:
        local(tmp_path).lock()
    holder = f"`algosync apply \N{REPLACEMENT CHARACTER}[31mx` (pid {os.getpid()}, since 2026-03-04T05:06:07+00:00)"
    assert caught.value.message == f"{tmp_path / 'a.json'} is in use by {holder}"


@pytest.mark.parametrize("note", [b"", b"{", b"[1]", b'{"pid": 1e999, "command": "", "since": ""}', b"\xff", b"[" * 4000])
def test_an_unreadable_lock_file_names_no_holder(tmp_path: Path, note: bytes) -> None:
    local(tmp_path).lock()
    (tmp_path / "a.json.lock").write_bytes(note)
    with pytest.raises(LockHeld) as caught:
        local(tmp_path).lock()
    assert caught.value.message == f"{tmp_path / 'a.json'} is in use by another command"


def test_the_note_of_a_killed_writer_names_no_holder(tmp_path: Path) -> None:
    (tmp_path / "a.json.lock").write_bytes(b'{"command": "algosync apply", "pid": 1, "since": "2020"}\n')
    assert local(tmp_path).seen_holder() is None
    local(tmp_path).lock()


def test_a_reader_of_an_older_version_makes_a_writer_wait(tmp_path: Path) -> None:
    """It holds a shared lock, and the file names nobody."""
    with file_lock(tmp_path / "a.json.lock", exclusive=False), pytest.raises(LockHeld, match="is in use by another command"):
        local(tmp_path).lock()


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    backend = local(tmp_path)
    backend.lock()
    pipe = subprocess.PIPE
    with subprocess.Popen(["/bin/cat"], stdin=pipe, stdout=pipe, bufsize=0, close_fds=False) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"x")
        assert child.stdout.read(1) == b"x"  # it runs, so the kernel has closed the files that are not inherited
        backend.unlock()
        local(tmp_path).lock()
        assert child.poll() is None
        child.stdin.close()


def test_a_state_without_its_lock_file_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"one")
    reader = local(tmp_path)
    assert (reader.seen_holder(), reader.read()) == (None, b"one")
    assert tree(tmp_path) == {"a.json": b"one"}


def test_the_backup_holds_the_previous_one(tmp_path: Path) -> None:
    backend = local(tmp_path)
    backend.lock()
    backend.write(b"one", expect=None)
    backend.write(b"two", expect=fingerprint(b"one"))
    backend.unlock()
    assert tree(tmp_path) == {"a.json": b"two", "a.json.backup": b"one", "a.json.lock": b""}


def test_a_temporary_file_of_a_crash_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.json.tmp").write_bytes(b"half a sta")
    backend = local(tmp_path)
    backend.lock()
    backend.write(b"one", expect=None)
    backend.unlock()
    assert tree(tmp_path) == {"a.json": b"one", "a.json.lock": b""}


@pytest.mark.parametrize("name", ["a.json", "a.json.lock"])
def test_links_are_not_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").write_bytes(b"keep")
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    backend = local(tmp_path)
    with pytest.raises(StateError, match="symbolic link"):
        backend.read() if name == "a.json" else backend.lock()
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
        local(tmp_path / "state").lock()
