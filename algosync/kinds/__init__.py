"""Kinds: one module each, the only code that knows what a kind of resource means."""

from algosync.core.ports import Kind, Performer
from algosync.kinds import algorithm, data, source, test, version
from algosync.kinds.site import Site

__all__ = ["KINDS", "PERFORMERS", "Site"]

KINDS: dict[str, Kind[Site]] = {
    "algorithm": algorithm,
    "data": data,
    "source": source,
    "version": version,
}
# Nothing exists of a test on either side; it is only carried out.
PERFORMERS: dict[str, Performer[Site]] = {**KINDS, "test": test}
