"""Answers many questions of whether one commit descends from another."""

from collections.abc import Iterable, Mapping, Sequence

from dulwich.objects import ObjectID


class Ancestry:
    """The descendants of a set of commits. Each commit of the history is visited once, as a push can move 10,000 refs.

    dulwich's own function walks the history for each question, and trusts the dates of commits.
    """

    def __init__(self, parents: Mapping[ObjectID, Sequence[ObjectID]], ancestors: Iterable[ObjectID]) -> None:
        """`parents` maps each commit to its parents, and may grow between questions. `ancestors` are all that can be asked for."""
        self._parents = parents
        self._bits = {commit: 1 << number for number, commit in enumerate(dict.fromkeys(ancestors))}
        self._found: dict[ObjectID, int] = {}
        """By commit, the bits of itself and of its ancestors."""

    def descends(self, commit: ObjectID, ancestor: ObjectID) -> bool:
        """Whether a commit is `ancestor`, which must be one of the `ancestors`, or descends from it."""
        waiting = [commit]
        while waiting:
            current = waiting[-1]
            if missing := [each for each in self._parents.get(current, ()) if each not in self._found]:
                waiting += missing
            else:
                self._found[current] = self._bits_of(current)
                waiting.pop()
        return bool(self._found[commit] & self._bits[ancestor])

    def _bits_of(self, commit: ObjectID) -> int:
        bits = self._bits.get(commit, 0)
        for parent in self._parents.get(commit, ()):
            found = self._found[parent]
            # Commits in a line share one number object, which can have 10,000 bits.
            bits = bits | found if bits | found != found else found
        return bits
