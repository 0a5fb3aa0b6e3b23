"""Missing record: the error for a name that names nothing recorded."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from algosync.core.address import Address
from algosync.core.error import AlgosyncError
from algosync.core.text import printable

__all__ = ["missing_record"]


def missing_record(named: str, recorded: Iterable[Address]) -> AlgosyncError:
    """`named`: an address, an algorithm or a glob. The hint has the nearest name that is recorded."""
    known = {text for address in recorded for text in (str(address), address.algorithm)}
    near = get_close_matches(named, sorted(known), n=1)
    hint = (
        f"did you mean {printable(near[0])}?"
        if near
        else "algosync state list shows what is recorded; --workflow names the workflow"
    )
    return AlgosyncError(f"nothing is recorded as {printable(named, 200)}", hint=hint)
