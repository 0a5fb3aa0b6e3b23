"""Kind traits: what planning and recording need to know of a kind of resource.

Each kind states its traits in its own module, so that no other module knows kinds by name.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KindTraits"]


@dataclass(frozen=True, slots=True)
class KindTraits:
    """`needs`: kinds of the same algorithm that a resource of this kind is built on. `--target` includes them.

    `is_file`: each resource is a data file. Plans count its bytes, and it has no versions: overwriting it takes effect at once.
    `publishes`: the resource is the published version. The algorithm's payload tests the new version before it is published.
    `read_back`: the attributes that the kind reads from its records. A record keeps their exact values or leaves them out.
    """

    needs: frozenset[str] = frozenset()
    is_file: bool = False
    publishes: bool = False
    read_back: frozenset[str] = frozenset()
