"""List documents: a JSON or YAML file that is one list of cases. It is read as a whole, so its size is limited."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from algosync.workflow.cases.row import Row
from algosync.workflow.fault import Location
from algosync.workflow.file import decoded
from algosync.workflow.node import MAX_SIZE, ListNode, kind_of
from algosync.workflow.parsing import read_nodes
from algosync.workflow.parsing.json_reader import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node

__all__ = ["json_list", "yaml_list"]


def json_list(file: BinaryIO, faults: Faults) -> Iterator[Row]:
    """Yield the rows of a JSON file."""
    text = _text(file, faults)
    yield from _rows(read_json(text, faults) if text.strip() else None, faults)


def yaml_list(file: BinaryIO, faults: Faults) -> Iterator[Row]:
    """Yield the rows of a YAML file."""
    text = _text(file, faults)
    yield from _rows(read_nodes(text, "yaml", faults) if text.strip() else None, faults)


def _text(file: BinaryIO, faults: Faults) -> str:
    data = file.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        hint = "JSON Lines (.jsonl) and CSV files have no limit"
        faults.stop(Location(1, 1), "too-large", f"the file is larger than {MAX_SIZE // 1024**2} MiB", hint)
    return decoded(data, faults)


def _rows(root: Node | None, faults: Faults) -> Iterator[Row]:
    if root is None:
        return
    if not isinstance(root, ListNode):
        faults.add(root, "", "type", f"a list of cases is needed here, not {kind_of(root)}")
        return
    for index, node in enumerate(root.items):
        yield Row(node, f"[{index}]", node.line)
