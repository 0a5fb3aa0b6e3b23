"""Which commits descend from which others, for any number of questions about one history."""

from collections.abc import Iterable, Mapping, Sequence

from dulwich.objects import ObjectID


class Ancestry:
    """What is known of some commits' descendants. Each commit is looked at once, however many ask: a push can move 10,000 refs.

    Own, not dulwich's, which walks the history for each question, and trusts the times that commits name.
    """

    def __init__(self, parents: Mapping[ObjectID, Sequence[ObjectID]], ancestors: Iterable[ObjectID]) -> None:
        """`parents` are those of each commit; they may become more between questions. `ancestors` are asked for."""
        self._parents = parents
        self._bits = {commit: 1 << number for number, commit in enumerate(dict.fromkeys(ancestors))}
        self._found: dict[ObjectID, int] = {}
        """Of each commit: the bits of what it is, and of what it descends from."""

    def descends(self, commit: ObjectID, ancestor: ObjectID) -> bool:
        """Whether a commit is this one of the `ancestors`, or descends from it."""
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
            # Long lines of commits share one number, which can have 10,000 bits.
            bits = bits | found if bits | found != found else found
        return bits
