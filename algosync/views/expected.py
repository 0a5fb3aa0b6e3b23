"""What a test expects, in words, without the expected values: these may be long, and may hold secrets."""

from __future__ import annotations

from collections.abc import Iterator

from algosync.core.redaction import Word
from algosync.core.resource import Json
from algosync.core.testing.case import Expectation, Load
from algosync.core.text import plural

__all__ = ["expected_words", "load_document"]


def expected_words(expect: Expectation) -> Iterator[str]:
    """One text for each thing that is expected. None: any answer passes."""
    words = {
        "an answer equal to the given one": expect.equals is not None,
        "an answer that contains the given one": expect.contains is not None,
        f"an answer that matches at {plural(len(expect.match), 'path')}": bool(expect.match),
        "an answer that fits a JSON Schema": expect.schema is not None,
        f"the accepted answer in {expect.baseline.path if expect.baseline else ''}": expect.baseline is not None,
        "an error that matches a pattern": expect.error is not None,
        f"an answer of the type {expect.content_type}": expect.content_type is not None,
        "bytes with the given SHA-256": expect.sha256 is not None,
        "an answer of the given size": expect.size is not None,
        f"printed text that matches {plural(len(expect.printed), 'pattern')}": bool(expect.printed),
        f"no printed text that matches {plural(len(expect.not_printed), 'pattern')}": bool(expect.not_printed),
        f"an answer within {expect.max_seconds or 0:g} s": expect.max_seconds is not None,
    }
    yield from (text for text, given in words.items() if given)


def load_document(load: Load) -> Json:
    """How often a test calls. None: each payload once."""
    if load == Load():
        return None
    limits: list[Json] = [{"measure": Word(limit.measure), "most": limit.most} for limit in load.limits]
    return {"repeat": load.repeat, "concurrency": load.concurrency, "warmup": load.warmup, "limits": limits}
