"""Whole states: pushed, and kept under another name. On every backend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from state_samples import HELLO, NAME, WEIGHTS, a_record, tree

from algosync.core.codec import decode_state, encode_state
from algosync.core.error import Corrupt, LockHeld, NewerFormat, PlanRefused, StateError
from algosync.core.state import State
from algosync.state import Backend, Session, journal_path, open_session, parse_address
from algosync.state.exchange import push, rename
from algosync.state.patience import AT_ONCE

ONE, TWO = a_record(HELLO, 1), a_record(WEIGHTS, 2)
OTHER = "other@local~me.json"


class Place:
    """The states of one address."""

    def __init__(self, address: str, journals: Path) -> None:
        self.address, self.journals = address, journals

    def backend(self, name: str = NAME) -> Backend:
        return parse_address(self.address)(name, "algosync state push")

    def pair(self, name: str = NAME) -> tuple[Backend, Path]:
        backend = self.backend(name)
        return backend, journal_path(backend, self.journals)

    def session(self, name: str = NAME) -> Session:
        return open_session(self.address, name, exclusive=True, journals=self.journals)

    def state(self, name: str = NAME) -> State | None:
        with open_session(self.address, name, exclusive=False, journals=self.journals) as session:
            return session.state

    def known(self, name: str = NAME) -> State:
        state = self.state(name)
        assert state is not None
        return state

    def push(self, state: State, *, force: bool = False) -> State:
        return push(*self.pair(), state, force=force, wait=AT_ONCE)

    def rename(self) -> State:
        return rename(self.pair(), self.pair(OTHER), AT_ONCE)

    def crash(self) -> None:
        """Leaves a journal with a change that the saved state lacks, and a write without an outcome."""
        session = self.session()
        session.commit(ONE)
        session.save()
        with session.writing(HELLO, "update"):
            session.commit(TWO)
            journal = journal_path(session._backend, self.journals)
            left, saved = journal.read_bytes(), session._backend.read()
        session.close()
        self.overwrite(saved or b"")
        journal.write_bytes(left)

    def overwrite(self, data: bytes, name: str = NAME) -> None:
        from algosync.state.backend import fingerprint

        backend = self.backend(name)
        backend.lock()
        backend.write(data, expect=fingerprint(backend.read()))
        backend.unlock()


@pytest.fixture
def place(address: str, tmp_path: Path) -> Place:
    return Place(address, tmp_path / "journals")


@pytest.fixture
def written(place: Place) -> Place:
    with place.session() as session:
        session.commit(ONE)
    with place.session() as session:
        session.commit(TWO)
    return place


# Push.


def test_a_pulled_state_is_pushed_to_a_place_where_nothing_is(place: Place) -> None:
    state = State("lineage", 7, {HELLO: ONE}, "workflow.json")
    assert place.push(state) == state == place.state()


def test_a_newer_state_of_the_same_lineage_is_pushed(written: Place) -> None:
    before = written.known()
    newer = replace(before, serial=before.serial + 5, records={HELLO: ONE})
    assert written.push(newer) == newer == written.state()
    assert written.backend().backup is not None


def test_pushing_what_is_there_changes_nothing(written: Place) -> None:
    before = written.backend().read()
    state = written.known()
    assert written.push(state) == state
    assert written.backend().read() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lineage": "another"}, "is another state: its lineage is "),
        ({"serial": 1}, "is newer: serial 2 there, 1 in the file"),
        ({"records": {HELLO: ONE}}, "has the serial 2 too, and other content"),
    ],
)
def test_another_or_an_older_state_is_refused_without_force(written: Place, change: dict[str, object], message: str) -> None:
    before = written.known()
    pushed = replace(before, **change)  # type: ignore[arg-type]  # the fields of a state
    with pytest.raises(PlanRefused) as caught:
        written.push(pushed)
    assert message in caught.value.message
    assert caught.value.hint == "--force replaces it all the same, and keeps a backup"
    assert written.state() == before
    forced = written.push(pushed, force=True)
    assert forced == replace(pushed, serial=before.serial + 1) == written.state()


def test_a_locked_state_is_not_replaced(written: Place) -> None:
    with written.session(), pytest.raises(LockHeld):
        written.push(written.known(), force=True)


def test_a_damaged_state_is_refused_and_replaced_with_force(written: Place) -> None:
    before = written.known()
    written.overwrite(encode_state(before).replace(b"destination 1", b"destination 7"))
    with pytest.raises(Corrupt) as caught:
        written.push(before)
    assert "algosync state push --force" in (caught.value.hint or "")
    assert written.push(before, force=True) == before == written.state()


def test_a_state_of_a_newer_version_is_refused_even_with_force(written: Place) -> None:
    before = written.known()
    newer = encode_state(before).replace(b'"format_version": 2', b'"format_version": 99')
    written.overwrite(newer)
    for force in (False, True):
        with pytest.raises(NewerFormat) as caught:
            written.push(before, force=force)
        assert caught.value.hint == "Upgrade algosync."
    assert written.backend().read() == newer


def test_a_journal_is_added_before_the_state_is_replaced(place: Place) -> None:
    """So the backup has what the killed command did."""
    place.crash()
    pushed = replace(place.known(), serial=9, records={})
    assert place.push(pushed) == pushed == place.state()
    assert not place.pair()[1].exists()


def test_a_damaged_journal_is_set_aside_with_force(place: Place) -> None:
    place.crash()
    journal = place.pair()[1]
    journal.write_bytes(b"no journal\n")
    pushed = State("another", 1, {HELLO: ONE})
    with pytest.raises(Corrupt):
        place.push(pushed)
    state = place.push(pushed, force=True)
    assert state == place.state()
    assert state.serial > 1
    assert journal.with_name(f"{journal.name}.overtaken").exists()


# Rename.


def test_a_state_is_kept_under_another_name(written: Place) -> None:
    before = written.known()
    assert written.rename() == replace(before, serial=before.serial + 1, file=None) == written.state(OTHER)
    left = written.known()
    assert (left.records, left.lineage != before.lineage) == ({}, True)
    assert written.backend().backup is not None
    with written.session() as session:
        session.commit(ONE)
    assert written.known(OTHER).records == {HELLO: ONE, WEIGHTS: TWO}


def test_a_renamed_state_has_what_a_killed_command_did(place: Place) -> None:
    place.crash()
    place.rename()
    assert place.known(OTHER).records == {HELLO: replace(ONE, destination_stamp=None), WEIGHTS: TWO}
    assert place.known().records == {}


def test_a_name_with_records_of_its_own_is_refused(written: Place) -> None:
    with written.session(OTHER) as session:
        session.commit(ONE)
    before = (written.state(), written.state(OTHER))
    with pytest.raises(PlanRefused, match="has records of its own"):
        written.rename()
    assert (written.state(), written.state(OTHER)) == before


def test_an_unused_name_is_no_state(place: Place) -> None:
    with pytest.raises(StateError, match="nothing is recorded in "):
        place.rename()
    assert (place.state(), place.state(OTHER)) == (None, None)


def test_an_interrupted_renaming_is_continued(written: Place) -> None:
    """It wrote the new state and was killed before it emptied the old one."""
    before = written.known()
    copied = encode_state(replace(before, serial=before.serial + 1, file=None))
    written.overwrite(copied, OTHER)
    assert written.rename() == decode_state(copied) == written.state(OTHER)
    assert written.known().records == {}


def test_both_names_are_locked(written: Place) -> None:
    for name in (NAME, OTHER):
        with written.session(name), pytest.raises(LockHeld):
            written.rename()
    assert written.known().records == {HELLO: ONE, WEIGHTS: TWO}


# Records of a session, together.


def test_records_are_replaced_together(written: Place) -> None:
    moved = replace(ONE, address=replace(HELLO, algorithm="Other"))
    with written.session() as session:
        session.replace_records([HELLO], [moved])
        assert session.serial == 4
    assert written.known().records == {moved.address: moved, WEIGHTS: TWO}
    assert written.backend().backup is not None


def test_records_are_replaced_in_one_line_of_the_journal(tmp_path: Path) -> None:
    """So a crash keeps all of it or nothing."""
    place = Place(str(tmp_path / "states"), tmp_path)
    with place.session() as session:
        session.commit(ONE)
    moved = replace(ONE, address=replace(HELLO, algorithm="Other"))
    with place.session() as session:
        session.replace_records([HELLO], [moved, TWO])
        journal = tree(tmp_path / "states")[f"{NAME}.journal"]
        assert len(journal.splitlines()) == 2
