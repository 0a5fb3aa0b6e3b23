"""The difference of one file of a source, as lines for people."""

from __future__ import annotations

from typing import Literal

from algosync.core.address import Address
from algosync.core.lean import dataclass

__all__ = ["FileDiff"]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """`lines`: the hunks of a unified diff, with secrets hidden. `left_out`: how many lines come after them.

    `note`: why there are no lines, such as a binary file, or what else differs, such as the mode; empty: nothing to say.
    """

    address: Address
    path: str
    action: Literal["create", "update", "delete"] = "update"
    lines: tuple[str, ...] = ()
    left_out: int = 0
    note: str = ""
