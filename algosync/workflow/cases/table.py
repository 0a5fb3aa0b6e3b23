"""Tables: CSV files with the names of the columns in the first line (RFC 4180, comma, UTF-8). Memory holds one row.

A cell of `payload`, `expect` or `label` is a JSON value if it is the text of one, else it is a text. An empty cell of `expect` or
`label` is not given. All other cells are texts. A column without a name is ignored, such as the index that pandas writes.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from algosync.core.lean import dataclass
from algosync.workflow.cases.case_keys import check_keys
from algosync.workflow.cases.row import MAX_CASE, Row, lines
from algosync.workflow.fault import Faults, Location, UnreadableError, quote
from algosync.workflow.node import MapNode, Scalar, child
from algosync.workflow.parsing.json_reader import read_json

if TYPE_CHECKING:
    from algosync.workflow.node import Node

__all__ = ["table"]

_VALUES = ("payload", "expect", "label")
_OPTIONAL = ("expect", "label", "name")
_REPORTED = {"duplicate-key", "lone-surrogate"}  # the text is meant to be JSON
_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"|[^,"\r\n]+|,')


@dataclass(slots=True)
class _Lines:
    """The lines of a table, which remember those of the current row."""

    file: BinaryIO
    faults: Faults
    first: int = 1
    row: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        for number, text in lines(self.file, self.faults, byte_order_mark=True):
            if not self.row:
                self.first = number
            self.row.append(text)
            yield text


def table(file: BinaryIO, faults: Faults) -> Iterator[Row]:
    """Yield the rows of a file. Raises UnreadableError after the fault of a header or of a row that cannot be told apart."""
    csv.field_size_limit(MAX_CASE)  # of the whole process, where nothing else reads tables
    text = _Lines(file, faults)
    rows = _rows(text, faults)
    header = next(rows, None)
    if header is None:
        return
    _check_header(header, "".join(text.row), text.first, faults)
    for cells in rows:
        if len(cells) == len(header):
            places = partial(_places, header, "".join(text.row), text.first)
            yield Row(_node(header, cells, places, faults), "", text.first, places=places)
        else:
            message = f"the row has {len(cells)} cells, and the header has {len(header)}"
            faults.add(Location(text.first, 1), "", "syntax", message, "put a text that contains a comma in double quotes")


def _rows(text: _Lines, faults: Faults) -> Iterator[Sequence[str]]:
    """Yield the rows that have any text."""
    reader = csv.reader(text, strict=True)
    while True:
        text.row.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.stop(Location(text.first, 1), "syntax", f"not a row of a CSV file: {error}")
        if any(cells):
            yield cells


def _check_header(header: Sequence[str], raw: str, line: int, faults: Faults) -> None:
    """Raises UnreadableError if the header has faults."""
    entries: dict[str, Scalar] = {}
    before = len(faults.found)
    for name, place in zip(header, _starts(raw, line), strict=False):
        key = Scalar(place.line, place.column, "text", name)
        if name in entries:
            faults.add(key, child("", name), "duplicate-key", f"the column {quote(name)} is there already")
        elif name:
            entries[name] = key
    check_keys(MapNode(line, 1, entries, tuple(number for key in entries.values() for number in key[:2])), "", faults)
    if "payload" not in entries:
        hint = "the columns are separated by commas" if len(header) == 1 else "the first line has the names of the columns"
        faults.add(Location(line, 1), "payload", "missing-key", "there is no column 'payload'", hint)
    if len(faults.found) > before:
        raise UnreadableError


def _node(header: Sequence[str], cells: Sequence[str], places: Callable[[], Mapping[str, Location]], faults: Faults) -> MapNode:
    """The map of a row. Its nodes have no places of their own, because only those of faults are needed."""
    entries: dict[str, Node] = {}
    for name, text in zip(header, cells, strict=True):
        if name and (text or name not in _OPTIONAL):
            found = Faults()
            value = _value(text, found) if name in _VALUES else Scalar(1, 1, "text", text)
            entries[name] = value
            for fault in found.found:
                faults.add(places()[name], name, fault.code, fault.message, fault.hint)
    return MapNode(1, 1, entries, (1, 1) * len(entries))


def _value(text: str, faults: Faults) -> Node:
    """The value of a cell. Reports the faults of a text that is meant to be JSON."""
    found = Faults()
    try:
        node = read_json(text, found)
    except UnreadableError:
        return Scalar(1, 1, "text", text)
    if not found.found:
        return node
    if not all(fault.code in _REPORTED for fault in found.found):
        return Scalar(1, 1, "text", text)
    faults.found.extend(found.found)
    return Scalar(1, 1, "broken", "")


def _places(header: Sequence[str], raw: str, line: int) -> Mapping[str, Location]:
    """Where the cell of each column begins, by the text of a row."""
    return dict(zip(header, _starts(raw, line), strict=False))


def _starts(raw: str, line: int) -> Iterator[Location]:
    starts = (0, *(match.end() for match in _QUOTED.finditer(raw) if match.group() == ","))
    yield from (Location(line + raw.count("\n", 0, at), at - raw.rfind("\n", 0, at)) for at in starts)
