"""Protection: `lifecycle: {prevent_destroy: true}`, kept in the record of the kind `algorithm`.

So it also protects an algorithm that is no longer in the workflow (`core.planning.guards`).
"""

from __future__ import annotations

from collections.abc import Mapping

from algosync.core.planning.guards import PREVENT_DESTROY
from algosync.core.resource import Json, Record
from algosync.core.workflow import AlgorithmSpec

__all__ = ["changed_protection", "protection"]


def protection(spec: AlgorithmSpec) -> Mapping[str, Json]:
    """The private part of the algorithm's record."""
    return {PREVENT_DESTROY: True} if spec.prevent_destroy else {}


def changed_protection(spec: AlgorithmSpec, record: Record | None) -> Mapping[str, Json] | None:
    """The private part that the record is to get. None: it has the right one."""
    wanted, recorded = protection(spec), record.private if record else {}
    return None if wanted.get(PREVENT_DESTROY) == recorded.get(PREVENT_DESTROY) else wanted
