"""Row: one case of a file as a node, before it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, BinaryIO

from algosync.core.lean import dataclass
from algosync.workflow.fault import Faults, Location
from algosync.workflow.file import decoded

if TYPE_CHECKING:
    from algosync.workflow.node import Node

__all__ = ["MAX_CASE", "CaseFormat", "Row", "lines"]

MAX_CASE = 64 * 1024 * 1024  # bytes of one line of a file


@dataclass(frozen=True, slots=True)
class Row:
    """`path`: of the case in its file, such as `[3]`; empty for a line. `line`: where the case begins.

    `offset`: what the lines of the node are less than those of the file. `places`: where the cell of each column begins, for a
    node without places of its own. `is_table`: the row is of a table, where a value in the place of an expectation is the answer.
    """

    node: Node
    path: str
    line: int
    offset: int = 0
    places: Callable[[], Mapping[str, Location]] | None = field(default=None, repr=False)

    @property
    def is_table(self) -> bool:
        return self.places is not None


CaseFormat = Callable[[BinaryIO, Faults], Iterator[Row]]
"""Yields the rows of a file. Reports what is no row, and goes on if that is possible, else raises UnreadableError."""


def lines(file: BinaryIO, faults: Faults, *, byte_order_mark: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line, with its end. Memory holds one line.

    `byte_order_mark`: the file may begin with one. Raises UnreadableError at a line that is too long or not UTF-8.
    """
    number = 0
    while data := file.readline(MAX_CASE + 1):
        number += 1
        if len(data) > MAX_CASE:
            faults.stop(Location(number, 1), "too-large", f"the line is longer than {MAX_CASE // 1024**2} MiB")
        if number == 1 and byte_order_mark:
            data = data.removeprefix(b"\xef\xbb\xbf")
        found = Faults()
        try:
            text = decoded(data, found)
        finally:
            faults.include(found, "", number - 1)
        yield number, text
