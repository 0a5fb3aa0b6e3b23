"""Address: how people and files name one resource: `algorithm.Hello`, `data.Hello["w.pb"]`, `test.Hello["10 calls"]`.

The patterns of the names of algorithms, owners and local clusters are here too, one for each, used wherever such a name is read.
"""

from __future__ import annotations

import json
import re
from dataclasses import field

from algosync.core.lean import dataclass

__all__ = ["ALGORITHM_NAME", "LOCAL_CLUSTER_NAME", "OWNER_NAME", "Address"]

ALGORITHM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
OWNER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")  # a user or an organization; becomes part of URLs
LOCAL_CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")  # becomes the name of a folder

_PATTERN = re.compile(rf'(?P<kind>[a-z]+)\.(?P<algorithm>{ALGORITHM_NAME.pattern})(?:\[(?P<name>".*")\])?', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """One resource or test of one algorithm. `name` distinguishes several of the same kind.

    Addresses sort by algorithm, then by kind, then by name.
    """

    kind: str
    algorithm: str
    name: str | None = None
    _hash: int = field(init=False, repr=False, compare=False)
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.kind, self.algorithm, self.name)))
        name = "" if self.name is None else f"[{_quoted(self.name)}]"
        object.__setattr__(self, "_text", f"{self.kind}.{self.algorithm}{name}")

    @classmethod
    def of(cls, kind: str, algorithm: str, name: str | None = None) -> Address:
        """The address, the same object each time: a plan looks up each one a dozen times, and identical keys are found fastest."""
        key = (kind, algorithm, name)
        found = _KNOWN.get(key)
        return _KNOWN.setdefault(key, cls(*key)) if found is None else found

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Address], tuple[str, str, str | None]]:
        """Hashes differ between processes."""
        return Address, (self.kind, self.algorithm, self.name)

    def __str__(self) -> str:
        return self._text

    def __lt__(self, other: Address) -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[str, str, bool, str]:
        return (self.algorithm, self.kind, self.name is not None, self.name or "")

    @classmethod
    def parse(cls, text: str) -> Address:
        """The inverse of `str`; the kind may be any word of small letters. ValueError: the text is not an address."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(f"not an address: {text!r}")
        kind, algorithm, quoted = match.groups()
        if quoted is None:
            return cls.of(kind, algorithm)
        return cls.of(kind, algorithm, quoted[1:-1] if _is_plain(quoted[1:-1]) else json.loads(quoted))


_KNOWN: dict[tuple[str, str, str | None], Address] = {}


def _quoted(name: str) -> str:
    """The name in JSON, with its characters as they are. Nearly all names need no escape, and an apply writes each many times."""
    return f'"{name}"' if _is_plain(name) else json.dumps(name, ensure_ascii=False)


def _is_plain(name: str) -> bool:
    """Whether JSON writes the name as it is."""
    return name.isprintable() and '"' not in name and "\\" not in name
