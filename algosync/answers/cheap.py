"""Cheap verdicts: whether an answer passes, where that takes time and memory in proportion to its size only."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from algosync.answers import content, envelope
from algosync.answers.baseline import digest, read_baseline
from algosync.answers.equality import same
from algosync.answers.exact_json import read_exact
from algosync.answers.pattern import is_literal
from algosync.answers.subject import Subject
from algosync.answers.verdict import OF_ANY_CALL, given
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import Expectation

__all__ = ["passes_cheaply"]

_LARGEST = 1024**2  # bytes of JSON: a value takes up to forty times as much memory


def passes_cheaply(expect: Expectation, answer: Answer) -> bool:
    """True: the answer passes. False: it does not, or only a costly check can tell."""
    subject, names = Subject(answer), given(expect)
    if (answer.failure is not None) != (expect.error is not None):
        return False
    if answer.failure is not None and set(names) - OF_ANY_CALL:
        return False
    try:
        return all(_PASSES[name](expect, subject) for name in names)
    except (LookupError, TypeError, ValueError, re.error, RecursionError):  # something cannot be read
        return False


def _equals(expect: Expectation, subject: Subject) -> bool:
    text = expect.equals or ""
    return _plain(expect, subject, text) and same(read_exact(text), subject.value, expect.tolerance)


def _contains(expect: Expectation, subject: Subject) -> bool:
    return _plain(expect, subject, expect.contains or "") and not any(content.contains(expect, subject))


def _baseline(expect: Expectation, subject: Subject) -> bool:
    text = expect.baseline.content if expect.baseline else None
    if text is None or not _plain(expect, subject, text):
        return False
    accepted = read_baseline(text)
    if accepted.content_type != subject.answer.content_type:
        return False
    if accepted.content_type == "binary":
        return accepted.sha256 == digest(subject.answer.body)
    return same(accepted.value, subject.value, expect.tolerance)


def _plain(expect: Expectation, subject: Subject, text: str) -> bool:
    """Neither JSONPaths nor lists without order; of such a size that values may be made in this process."""
    return not expect.ignore and not expect.ignore_order and max(len(subject.answer.body), len(text)) <= _LARGEST


def _error(expect: Expectation, subject: Subject) -> bool:
    return is_literal(expect.error or "") and not any(envelope.error(expect, subject))


def _printed(expect: Expectation, subject: Subject) -> bool:
    return all(map(is_literal, expect.printed)) and not any(envelope.printed(expect, subject))


def _not_printed(expect: Expectation, subject: Subject) -> bool:
    return all(map(is_literal, expect.not_printed)) and not any(envelope.not_printed(expect, subject))


def _costly(_expect: Expectation, _subject: Subject) -> bool:
    return False


_PASSES: Mapping[str, Callable[[Expectation, Subject], bool]] = MappingProxyType(
    {
        "error": _error,
        "content_type": lambda expect, subject: not any(envelope.content_type(expect, subject)),
        "equals": _equals,
        "contains": _contains,
        "match": _costly,
        "schema": _costly,
        "baseline": _baseline,
        "sha256": lambda expect, subject: not any(envelope.sha256(expect, subject)),
        "size": lambda expect, subject: not any(envelope.size(expect, subject)),
        "printed": _printed,
        "not_printed": _not_printed,
        "max_seconds": lambda expect, subject: not any(envelope.max_seconds(expect, subject)),
    }
)
"""By the name of the expectation: whether it is known here that it holds."""
