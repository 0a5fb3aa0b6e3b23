"""Cheap verdicts: whether an answer passes, where that takes time and memory in proportion to its size only."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from algosync.answers.exact_json import NotJson
from algosync.answers.subject import Subject
from algosync.answers.verdict import EXPECTATIONS, given
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import Expectation

__all__ = ["passes_cheaply"]

_LARGEST = 1024**2  # bytes of JSON: a value takes up to forty times as much memory
_META = re.compile(r"[\\.^$*+?{}\[\]|()]")


def passes_cheaply(expect: Expectation, answer: Answer) -> bool:
    """True: the answer passes. False: it does not, or only a costly check can tell."""
    subject = Subject(answer)
    if (answer.failure is not None) != (expect.error is not None):
        return False
    if answer.failure is not None and set(given(expect)) - {"error", "max_seconds"}:
        return False
    try:
        return all(_CHEAP[name](expect, subject) and not any(EXPECTATIONS[name](expect, subject)) for name in given(expect))
    except (NotJson, RecursionError):
        return False


def _always(_expect: Expectation, _subject: Subject) -> bool:
    return True


def _never(_expect: Expectation, _subject: Subject) -> bool:
    return False


def _plain(expect: Expectation, subject: Subject) -> bool:
    """Neither JSONPaths nor lists without order; of such a size that a value of it may be made here."""
    if expect.ignore or expect.ignore_order:
        return False
    stored = expect.baseline.content if expect.baseline else None
    texts = (expect.equals, expect.contains, stored)
    return max(len(subject.answer.body), *(len(text or "") for text in texts)) <= _LARGEST


def _literal(expect: Expectation, _subject: Subject) -> bool:
    """The pattern is a text without a special character, so that nothing backtracks."""
    return not _META.search(expect.error or "")


_CHEAP: Mapping[str, Callable[[Expectation, Subject], bool]] = MappingProxyType(
    {
        "error": _literal,
        "content_type": _always,
        "equals": _plain,
        "contains": _plain,
        "match": _never,
        "schema": _never,
        "baseline": _plain,
        "sha256": _always,
        "size": _always,
        "printed": _never,
        "not_printed": _never,
        "max_seconds": _always,
    }
)
"""Whether an expectation may be checked here, by its name."""
