"""The reference apply with one fault in each kind of remote call: it converges, or it stops with the right exit code and the same
command then converges. A cell mostly waits, so several lanes run in parallel.
"""

from __future__ import annotations

import queue
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from convergence import Outcome, run_cell
from deletion import run_deletion
from matrix import CALLS, CELLS, DELETIONS, FAULTS, Call, Cell
from reference import ALGORITHMS, Lane, lane

from algosync import cluster

LANES = 4

Lanes = queue.SimpleQueue[Lane]


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lanes]:
    folder = tmp_path_factory.mktemp("lanes")
    free: Lanes = queue.SimpleQueue()
    with ExitStack() as stack, ThreadPoolExecutor(LANES) as pool:
        for made in pool.map(lambda number: stack.enter_context(lane(folder / str(number))), range(LANES)):
            free.put(made)
        yield free


def carry_out(cell: Cell, lanes: Lanes) -> Outcome:
    free = lanes.get()
    try:
        return run_deletion(cell, free) if cell.call in DELETIONS else run_cell(cell, free)
    finally:
        lanes.put(free)


@pytest.mark.parametrize("call", [*CALLS, *DELETIONS], ids=lambda call: call.name)
def test_each_fault_of_a_call(call: Call, lanes: Lanes) -> None:
    cells = [cell for cell in CELLS if cell.call is call]
    with ThreadPoolExecutor(LANES) as pool:
        outcomes = list(pool.map(lambda cell: carry_out(cell, lanes), cells))
    for outcome in outcomes:
        print(f"{outcome.first.code}  {outcome.first.seconds:5.1f} s  {outcome.cell}")
    print(f"{call.name}: {dict(Counter(outcome.first.code for outcome in outcomes))}")
    assert {str(outcome.cell): outcome.wrong for outcome in outcomes if outcome.wrong} == {}


def test_the_matrix_is_large_and_covers_all_faults() -> None:
    assert len(CELLS) >= 380
    assert {cell.name for cell in CELLS} == set(FAULTS)


def test_every_method_that_the_client_sends_has_a_row() -> None:
    sources = (Path(cluster.__file__).parent).glob("*.py")
    sent = {method for source in sources for method in re.findall(r'"(GET|POST|PUT|PATCH|DELETE)"', source.read_text())}
    assert sent == {call.match.partition(" ")[0] for call in (*CALLS, *DELETIONS)}


def test_the_matrix_has_every_kind_of_call(lanes: Lanes) -> None:
    free = lanes.get()
    try:
        seat = free.seat()
        with free.requested() as requests:
            done = seat.apply()
        seat.clear()
    finally:
        lanes.put(free)
    assert done.code == 0, done.err
    made = {f"{r['method']} {r['path']}".replace(seat.user, "USER") for r in requests}
    known = [_pattern(call.match) for call in CALLS]
    assert {request for request in made if not any(pattern.match(request) for pattern in known)} == set()


def _pattern(match: str) -> re.Pattern[str]:
    """The pattern of a call: any algorithm, file or collection in place of the names."""
    text = re.sub("|".join(ALGORITHMS), f"(?:{'|'.join(ALGORITHMS)})", re.escape(match).replace(r"\*", "[^?]*"))
    text = text.replace(r"big\.bin", r"(?:big|small|empty)\.bin").replace(r"\.my/models", r"\.my/(?:models|code)")
    return re.compile(text + ("$" if "?" in match else r"(?:\?.*)?$"))
