"""The data files of all algorithms of a workflow, indexed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.resource import Json, digest_of
from algosync.core.workflow import AlgorithmSpec

__all__ = ["DataFiles", "data_files_of"]


@dataclass(frozen=True, slots=True)
class DataFiles:
    """`sources`: the URI that each comes from, in the workflow's order. `named`: the addresses by text. `digest`: of both."""

    sources: Mapping[Address, str]
    named: Mapping[str, Address]
    digest: str

    def digest_for(self, algorithm: str) -> str:
        """Changes whenever the URIs in the manifest of this algorithm may refer to other data files."""
        return digest_of([algorithm, self.digest])


def data_files_of(algorithms: Sequence[AlgorithmSpec]) -> DataFiles:
    sources = {Address("data", spec.name, file.name): file.source for spec in algorithms for file in spec.data_files}
    rows: list[Json] = [[address.algorithm, address.name, source] for address, source in sources.items()]
    return DataFiles(sources, {str(address): address for address in sources}, digest_of(rows))
