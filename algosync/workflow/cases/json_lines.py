"""JSON Lines: one object a line. Lines without text do not count. Memory holds one line."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from algosync.workflow.cases.row import Row, lines
from algosync.workflow.fault import Faults, UnreadableError
from algosync.workflow.parsing.json_reader import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["json_lines"]


def json_lines(file: BinaryIO, faults: Faults) -> Iterator[Row]:
    """Yield the rows of a file. A line that is not JSON is reported, and the next one is read."""
    for number, text in lines(file, faults):
        if not text.strip():
            continue
        found, node = Faults(), None
        with suppress(UnreadableError):
            node = read_json(text, found)
        faults.include(found, "", number - 1)
        if node is not None and not found.found:
            yield Row(node, "", number, number - 1)
