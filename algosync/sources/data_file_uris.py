"""Where the data files of a workflow come from and go to: their URIs at the source and at the destination."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.workflow import AlgorithmSpec
from algosync.sources.placeholders import ALGORITHM, OWNER

__all__ = ["DataFileUris", "UriIndex", "data_file_uris", "uri_index"]

_MY = "data://.my/"


@dataclass(frozen=True, slots=True)
class DataFileUris:
    """The URIs of a workflow's data files, as one algorithm's manifest refers to them.

    `owner` is the owner at the destination. `sources` and `targets` give the data file of each URI at the source and at the
    destination. In `sources`, `.my` is replaced by the source's owner if that is known.
    """

    owner: str
    algorithm: str
    source_owner: str | None
    sources: Mapping[str, Address]
    targets: Mapping[str, Address]

    def find(self, uri: str) -> Address | None:
        """The data file that a URI in a manifest refers to. None: no data file of this workflow.

        A URI with a placeholder refers to the destination, and `.my` in it to the owner there, as in a payload. Any other URI is
        looked up at the source first, where `.my` is the owner of the source's key.
        """
        if (filled := self.fill(uri)) != uri:
            return self.targets.get(_with_owner(filled, self.owner))
        return self.sources.get(_with_owner(uri, self.source_owner)) or self.targets.get(uri)

    def fill(self, uri: str) -> str:
        """The URI with its placeholders filled in."""
        return uri.replace(OWNER, self.owner).replace(ALGORITHM, self.algorithm)

    def at_destination(self, uri: str) -> str:
        """The URI of the same file at the destination. A URI of another file stays as it is, with placeholders filled in."""
        file = self.find(uri)
        return self.fill(uri) if file is None else _target(file, self.owner)


@dataclass(frozen=True, slots=True)
class UriIndex:
    """The URIs of all data files of a workflow. If several have the same source, `sources` has the first of them."""

    owner: str
    source_owner: str | None
    sources: dict[str, Address]
    targets: Mapping[str, Address]


def uri_index(sources: Mapping[Address, str], owner: str, source_owner: str | None) -> UriIndex:
    """`sources`: the source URI of each data file, in the workflow's order."""
    first: dict[str, Address] = {}
    for address, uri in sources.items():
        first.setdefault(_with_owner(uri, source_owner), address)
    return UriIndex(owner, source_owner, first, {_target(address, owner): address for address in sources})


def data_file_uris(spec: AlgorithmSpec, index: UriIndex) -> DataFileUris:
    """The URIs as one algorithm refers to them: if several algorithms have the same source, its own file counts first."""
    own: dict[str, Address] = {}
    for file in spec.data_files:
        own.setdefault(_with_owner(file.source, index.source_owner), Address("data", spec.name, file.name))
    return DataFileUris(index.owner, spec.name, index.source_owner, ChainMap(own, index.sources), index.targets)


def _with_owner(uri: str, owner: str | None) -> str:
    """The URI with `.my` replaced by the owner's name."""
    return uri if owner is None or not uri.startswith(_MY) else f"data://{owner}/{uri.removeprefix(_MY)}"


def _target(file: Address, owner: str) -> str:
    return f"data://{owner}/{file.algorithm}/{file.name}"
