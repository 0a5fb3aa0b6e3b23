"""Expectation faults, and the expectation that two of them make. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from algosync.core.lean import dataclass
from algosync.core.testing.case import Expectation, Tolerance

__all__ = ["ExpectationCheck", "ExpectationFault", "merged", "nothing_wrong"]


@dataclass(frozen=True, slots=True)
class ExpectationFault:
    """What no answer can meet, or what cannot be read.

    `key`: of `expect`. `item`: the JSONPath of a `match`, the index of an element from 0, or the name of a member; None: the
    whole. `message` continues the words "`key`" or "`key` at this place"; it may hold text of the file.
    """

    key: str
    item: str | int | None
    message: str


ExpectationCheck = Callable[[Expectation], Iterable[ExpectationFault]]
"""Finds regular expressions, JSONPaths, schemas and conditions that cannot be read."""


def nothing_wrong(_: Expectation) -> Iterable[ExpectationFault]:
    """A check that finds nothing."""
    return ()


def merged(whole: Expectation, own: Expectation) -> Expectation:
    """What one case has to meet: its `own` expectation, and that of the `whole` file.

    Where both give the same, the case's own counts. Patterns, paths and ignored places are put together. A case that has to fail
    keeps only what the file says about printed text and time; a case that expects an answer does not have to fail.
    """
    if own == Expectation():
        return whole
    if own.error is not None:
        whole = Expectation(printed=whole.printed, not_printed=whole.not_printed, max_seconds=whole.max_seconds)
    own_paths = {path for path, _ in own.match}
    return replace(
        own,
        equals=_either(own.equals, whole.equals),
        contains=_either(own.contains, whole.contains),
        match=(*own.match, *(each for each in whole.match if each[0] not in own_paths)),
        schema=_either(own.schema, whole.schema),
        baseline=own.baseline or whole.baseline,
        error=own.error if own.error is not None or _expects_answer(own) else whole.error,
        content_type=_either(own.content_type, whole.content_type),
        sha256=_either(own.sha256, whole.sha256),
        size=_either(own.size, whole.size),
        printed=_joined(own.printed, whole.printed),
        not_printed=_joined(own.not_printed, whole.not_printed),
        max_seconds=whole.max_seconds if own.max_seconds is None else own.max_seconds,
        tolerance=whole.tolerance if own.tolerance == Tolerance() else own.tolerance,
        ignore=_joined(own.ignore, whole.ignore),
        ignore_order=own.ignore_order or whole.ignore_order,
    )


def _either(own: str | None, whole: str | None) -> str | None:
    return whole if own is None else own


def _joined(own: tuple[str, ...], whole: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*own, *whole)))


def _expects_answer(expect: Expectation) -> bool:
    """Whether an answer is needed to meet it."""
    values = (expect.equals, expect.contains, expect.schema, expect.baseline, expect.content_type, expect.sha256, expect.size)
    return bool(expect.match) or any(value is not None for value in values)
