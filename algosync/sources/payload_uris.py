"""Payloads at the source: the URIs of the destination's data files in a payload become those that the files came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from algosync.core.address import Address

__all__ = ["PayloadUris"]

_END = r"(?![\w/-]|\.\w)"  # what follows the URI of a file in a longer text is no part of its name


class PayloadUris:
    """`sources`: the source URI of each data file of the workflow. `owner`: the owner at the destination."""

    def __init__(self, sources: Mapping[Address, str], owner: str) -> None:
        self._sources = {_written(uri): _written(sources[file]) for file in sources for uri in _uris(file, owner)}
        longest_first = sorted(self._sources, key=len, reverse=True)
        self._pattern = re.compile(f"(?:{'|'.join(map(re.escape, longest_first))}){_END}") if longest_first else None

    def at_source(self, payload: str) -> str:
        """The payload with the source's URIs, in texts and in parts of them. It is JSON text as the loader writes it."""
        if self._pattern is None:
            return payload
        return self._pattern.sub(lambda found: self._sources[found[0]], payload)


def _uris(file: Address, owner: str) -> Iterator[str]:
    for name in (".my", owner):
        yield f"data://{name}/{file.algorithm}/{file.name}"


def _written(uri: str) -> str:
    """As it stands inside a JSON text: the loader writes ASCII only, and does not escape slashes."""
    return json.dumps(uri)[1:-1]
