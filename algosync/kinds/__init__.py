"""Kinds: one module each, the only code that knows what a kind of resource means."""

from algosync.core.ports import Kind
from algosync.kinds import algorithm, data, source, test, version
from algosync.kinds.site import Site

__all__ = ["KINDS", "Site"]

KINDS: dict[str, Kind[Site]] = {
    "algorithm": algorithm,
    "data": data,
    "source": source,
    "version": version,
    "test": test,
}
