"""Kinds: one module each, the only code that knows what a kind of resource means.

A new kind is one module that implements `core.ports.Kind`, and one line in `KINDS`. A plan lists the kinds in the order of `KINDS`.
"""

from algosync.core.ports import Kind, Performer
from algosync.kinds import algorithm, data, source, test, version
from algosync.kinds.context import Context
from algosync.kinds.data_writes import DataWrites
from algosync.kinds.desired_sources import DesiredSources
from algosync.kinds.destination import destination_of
from algosync.kinds.kept_files import KeptFiles
from algosync.kinds.source import source_diffs

__all__ = [
    "KINDS",
    "PERFORMERS",
    "READ_BACK",
    "Context",
    "DataWrites",
    "DesiredSources",
    "KeptFiles",
    "destination_of",
    "source_diffs",
]

KINDS: dict[str, Kind[Context]] = {
    "algorithm": algorithm,
    "data": data,
    "source": source,
    "version": version,
}
PERFORMERS: dict[str, Performer[Context]] = {**KINDS, "test": test}
"""Tests are carried out but do not exist as resources on either side."""
READ_BACK: frozenset[str] = frozenset().union(*(kind.TRAITS.read_back for kind in KINDS.values()))
"""The attributes of records that some kind reads again; see `KindTraits`."""
