"""Address: how people and files name one resource — `algorithm.Hello`, `data.Hello["w.pb"]`, `test.Hello["10 calls"]`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

__all__ = ["KINDS", "Address"]

# In the order in which one algorithm's resources come to be.
KINDS = ("algorithm", "data", "source", "version", "test")

_PATTERN = re.compile(r'(?P<kind>[a-z]+)\.(?P<algorithm>[A-Za-z]\w*)(?:\[(?P<name>".*")\])?', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """One resource (or test) of one algorithm; `name` tells several of a kind apart."""

    kind: str
    algorithm: str
    name: str | None = None

    def __str__(self) -> str:
        suffix = "" if self.name is None else f"[{json.dumps(self.name, ensure_ascii=False)}]"
        return f"{self.kind}.{self.algorithm}{suffix}"

    def __lt__(self, other: Address) -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[str, int, bool, str]:
        return (self.algorithm, KINDS.index(self.kind), self.name is not None, self.name or "")

    @classmethod
    def parse(cls, text: str) -> Address:
        """The inverse of `str`. ValueError: not an address."""
        match = _PATTERN.fullmatch(text)
        if match is None or match["kind"] not in KINDS:
            raise ValueError(f"not an address: {text!r}")
        name = None if match["name"] is None else json.loads(match["name"])
        return cls(match["kind"], match["algorithm"], name)
