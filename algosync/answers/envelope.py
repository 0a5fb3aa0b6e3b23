"""What surrounds an answer's value: whether the call failed, its content type, bytes, time, and what the algorithm printed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from algosync.answers.condition import failed_conditions
from algosync.answers.exact_json import read_exact
from algosync.answers.subject import Subject
from algosync.core.testing.answer import Mismatch
from algosync.core.testing.case import Expectation

__all__ = ["content_type", "error", "max_seconds", "not_printed", "printed", "sha256", "size"]


def error(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    failure, pattern = subject.answer.failure, expect.error or ""
    if failure is None:
        yield Mismatch("error", "", pattern, "", "the call did not fail")
    elif not re.search(pattern, failure.message):
        yield Mismatch("error", "", pattern, failure.message, "the message does not match")


def content_type(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    wanted, got = expect.content_type or "", subject.answer.content_type
    if wanted != got:
        yield Mismatch("content_type", "", wanted, got)


def sha256(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    """Of the bytes; of a JSON answer, of its text as it was sent."""
    wanted, got = (expect.sha256 or "").lower(), hashlib.sha256(subject.answer.body).hexdigest()
    if wanted != got:
        yield Mismatch("sha256", "", wanted, got, f"the answer has {len(subject.answer.body)} bytes")


def size(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    count = len(subject.answer.body)
    for wanted, _ in failed_conditions(read_exact(expect.size or ""), count):
        yield Mismatch("size", "", wanted, str(count), "bytes")


def max_seconds(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    limit, took = expect.max_seconds, subject.answer.seconds
    if limit is not None and took > limit:
        yield Mismatch("max_seconds", "", f"<= {limit:g}", f"{took:.3f}", "seconds")


def printed(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    text = subject.answer.printed
    for pattern in expect.printed:
        if not re.search(pattern, text):
            yield Mismatch("printed", "", pattern, text, "" if text else "the algorithm printed nothing")


def not_printed(expect: Expectation, subject: Subject) -> Iterator[Mismatch]:
    for pattern in expect.not_printed:
        if found := re.search(pattern, subject.answer.printed):
            yield Mismatch("not_printed", "", pattern, found[0], "the algorithm printed this")
