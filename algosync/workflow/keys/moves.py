"""Read `moved` and `removed`: what became of algorithms that an earlier form of the file had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.core.lean import dataclass
from algosync.core.workflow import Move
from algosync.workflow.dependency import cycles
from algosync.workflow.fault import quote
from algosync.workflow.section import nearest, section_of, text_of
from algosync.workflow.uri import algorithm_name_fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Scalar
    from algosync.workflow.section import Section

__all__ = ["read_moves"]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of `moved`. `path` is that of the entry."""

    old: Scalar
    new: Scalar
    path: str


def read_moves(document: Section, names: Collection[str]) -> tuple[tuple[Move, ...], tuple[str, ...]]:
    """Return the moves and the removed names. `names`: the algorithms of the file. An algorithm may have moved several times; its
    move ends at the name that it has now.
    """
    faults = document.faults
    entries = list(_entries(document))
    removed = list(_removed(document))
    left = [*((entry.old, f"{entry.path}.from") for entry in entries), *removed]
    _check_gone(left, names, faults)
    _check_once(left, "was moved or removed", faults)
    _check_once(((entry.new, f"{entry.path}.to") for entry in entries), "is the target of a move", faults)
    targets = {entry.old.text: entry.new.text for entry in entries}
    looping = _check_cycles(entries, faults)
    for entry in entries:
        if entry.new.text not in names and entry.new.text not in targets:
            message = f"{quote(entry.new.text)} is not one of the algorithms"
            faults.add(entry.new, f"{entry.path}.to", "unknown-move", message, nearest(entry.new.text, names))
    moves = () if looping else tuple(Move(old, _end(old, targets)) for old in targets)
    return moves, tuple(node.text for node, _ in removed)


def _entries(document: Section) -> Iterator[_Entry]:
    for node, path in document.list("moved"):
        section = section_of(node, path, document.faults, ("from", "to"))
        if section is None:
            continue
        old, new = (_name(section.text(key, required=True), section.where(key), document.faults) for key in ("from", "to"))
        if old and new:
            yield _Entry(old, new, path)


def _removed(document: Section) -> Iterator[tuple[Scalar, str]]:
    for node, path in document.list("removed"):
        name = _name(text_of(node, path, document.faults), path, document.faults)
        if name:
            yield name, path


def _name(node: Scalar | None, path: str, faults: Faults) -> Scalar | None:
    if node and (wrong := algorithm_name_fault(node.text)):
        faults.add(node, path, "invalid-name", f"{quote(node.text)}: {wrong}")
        return None
    return node


def _check_gone(left: Iterable[tuple[Scalar, str]], names: Collection[str], faults: Faults) -> None:
    for node, path in left:
        if node.text in names:
            message = f"{quote(node.text)} is still one of the algorithms"
            faults.add(node, path, "still-there", message, "remove it from `algorithms`, or remove this entry")


def _check_once(given: Iterable[tuple[Scalar, str]], what: str, faults: Faults) -> None:
    lines: dict[str, int] = {}
    for node, path in given:
        if node.text in lines:
            faults.add(node, path, "duplicate-move", f"{quote(node.text)} {what} on line {lines[node.text]} already")
        lines.setdefault(node.text, node.line)


def _check_cycles(entries: Iterable[_Entry], faults: Faults) -> bool:
    """Report moves that lead back to their own beginning. Return whether there are any."""
    by_name = {entry.old.text: entry for entry in entries}
    found = False
    for cycle in cycles({name: (entry.new.text,) for name, entry in by_name.items()}):
        last, found = by_name[cycle[-2]], True
        faults.add(last.new, f"{last.path}.to", "move-cycle", f"moves lead back to their beginning: {' -> '.join(cycle[:8])}")
    return found


def _end(name: str, targets: dict[str, str]) -> str:
    while name in targets:
        name = targets[name]
    return name
