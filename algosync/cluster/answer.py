"""Answer of a call: the platform's reply, read without changing a digit of the result (PLATFORM.md §6)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping

from algosync.cluster.nested_error import unnested
from algosync.core.error import TestFailed
from algosync.core.testing.answer import Answer
from algosync.core.text import printable
from algosync.net.failure import reply_error

__all__ = ["answer_of"]

_DECODER = json.JSONDecoder()
_SPACE = " \t\n\r"
_ERROR_ABOVE = "(the error above)"


def answer_of(text: str, seconds: float) -> Answer:
    """The answer in the text of a reply. `seconds`: how long it took.

    TestFailed: the algorithm raised an error, or its answer is nested too deeply to be read. ValueError, TypeError: the text is
    not a reply as the platform documents it.
    """
    try:
        members = {name: (value, raw) for name, value, raw in _members(text)}
    except RecursionError:
        raise TestFailed("the answer is nested too deeply to be read") from None
    values = {name: value for name, (value, _) in members.items()}
    metadata = values.get("metadata")
    if error := reply_error(values):
        raise _test_failed(error, metadata)
    if not isinstance(metadata, dict) or "result" not in members:
        raise TypeError
    kind, printed = metadata.get("content_type"), metadata.get("stdout")
    result, raw = members["result"]
    return Answer(
        content_type=kind if isinstance(kind, str) else "json",
        body=_body(kind, result, raw),
        seconds=seconds,
        printed=printed if isinstance(printed, str) else "",
    )


def _body(kind: object, result: object, raw: str) -> bytes:
    if kind == "binary" and isinstance(result, str):
        return base64.b64decode(result, validate=True)
    return (result if kind == "text" and isinstance(result, str) else raw).encode("utf-8", "surrogatepass")


def _members(text: str) -> Iterator[tuple[str, object, str]]:
    """The name, the value and the text of each member of a JSON object. ValueError: the text is not one."""
    at = _skipped(text, _after(text, _skipped(text, 0), "{"))
    first = True
    while text[at : at + 1] != "}":
        at = at if first else _skipped(text, _after(text, at, ","))
        first = False
        name, at = _DECODER.raw_decode(text, at)
        if not isinstance(name, str):
            raise TypeError
        start = _skipped(text, _after(text, _skipped(text, at), ":"))
        value, end = _DECODER.raw_decode(text, start)
        yield name, value, text[start:end]
        at = _skipped(text, end)
    if _skipped(text, at + 1) != len(text):
        raise ValueError


def _after(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise ValueError
    return at + 1


def _skipped(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _test_failed(error: Mapping[str, object], metadata: object) -> TestFailed:
    """Convert the error of a call. Servers write `stacktrace`; the official client reads `stack_trace` (PLATFORM.md §3.9).

    The name of an exception without a message, as `assert` raises it, appears only in the last line of the trace. The metadata has
    what the algorithm printed. The errors of nested calls are one text, and the trace does not repeat them.
    """
    trace = error.get("stacktrace") or error.get("stack_trace")
    kind = error.get("error_type")
    printed = metadata.get("stdout") if isinstance(metadata, dict) else None
    named = trace.strip().rpartition("\n")[2] if isinstance(trace, str) else ""
    message = str(error.get("message") or "").strip()
    nested = unnested(message)
    own = str(trace).replace(message, _ERROR_ABOVE) if isinstance(trace, str) and nested.message != message else trace
    traces = [*nested.traces, *([own] if isinstance(own, str) else [])]
    return TestFailed(
        printable(nested.message or named or "the algorithm failed", 2000),
        error_type=printable(kind, 80) if isinstance(kind, str) else None,
        trace="\n".join(traces) if traces else None,
        printed=printed if isinstance(printed, str) else None,
    )
