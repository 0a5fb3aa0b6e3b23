"""One cell of the matrix with a deletion: an apply without faults, then a command that deletes, with a fault.

If the command stops, the same command again deletes the rest. What is not recorded stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from convergence import Outcome, misbehaved, not_met, unreported_writes, wrong_exit_code
from forking import Done
from matrix import Cell
from reference import ALGORITHMS, Lane, Seat, workflow

from algosync.core.error import NotFound

__all__ = ["run_deletion"]

_THEIRS = ("Theirs", "theirs.bin", b"theirs")


def run_deletion(cell: Cell, lane: Lane) -> Outcome:
    seat = lane.seat()
    _prepare(seat, prunes=(prunes := cell.call.command != ("destroy",)))
    lane.strike(*cell.rules(seat.user))
    with lane.requested() as requests:
        first = _delete(seat, cell)
    lane.strike()
    wrong = [*not_met(cell, requests), *wrong_exit_code(cell, first), *misbehaved(first), *unreported_writes(first, requests, seat)]
    if cell.name == "key expires":
        seat.renew_keys()
    last = first
    if first.code:
        last = _delete(seat, cell)
        wrong += misbehaved(last)
    if last.code:
        wrong.append(f"the same command does not converge: {last.err}")
    gone = ALGORITHMS[:1] if prunes else ALGORITHMS
    wrong += [*_wrong_destination(seat, gone), *_wrong_state(seat, gone), *_wrong_plan(seat, prunes=prunes)]
    seat.clear()
    return Outcome(cell, first, tuple(wrong))


def _prepare(seat: Seat, *, prunes: bool) -> None:
    """Apply a workflow without tests, which take long. `prunes`: the first algorithm is left out of it afterwards."""
    collection, name, content = _THEIRS
    seat.api.data.create_collection(seat.user, collection)
    seat.api.data.put(seat.user, collection, name, [content], len(content))
    seat.follow({"algorithms": _algorithms()})
    done = seat.apply()
    assert done.code == 0, done.err
    if prunes:
        seat.follow({"algorithms": _algorithms()[1:]})


def _algorithms() -> list[Mapping[str, object]]:
    listed = workflow()["algorithms"]
    assert isinstance(listed, list)
    return [{key: value for key, value in each.items() if key not in ("depends_on", "test_payload")} for each in listed]


def _delete(seat: Seat, cell: Cell) -> Done:
    command, *options = cell.call.command
    return seat.destroy() if command == "destroy" else seat.apply(*options)


def _wrong_destination(seat: Seat, gone: tuple[str, ...]) -> Iterator[str]:
    for name in ALGORITHMS:
        there = _algorithm_is_there(seat, name), _collection_is_there(seat, name)
        if there != (name not in gone,) * 2:
            yield f"whether the algorithm and the collection {name} are there: {there}"
    collection, name, content = _THEIRS
    with seat.api.data.open(seat.user, collection, name) as download:
        if b"".join(download.blocks) != content:
            yield "somebody else's file has changed"


def _algorithm_is_there(seat: Seat, name: str) -> bool:
    try:
        seat.api.algorithms.read(seat.user, name)
    except NotFound:
        return False
    return True


def _collection_is_there(seat: Seat, name: str) -> bool:
    try:
        seat.api.data.files(seat.user, name)
    except NotFound:
        return False
    return True


def _wrong_state(seat: Seat, gone: tuple[str, ...]) -> Iterator[str]:
    (path,) = (seat.folder / "state").glob(f"*~{seat.user}.json")
    left = sorted(json.loads(path.read_text())["records"])
    wanted = sorted(f"{kind}.{name}" for name in ALGORITHMS if name not in gone for kind in ("algorithm", "source", "version"))
    if left != wanted:
        yield f"recorded: {left}"


def _wrong_plan(seat: Seat, *, prunes: bool) -> Iterator[str]:
    plan = seat.run("plan", "--prune" if prunes else "--destroy")
    if plan.code or "\nNo changes. " not in plan.out:
        yield f"exit {plan.code} of the plan afterwards: {plan.out}{plan.err}"
