"""The errors of nested algorithm calls as text.

If an algorithm calls another one that fails, the message of its own error usually holds the other's whole error: the error document
as JSON text, or the text literal that the official Python client makes of it. Every further call adds one such level. The text is
not trusted, so its length and the number of levels have limits.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping

from algosync.core.lean import dataclass

__all__ = ["CallError", "unnested"]

_LONGEST = 20_000  # characters that are searched
_MOST_LEVELS = 16
_MOST_STARTS = 20  # braces of one text that are tried as the start of a document
_LITERAL = (
    r"""'(?:[^'\\\n]|\\(?:[\\'"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}))*'"""
    r"""|"(?:[^"\\\n]|\\(?:[\\'"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}))*\""""
)
_TRACE = "\nTraceback (most recent call last):"
_CAUSED = "; which caused: "


@dataclass(frozen=True, slots=True)
class CallError:
    """One error of a call. `message` is one text for all levels, the innermost first; `traces` are in the same order."""

    message: str
    traces: tuple[str, ...] = ()


def unnested(message: str) -> CallError:
    """The error of a message that may hold the errors of nested calls."""
    levels = list(_levels(message))
    texts = dict.fromkeys(text for text, _ in reversed(levels) if text)
    return CallError(_CAUSED.join(texts), tuple(trace for _, trace in reversed(levels) if trace))


def _levels(message: str) -> Iterator[tuple[str, str]]:
    """The own text and the trace of each level, the outermost first. A text that is too long or too deep is one level."""
    for _ in range(_MOST_LEVELS):
        if len(message) > _LONGEST:
            break
        outer, inner, trace = _split(message)
        yield outer.strip(), trace
        if inner is None:
            return
        message = inner
    yield message.strip(), ""


def _split(message: str) -> tuple[str, str | None, str]:
    """A message's own text, the message that it holds, and the trace that belongs to the latter."""
    if re.fullmatch(_LITERAL, message.strip()):
        text, mark, trace = _unquoted(message.strip()).partition(_TRACE)
        is_error = bool(mark) or re.fullmatch(_LITERAL, text) is not None or _split(text)[1] is not None
        return ("", text, (mark + trace).strip()) if is_error else (message, None, "")  # a KeyError's message is a literal too
    for start in [found.start() for found in re.finditer(r"\{", message)][:_MOST_STARTS]:
        if (error := _document_at(message, start)) is not None:
            document, end = error
            text = f"{message[:start].rstrip().removesuffix(':')} {message[end:].strip()}"
            inner_trace = document.get("stacktrace") or document.get("stack_trace")
            return text, str(document.get("message")), inner_trace.strip() if isinstance(inner_trace, str) else ""
    return message, None, ""


def _unquoted(literal: str) -> str:
    """The text of a literal. The literal itself, without its quotes, if it names a character that does not exist."""
    try:
        return str(ast.literal_eval(literal))
    except (SyntaxError, ValueError):
        return literal[1:-1]


def _document_at(text: str, start: int) -> tuple[Mapping[str, object], int] | None:
    """The error of the error document at a position, and the position behind the document. None: there is no such document."""
    try:
        document, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, str):
        error = {"message": error}
    return (error, end) if isinstance(error, dict) and isinstance(error.get("message"), str) else None
