"""Dependencies between algorithms: what each one says must be there before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["cycles"]


def cycles(needs: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """The cycles met on a walk through the graph, at least one of each knot; each starts and ends with the same name.

    Names that are no key of `needs` need nothing. Takes time in proportion to the graph, not to the number of its cycles.
    """
    done: set[str] = set()
    for start in needs:
        if start not in done:
            yield from _walk(start, needs, done)


def _walk(start: str, needs: Mapping[str, Sequence[str]], done: set[str]) -> Iterator[tuple[str, ...]]:
    """Depth first, with its own stack: a chain may be longer than Python calls can be deep."""
    position = {start: 0}
    stack = [(start, iter(needs[start]))]
    while stack:
        name, rest = stack[-1]
        following = next(rest, None)
        if following is None:
            stack.pop()
            done.add(name)
            del position[name]
        elif following in position:
            yield (*(entry[0] for entry in stack[position[following] :]), following)
        elif following not in done:
            position[following] = len(stack)
            stack.append((following, iter(needs.get(following, ()))))
