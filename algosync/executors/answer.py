"""Answers of workers as plain data: values, or an error of ours. What arrives is checked, as everything from outside is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from algosync.core import error as errors
from algosync.core.error import AlgosyncError, ClusterError, Unexpected
from algosync.core.text import printable

__all__ = ["MISSING_KEYS", "WorkerAnswer", "as_digest", "as_fingerprint", "failed", "values_of"]

WorkerAnswer: TypeAlias = Mapping[str, object]

MISSING_KEYS = "missing_keys"
"""The member of an answer of a worker that does not hold the keys of the run."""
_ERRORS = {
    kind.__name__: kind
    for kind in (
        errors.AlgosyncError,
        errors.Conflict,
        errors.Denied,
        errors.Interrupted,
        errors.NotFound,
        errors.SourceError,
        errors.StoredOtherwise,
        errors.Throttled,
        errors.TimedOut,
        errors.TransferError,
        errors.Unexpected,
        errors.Unreachable,
        errors.Untrusted,
        errors.UsageError,
    )
}
_NUMBERS = ("status", "code", "retry_after")
_TEXTS = ("hint", "request_id")
_FLAGS = ("sent", "repeated")
_LONGEST = 10_000  # characters of one text
_SHA256, _MD5 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")


def failed(error: AlgosyncError) -> WorkerAnswer:
    """The answer for an error. A reply's body stays where it is: it was read there."""
    kind = next(cls.__name__ for cls in type(error).__mro__ if cls.__name__ in _ERRORS)
    named = {name: getattr(error, name, None) for name in (*_NUMBERS, *_TEXTS, *_FLAGS)}
    return {"error": kind, "message": error.message, **named}


def values_of(answer: object) -> Sequence[object]:
    """The values of an answer. Raises the error that it holds, or Unexpected if it is not one of our workers'."""
    if isinstance(answer, Mapping):
        match answer:
            case {"values": tuple() | list() as values}:
                return tuple(values)
            case {"error": str() as kind, "message": str() as message} if kind in _ERRORS:
                raise _error(kind, message, answer)
            case {"bug": str() as bug}:
                raise Unexpected(f"a Dask worker failed: {printable(bug, 500)}", hint="look at the worker's log")
            case _:
                pass
    raise _invalid()


def as_digest(values: Sequence[object]) -> tuple[str, int]:
    """SHA-256 and length. Unexpected: the values are something else."""
    match values:
        case [str() as digest, int() as size] if _SHA256.fullmatch(digest) and type(size) is int and 0 <= size < 1 << 63:
            return digest, size
    raise _invalid()


def as_fingerprint(values: Sequence[object]) -> tuple[str, str]:
    """SHA-256 and MD5. Unexpected: the values are something else."""
    match values:
        case [str() as digest, str() as md5] if _SHA256.fullmatch(digest) and _MD5.fullmatch(md5):
            return digest, md5
    raise _invalid()


def _error(kind: str, message: str, answer: WorkerAnswer) -> AlgosyncError:
    error = _ERRORS[kind](message[:_LONGEST])
    for name in _TEXTS:
        if isinstance(text := answer.get(name), str):
            setattr(error, name, text[:_LONGEST])
    for name in _FLAGS:
        if isinstance(flag := answer.get(name), bool):
            setattr(error, name, flag)
    if isinstance(error, ClusterError):
        for name in _NUMBERS:
            if isinstance(number := answer.get(name), (int, float)) and not isinstance(number, bool):
                setattr(error, name, number)
    return error


def _invalid() -> Unexpected:
    return Unexpected("the answer of a Dask worker is not one of algosync's", hint="look at the worker's log")
