"""Target: which resources and algorithms an option such as `--target` names. Pure.

A target is an address, the name of an algorithm, or a glob of either.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from fnmatch import fnmatchcase

from algosync.core.address import Address
from algosync.core.lean import dataclass

__all__ = ["Checksum", "Mode", "Selection", "UnknownTarget", "dependencies", "dependents", "matches", "nearest", "reach"]

_GLOB = r"[*?\[]"


class Mode(Enum):
    """What a plan is for.

    `DESTROY`: everything that is recorded is deleted. `REFRESH`: the record takes over what is at the destination.
    """

    APPLY = "apply"
    DESTROY = "destroy"
    REFRESH = "refresh-only"


class Checksum(Enum):
    """When bytes of data files are read to compare them.

    `AUTO`: where size and time prove nothing. `ALWAYS`: also where they stand as recorded. `NEVER`: a file whose size and time are
    not those recorded counts as changed.
    """

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Selection:
    """The choices of a user. `targets`: the plan covers only these; empty: everything. `replace`: they are written again.

    `exclude`: they and what depends on them are left out. `prune`: what is recorded and no longer in the workflow is deleted.
    """

    targets: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    mode: Mode = Mode.APPLY
    prune: bool = False
    checksum: Checksum = Checksum.AUTO


class UnknownTarget(ValueError):
    """Targets that cannot be used. `hint` tells what to write instead, or is None."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    @classmethod
    def unnamed(cls, targets: Iterable[str], names: Collection[str]) -> UnknownTarget:
        """Nothing in the workflow has the name of these targets. The hint has names that are almost the same."""
        targets = list(targets)
        near = dict.fromkeys(name for target in targets if (name := nearest(target, names)) is not None)
        return cls(f"nothing in this workflow is called {', '.join(targets)}", f"did you mean {', '.join(near)}?" if near else None)


def nearest(target: str, names: Collection[str]) -> str | None:
    """The name that is most like a target, whatever its case. A glob is compared without its signs."""
    wanted = re.sub(_GLOB, "", target).casefold()
    folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(wanted, folded, n=1)
    return folded[found[0]] if found else None


def matches(address: Address, target: str) -> bool:
    """Whether the target is the address, its algorithm's name, or a glob of either. `["` in it begins the name of a resource."""
    glob = target.replace('["', '[[]"')
    return any(text == target or fnmatchcase(text, glob) for text in (str(address), address.algorithm))


def dependencies(names: Iterable[str], depends_on: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The algorithms that these depend on, directly or not. One of `names` is among them only if another one depends on it."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        for other in depends_on.get(pending.pop(), ()):
            if other not in found:
                found.add(other)
                pending.append(other)
    return found


def dependents(names: Iterable[str], depends_on: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The algorithms that depend on these, directly or not."""
    found: set[str] = set()
    upstream = set(names)
    while new := {name for name, others in depends_on.items() if name not in found and not upstream.isdisjoint(others)}:
        found |= new
        upstream = new
    return found


def reach(
    targets: Collection[str], kinds: Collection[str], depends_on: Mapping[str, tuple[str, ...]], recorded: Iterable[Address]
) -> set[str]:
    """The algorithms to look at: those with a resource that a target may name, and those they depend on. No target: all.

    `depends_on` has every algorithm of the workflow; `recorded` may have others. The names of resources inside an algorithm are not
    known yet, so a glob may reach an algorithm of which it names nothing.
    """
    algorithms = {*depends_on, *(address.algorithm for address in recorded)}
    if not targets:
        return algorithms
    found: set[str] = set()
    for target in targets:
        named = _algorithm_of(target)
        found |= {name for name in algorithms if (name == named if named else _may_name(target, name, kinds))}
    return found | dependencies(found, depends_on)


def _algorithm_of(target: str) -> str | None:
    """The algorithm of an address. None: the target is a name or a glob."""
    try:
        address = Address.parse(target)
    except ValueError:
        return None
    return None if re.search(_GLOB, address.kind + address.algorithm) else address.algorithm


def _may_name(target: str, algorithm: str, kinds: Iterable[str]) -> bool:
    if target == algorithm or fnmatchcase(algorithm, target):
        return True
    glob = re.search(_GLOB, target)
    if glob is None:
        return False
    start = target[: glob.start()]
    return any(f"{kind}.{algorithm}".startswith(start) for kind in kinds)
