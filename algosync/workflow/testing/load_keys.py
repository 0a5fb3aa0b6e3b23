"""Read how often and how many at once the calls of a test are made, how long they may take, and the limits that they keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.core.testing.case import CALL_TIMEOUT, Limit, Load
from algosync.workflow.fault import quote
from algosync.workflow.node import Scalar

if TYPE_CHECKING:
    from algosync.workflow.section import Section

__all__ = ["LIMIT_KEYS", "LOAD_KEYS", "MAX_CONCURRENCY", "MAX_TIMEOUT", "read_load", "read_timeout"]

MAX_TIMEOUT = 3000  # seconds of one call (PLATFORM.md §6.1)
MAX_CONCURRENCY = 256
_MAX_CALLS = 1_000_000
_MEASURES = ("p50", "p95", "p99", "max", "error_rate", "throughput")
LIMIT_KEYS = (*_MEASURES, *(f"{measure}_vs_baseline" for measure in _MEASURES))
LOAD_KEYS = ("repeat", "concurrency", "warmup", "limits")
_ONE_CALL = Load()


def read_load(section: Section) -> Load:
    """Return the load of a test. What is invalid is reported, and the default takes its place."""
    default = _ONE_CALL
    if section.node.entries.keys().isdisjoint(LOAD_KEYS):
        return default
    return Load(
        repeat=section.whole("repeat", 1, _MAX_CALLS, default.repeat),
        concurrency=section.whole("concurrency", 1, MAX_CONCURRENCY, default.concurrency),
        warmup=section.whole("warmup", 0, _MAX_CALLS, default.warmup),
        limits=_read_limits(section),
    )


def _read_limits(section: Section) -> tuple[Limit, ...]:
    limits = section.section("limits", LIMIT_KEYS)
    if limits is None:
        return ()
    read = ((key, limits.number(key, most=1.0) if key == "error_rate" else limits.number(key)) for key in LIMIT_KEYS)
    return tuple(Limit(key, most) for key, most in read if most is not None)


def read_timeout(section: Section) -> int:
    """Return the seconds that one call may take."""
    node = section.get("timeout")
    if node is None or (isinstance(node, Scalar) and node.kind == "broken"):
        return CALL_TIMEOUT
    whole = isinstance(node, Scalar) and node.kind == "integer"
    if isinstance(node, Scalar) and whole and len(node.text) <= 4 and 1 <= int(node.text) <= MAX_TIMEOUT:
        return int(node.text)
    code, what = ("timeout", quote(node.text)) if isinstance(node, Scalar) and whole else ("type", "this")
    section.faults.add(node, section.where("timeout"), code, f"{what} is not a whole number of seconds from 1 to {MAX_TIMEOUT}")
    return CALL_TIMEOUT
