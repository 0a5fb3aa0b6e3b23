"""Read the key `guards`: how much one apply may delete or overwrite."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from algosync.core.workflow import GuardLimits
from algosync.workflow.node import Scalar

if TYPE_CHECKING:
    from algosync.workflow.section import Section

__all__ = ["read_guards"]

_KEYS = ("max_deletes", "max_overwrites")
_PERCENT = re.compile(r"([0-9]{1,2}|100)%", re.ASCII)


def read_guards(document: Section) -> GuardLimits:
    """Return the limits. If one is invalid, the fault is reported and the default takes its place."""
    default = GuardLimits()
    guards = document.section("guards", _KEYS)
    if guards is None:
        return default
    return GuardLimits(
        _read_percent(guards, "max_deletes", default.max_deletes), _read_percent(guards, "max_overwrites", default.max_overwrites)
    )


def _read_percent(guards: Section, key: str, default: int) -> int:
    node = guards.get(key)
    if node is None or (isinstance(node, Scalar) and node.kind == "broken"):
        return default
    percent = _PERCENT.fullmatch(node.text) if isinstance(node, Scalar) and node.kind == "text" else None
    if percent is None:
        message = "a whole percentage from 0% to 100% is needed here"
        guards.faults.add(node, guards.where(key), "percent", message, "for example 30%")
        return default
    return int(percent[1])
