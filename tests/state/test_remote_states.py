"""What only the backends on other machines promise: leases, lost locks, saving while a command runs, secrets, addresses."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from state_samples import HELLO, NAME, WEIGHTS, a_record
from states_server import BUCKET, PASSWORD, TerraformServer, terraform_server

from algosync.core.address import Address
from algosync.core.codec import decode_state
from algosync.core.error import LockHeld, Stale, StateError, UsageError
from algosync.core.resource import Record
from algosync.state import Backend, Session, journal_path, open_session, parse_address, secrets
from algosync.state.backend import fingerprint
from algosync.state.remote.bucket import Bucket, open_bucket
from algosync.state.remote.leased_lock import LeasedLock
from algosync.state.remote.terraform_http import TerraformHttpBackend

ONE, TWO = a_record(HELLO, 1), a_record(WEIGHTS, 2)


def backend_of(address: str) -> Backend:
    return parse_address(address)(NAME, "algosync apply")


def session_on(address: str, journals: Path) -> Session:
    return open_session(address, NAME, exclusive=True, journals=journals)


def saved(address: str) -> dict[Address, Record]:
    data = backend_of(address).read()
    return {} if data is None else dict(decode_state(data).records)


def break_lock(address: str) -> None:
    holder = backend_of(address).holder()
    assert holder is not None
    backend_of(address).break_lock(holder.lock_id)


# Every backend.


def test_a_running_command_saves_its_changes(address: str, remote: bool, tmp_path: Path) -> None:
    with session_on(address, tmp_path) as session:
        session.commit(ONE)
        assert backend_of(address).save_every == (30.0 if remote else None)
        session.save()
        assert saved(address) == {HELLO: ONE}
        session.commit(TWO)
        assert saved(address) == {HELLO: ONE}
    assert saved(address) == {HELLO: ONE, WEIGHTS: TWO}


def test_changes_are_saved_by_themselves(http_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TerraformHttpBackend, "save_every", 0.05)
    with session_on(http_address, tmp_path) as session:
        session.commit(ONE)
        deadline = time.monotonic() + 20
        while saved(http_address) != {HELLO: ONE}:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_failed_save_is_tried_again_and_stops_nothing(
    states_server: TerraformServer, http_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session_on(http_address, tmp_path) as session:
        session.commit(ONE)
        with monkeypatch.context() as patch:
            patch.setattr(states_server, "answer", lambda *_: (400, b""))
            session.save()
        session.commit(TWO)
        session.save()
        assert saved(http_address) == {HELLO: ONE, WEIGHTS: TWO}


def test_a_state_that_somebody_else_saved_stops_the_command(http_address: str, tmp_path: Path) -> None:
    session = session_on(http_address, tmp_path / "ours")
    session.commit(ONE)
    session.save()
    break_lock(http_address)
    with session_on(http_address, tmp_path / "theirs") as other:
        other.commit(TWO)
    session.commit(a_record(HELLO, 3))
    session.save()
    with pytest.raises(Stale), session.writing(HELLO, "update"):
        pytest.fail("nothing may be written")
    with pytest.raises(StateError):
        session.close()
    assert saved(http_address) == {HELLO: ONE, WEIGHTS: TWO}


def test_a_journal_that_other_machines_went_past_is_set_aside(remote_address: str, tmp_path: Path) -> None:
    with session_on(remote_address, tmp_path) as session:
        session.commit(ONE)
    dead = session_on(remote_address, tmp_path)
    dead.commit(a_record(HELLO, 5))
    journal = journal_path(backend_of(remote_address), tmp_path)
    left = journal.read_bytes()
    dead.close()
    break_into = backend_of(remote_address)
    break_into.lock()
    break_into.write(_state_of(remote_address, tmp_path / "b", left), expect=fingerprint(break_into.read()))
    break_into.unlock()
    journal.write_bytes(left)
    before = saved(remote_address)
    with open_session(remote_address, NAME, exclusive=False, journals=tmp_path) as reader:
        assert dict(reader.records) == before
    assert journal.exists()
    with session_on(remote_address, tmp_path) as session:
        assert dict(session.records) == before
    assert not journal.exists()
    assert journal.with_name(f"{journal.name}.overtaken").read_bytes() == left


def _state_of(address: str, folder: Path, left: bytes) -> bytes:
    """What another machine makes of the same state: other changes under the serials that the journal has, too."""
    from algosync.core.codec import encode_state
    from algosync.core.state import State

    data = backend_of(address).read()
    assert data is not None
    state = decode_state(data)
    return encode_state(State(state.lineage, state.serial + 3, {HELLO: a_record(HELLO, 9), WEIGHTS: TWO}))


def test_the_journal_of_a_killed_command_is_continued(remote_address: str, tmp_path: Path) -> None:
    session = session_on(remote_address, tmp_path)
    session.commit(ONE)
    session.save()
    session.commit(TWO)
    journal = journal_path(backend_of(remote_address), tmp_path)
    left, state = journal.read_bytes(), backend_of(remote_address).read()
    session.close()
    assert state is not None
    backend = backend_of(remote_address)
    backend.lock()
    backend.write(state, expect=fingerprint(backend.read()))
    backend.unlock()
    journal.write_bytes(left)
    with session_on(remote_address, tmp_path) as session:
        assert dict(session.records) == {HELLO: ONE, WEIGHTS: TWO}


@pytest.mark.parametrize(("address", "name"), [("s3://states/a", "s3"), ("postgresql://h/d", "postgresql")])
def test_a_missing_library_names_its_extra(address: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("obstore.store", "psycopg"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError) as caught:
        parse_address(address)
    assert caught.value.hint == f"pip install 'algosync[{name}]'"


@pytest.mark.parametrize(
    "address",
    [
        "https://jane:sesame@host/states",
        "postgres://jane:sesame@host/db",
        "postgresql://jane:sesame@host:port with spaces/db",
        "postgresql://jane:open/sesame@host/db",
        "postgresql://jane:12/sesame@host/db",
        "https://jane:open@sesame@host/states",
        "https://jane:open sesame/12@host/states",
        "https://jane:12/sesame@host/states",
        "postgresql://jane:sesame@host/db?nonsense=1&password=sesame",
        "s3://jane:sesame@bucket/x",
        "http://example.com/states",
        "https:///states",
        "https://host/states?token=sesame&password=sesame",
        "s3://B/x",
    ],
)
def test_a_wrong_address_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(address)
    text = "".join(traceback.format_exception(caught.value)) + str(caught.value.hint)
    assert "sesame" not in text


def test_the_secrets_of_an_address_are_known() -> None:
    environ = {"AWS_SECRET_ACCESS_KEY": "a", "PGPASSWORD": "b", "ALGOSYNC_STATE_PASSWORD": "c", "TF_HTTP_PASSWORD": "d"}
    found = {
        address: [secret.reveal() for secret in secrets(address, environ)]
        for address in ("state", "s3://b/x", "postgresql://u:p%40w@h/d", "https://h/x")
    }
    assert found == {"state": [], "s3://b/x": ["a"], "postgresql://u:p%40w@h/d": ["p%40w", "p@w", "b"], "https://h/x": ["c", "d"]}


# S3.


@pytest.fixture
def bucket(s3_address: str, s3_variables: dict[str, str], tmp_path: Path) -> Bucket:
    return open_bucket(BUCKET, s3_address.partition(f"{BUCKET}/")[2], s3_variables)


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_a_lease_is_renewed_and_lost_if_it_is_not(bucket: Bucket) -> None:
    clock = Clock()
    lock = LeasedLock(bucket, "a", "algosync apply", 60.0, clock)
    lock.take()
    clock.time += 50
    lock.check()
    lock.renew()
    clock.time += 50
    lock.check()
    clock.time += 10
    with pytest.raises(StateError, match="could not be renewed"):
        lock.check()
    lock.release()


class LaterBucket(Bucket):
    """Its clock, which a `put` tells, is `ahead` of the times of its objects."""

    ahead = timedelta()

    def put(self, key: str, data: bytes) -> datetime:
        return super().put(key, data) + self.ahead


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_stops(bucket: Bucket) -> None:
    later = LaterBucket(bucket._store, bucket.where)
    first, second = (LeasedLock(later, "a", name, 60.0, Clock()) for name in ("algosync apply", "another"))
    first.take()
    first._renewer.stop()  # type: ignore[union-attr]  # as in a process that hangs
    with pytest.raises(LockHeld):
        second.take()
    later.ahead = timedelta(seconds=61)
    assert first.holder() is None
    second.take()
    later.ahead = timedelta()
    first.renew()
    with pytest.raises(StateError, match="another command has taken the lock"):
        first.check()
    first.release()
    holder = first.holder()
    assert holder is not None
    assert holder.command == "another"
    second.release()
    assert first.holder() is None


class BucketWithoutReplies(Bucket):
    """Conditional writes succeed, and while `silent` their replies are lost."""

    silent = False

    def put_if(self, key: str, data: bytes, tag: str | None) -> str | None:
        written = super().put_if(key, data, tag)
        if self.silent:
            raise StateError("no reply")
        return written


@pytest.mark.parametrize("again", [True, False])
def test_a_renewal_whose_reply_is_lost_does_not_lose_the_lock(bucket: Bucket, *, again: bool) -> None:
    silent = BucketWithoutReplies(bucket._store, bucket.where)
    lock = LeasedLock(silent, "a", "algosync apply", 60.0, Clock())
    lock.take()
    silent.silent = True
    lock.renew()
    silent.silent = False
    if again:
        lock.renew()
        lock.check()
    lock.release()
    assert lock.holder() is None


def test_a_lost_lock_stops_the_command_before_its_next_write(s3_address: str, tmp_path: Path) -> None:
    backend = backend_of(s3_address)
    session = Session(backend, tmp_path / "journal", exclusive=True)
    session.commit(ONE)
    break_lock(s3_address)
    backend._lock.renew()  # type: ignore[attr-defined]  # as its thread does three times in a lease
    with pytest.raises(StateError, match="another command has taken the lock"), session.writing(HELLO, "update"):
        pytest.fail("nothing may be written")
    session.close()


def test_only_one_of_two_writers_with_one_tag_succeeds(bucket: Bucket) -> None:
    tag = bucket.put_if("a", b"one", None)
    assert tag is not None
    assert bucket.put_if("a", b"two", None) is None
    assert bucket.put_if("a", b"two", tag) is not None
    assert bucket.put_if("a", b"three", tag) is None
    assert bucket.put_if("a", b"two", tag) is not None  # the library tried twice, and the first reply was lost


def test_plain_http_to_another_machine_needs_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example.com")
    with pytest.raises(UsageError, match="plain http"):
        parse_address("s3://states/a")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    parse_address("s3://states/a")


def test_a_missing_bucket_is_an_error_not_an_empty_state(s3_address: str) -> None:
    with pytest.raises(StateError, match=r"^s3://missing/x/hello@local~me.json cannot be read: "):
        backend_of("s3://missing/x").read()


# Terraform's HTTP protocol.


@pytest.fixture
def gitlab(monkeypatch: pytest.MonkeyPatch) -> Iterator[TerraformServer]:
    monkeypatch.setenv("TF_HTTP_USERNAME", "jane")
    monkeypatch.setenv("TF_HTTP_PASSWORD", PASSWORD)
    with terraform_server(gitlab=True, password=PASSWORD) as server:
        yield server


def test_gitlab_has_methods_of_its_own(gitlab: TerraformServer, tmp_path: Path) -> None:
    address = f"{gitlab.url}/api/v4/projects/7/terraform/state"
    with session_on(address, tmp_path) as session:
        session.commit(ONE)
        with pytest.raises(LockHeld, match="is in use by `algosync` ") as caught:
            backend_of(address).lock()
        assert "algosync state unlock --force " in (caught.value.hint or "")
    assert saved(address) == {HELLO: ONE}
    path = f"/api/v4/projects/7/terraform/state/{NAME}"
    assert next(entry for entry in gitlab.log if entry[1].endswith("/lock")) == ("POST", f"{path}/lock")
    assert ("DELETE", f"{path}/lock") in gitlab.log


def test_a_wrong_password_names_the_variables_and_not_the_password(
    gitlab: TerraformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_HTTP_PASSWORD", "sesame")
    with pytest.raises(StateError) as caught:
        backend_of(f"{gitlab.url}/states").read()
    assert "ALGOSYNC_STATE_PASSWORD" in (caught.value.hint or "")
    assert "sesame" not in "".join(traceback.format_exception(caught.value))


# PostgreSQL.


@pytest.mark.needs("initdb", "postgres")
def test_a_database_session_that_ended_stops_the_command(postgresql_address: str, tmp_path: Path) -> None:
    session = session_on(postgresql_address, tmp_path)
    session.commit(ONE)
    break_lock(postgresql_address)
    with pytest.raises(StateError, match="cannot be kept locked"):
        _commit_for(20, session)
    with pytest.raises(StateError):
        session.close()


def _commit_for(seconds: float, session: Session) -> None:
    """The server ends a session a moment after it was told to."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        session.commit(a_record(HELLO, time.monotonic_ns()))


@pytest.mark.needs("initdb", "postgres")
def test_the_password_is_in_no_place_and_no_error(postgresql_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD")
    backend = backend_of(postgresql_address.replace("jane@", "jane:sesame@"))
    with pytest.raises(StateError) as caught:
        backend.read()
    text = "".join(traceback.format_exception(caught.value)) + str(caught.value.hint) + backend.where + repr(vars(backend))
    assert "sesame" not in text
