"""Keys that a map has already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.workflow.fault import quote
from algosync.workflow.node import child

if TYPE_CHECKING:
    from collections.abc import Iterable

    from algosync.workflow.fault import Faults
    from algosync.workflow.node import MapNode, Scalar

__all__ = ["report_repeated"]


def report_repeated(keys: Iterable[Scalar], first: MapNode, path: str, faults: Faults) -> None:
    """Report keys that the map `first` has already, which is at `path`."""
    lines = {key.text: key.line for key in first.key_nodes()}
    for key in keys:
        message = f"the key {quote(key.text)} is on line {lines[key.text]} already"
        faults.add(key, child(path, key.text), "duplicate-key", message)
