"""The result of an import as text: what was recorded, and how it differs from the workflow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from algosync.core.address import Address
from algosync.core.planning.change import Change
from algosync.core.planning.plan import Plan
from algosync.core.text import paint, plural, printable
from algosync.views.plan import ACTIONS, change_rows
from algosync.views.value import Redact, redacted_address

__all__ = ["adopted_lines", "difference_lines"]


def adopted_lines(
    imported: Collection[Address], already: Collection[Address], unreadable: Collection[Address], redact: Redact
) -> Iterator[str]:
    """Each resource with what became of it, then the counts."""
    words = {"imported": imported, "is recorded already": already, "not imported: its content cannot be read any more": unreadable}
    for word, addresses in words.items():
        for address in addresses:
            yield f"{_shown(address, redact)}: {word}"
    yield ""
    counts = [f"{len(imported)} imported", *([f"{len(already)} recorded already"] if already else [])]
    yield paint(f"Import complete! Resources: {', '.join(counts)}. Nothing was changed at the destination.", "green", "bold")


def difference_lines(plan: Plan, algorithms: Collection[str], redact: Redact) -> Iterator[str]:
    """What the next apply changes of these algorithms. `plan` was made after the import."""
    changes = [change for change in plan.visible if change.address.algorithm in algorithms]
    if not changes:
        yield "What is there matches the workflow."
        return
    yield f"It differs from the workflow: the next apply makes {plural(len(changes), 'change')}."
    yield ""
    for change in changes:
        yield from _change(change, redact)
    yield ""
    yield "algosync plan shows this again."


def _change(change: Change, redact: Redact) -> Iterable[str]:
    symbol, colour, _, sentence = ACTIONS[change.action]
    yield f"  {paint(symbol, colour)} {_shown(change.address, redact)} {sentence}"
    if change.action.writes:
        for mark, text in change_rows(change, redact):
            yield f"      {mark} {text}" if mark else f"      {text}"


def _shown(address: Address, redact: Redact) -> str:
    return printable(redacted_address(address, redact))
