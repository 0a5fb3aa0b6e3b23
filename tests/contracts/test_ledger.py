"""What every ledger promises: the real session and the fake that the engine is tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from fakes.ledger import FakeLedger
from hypothesis import given, settings
from hypothesis import strategies as st

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Conflict, Denied, NotFound, Throttled, Unexpected, Unreachable
from algosync.core.ports import Ledger
from algosync.core.resource import Record
from algosync.state import open_session

LEDGERS: dict[str, Callable[[Path, ExitStack], Ledger]] = {
    "fake": lambda _, __: FakeLedger(),
    "session": lambda folder, stack: stack.enter_context(open_session(str(folder), "w@local~me.json", exclusive=True)),
}
ONE, TWO = Address("algorithm", "One"), Address("data", "One", "w.pb")


def record(address: Address = ONE, size: int = 1) -> Record:
    return Record(address, f"digest {size}", "source", "destination", size)


@pytest.fixture(params=LEDGERS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with ExitStack() as stack:
        yield LEDGERS[request.param](tmp_path, stack)


def test_a_new_ledger_is_empty(ledger: Ledger) -> None:
    assert dict(ledger.records) == {}
    assert ledger.wrote is False


def test_a_committed_record_replaces_the_one_before(ledger: Ledger) -> None:
    ledger.commit(record(ONE, 1))
    ledger.commit(record(TWO, 2))
    ledger.commit(record(ONE, 3))
    assert dict(ledger.records) == {ONE: record(ONE, 3), TWO: record(TWO, 2)}
    assert ledger.wrote is False


def test_a_forgotten_record_is_gone_and_forgetting_nothing_is_no_error(ledger: Ledger) -> None:
    ledger.commit(record(ONE))
    ledger.forget(ONE)
    ledger.forget(TWO)
    assert dict(ledger.records) == {}


def test_records_that_were_handed_out_show_later_changes(ledger: Ledger) -> None:
    records = ledger.records
    ledger.commit(record(ONE))
    assert dict(records) == {ONE: record(ONE)}
    assert (records[ONE], records.get(TWO), len(records)) == (record(ONE), None, 1)
    ledger.forget(ONE)
    assert dict(records) == {}


@pytest.mark.parametrize("view", [iter, lambda records: iter(records.items()), lambda records: iter(records.values())])
def test_iterating_gives_the_records_as_they_were_when_it_began(
    ledger: Ledger, view: Callable[[Mapping[Address, Record]], Iterator[object]]
) -> None:
    ledger.commit(record(ONE))
    found = view(ledger.records)
    ledger.commit(record(TWO))
    assert len(list(found)) == 1


def test_a_write_changes_no_record(ledger: Ledger) -> None:
    ledger.commit(record(ONE))
    with ledger.writing(ONE, "update"):
        assert dict(ledger.records) == {ONE: record(ONE)}
    assert dict(ledger.records) == {ONE: record(ONE)}
    assert ledger.wrote is True


def _marked(error: AlgosyncError, *, sent: bool = True, repeated: bool = False) -> AlgosyncError:
    error.sent, error.repeated = sent, repeated
    return error


def test_an_announced_write_changes_no_record_and_need_not_follow(ledger: Ledger) -> None:
    ledger.commit(record(ONE))
    ledger.announce([(ONE, "overwrite"), (TWO, "upload")])
    assert ledger.wrote is False
    with ledger.writing(TWO, "upload"):
        pass
    ledger.commit_all([record(TWO)], ())
    assert dict(ledger.records) == {ONE: record(ONE), TWO: record(TWO)}
    ledger.commit_all((), [ONE, TWO])
    assert dict(ledger.records) == {}


@pytest.mark.parametrize(
    ("failure", "wrote"),
    [
        (Denied("no"), False),
        (NotFound("no"), False),
        (Conflict("no"), False),
        (_marked(Conflict("an earlier try may have worked"), repeated=True), True),
        (_marked(Unreachable("no such host"), sent=False), False),
        (Throttled("a gateway may say this for a backend that wrote"), True),
        (Unexpected("?"), True),
        (Unreachable("?"), True),
        (RuntimeError(), True),
        (KeyboardInterrupt(), True),
    ],
)
def test_a_failed_write_counts_unless_it_was_surely_refused(ledger: Ledger, failure: BaseException, wrote: bool) -> None:
    with pytest.raises(type(failure)), ledger.writing(ONE, "update"):
        raise failure
    assert ledger.wrote is wrote
    with ledger.writing(ONE, "update"):
        pass
    with pytest.raises(Denied), ledger.writing(ONE, "update"):
        raise Denied("no")
    assert ledger.wrote is True


def test_threads_may_share_it(ledger: Ledger) -> None:
    addresses = [Address("data", "One", str(number)) for number in range(8)]

    def work(address: Address) -> None:
        for size in range(10):
            with ledger.writing(address, "upload"):
                pass
            ledger.commit(record(address, size))

    with ThreadPoolExecutor(len(addresses)) as pool:
        list(pool.map(work, addresses))
    assert dict(ledger.records) == {address: record(address, 9) for address in addresses}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([ONE, TWO]), st.none() | st.integers(0, 3)), max_size=8))
def test_it_holds_what_a_dictionary_would(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[Address, int | None]]
) -> None:
    for make in LEDGERS.values():
        with ExitStack() as stack:
            ledger = make(tmp_path_factory.mktemp("law"), stack)
            expected: dict[Address, Record] = {}
            for address, size in deeds:
                if size is None:
                    ledger.forget(address)
                    expected.pop(address, None)
                else:
                    ledger.commit(record(address, size))
                    expected[address] = record(address, size)
                assert dict(ledger.records) == expected
