"""Dependencies between algorithms: find cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["cycles"]


def cycles(needs: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield cycles of the graph, at least one in each strongly connected part; each starts and ends with the same name.

    Names that are not keys of `needs` have no dependencies. The time is linear in the size of the graph, not in the number of
    cycles.
    """
    done: set[str] = set()
    for start in needs:
        if start not in done:
            yield from _walk(start, needs, done)


def _walk(start: str, needs: Mapping[str, Sequence[str]], done: set[str]) -> Iterator[tuple[str, ...]]:
    """Depth-first search with its own stack: a chain may be longer than Python's recursion limit."""
    position = {start: 0}
    stack = [(start, iter(needs[start]))]
    while stack:
        name, rest = stack[-1]
        dependency = next(rest, None)
        if dependency is None:
            stack.pop()
            done.add(name)
            del position[name]
        elif dependency in position:
            yield (*(entry[0] for entry in stack[position[dependency] :]), dependency)
        elif dependency not in done:
            position[dependency] = len(stack)
            stack.append((dependency, iter(needs.get(dependency, ()))))
