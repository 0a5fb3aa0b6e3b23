"""An error as text: what happened, where, the server's own message, and what to do next. No traceback."""

from __future__ import annotations

from collections.abc import Iterable

from algosync.core.error import AlgosyncError, BuildFailed, ClusterError, Fault, Several, TestFailed, WorkflowError
from algosync.core.text import paint, printable, printable_lines

__all__ = ["details", "error_lines"]


def error_lines(error: AlgosyncError) -> Iterable[str]:
    match error:
        case Several():
            for one in error.errors:
                yield from error_lines(one)
        case WorkflowError():
            for fault in error.faults:
                yield from _fault(error.file, fault)
            yield f"{printable(error.message)}."
        case _:
            yield _headline(error.message)
            yield from (f"  {line}" for line in details(error))


def details(error: AlgosyncError) -> Iterable[str]:
    """Everything known about an error beyond its message."""
    match error:
        case ClusterError() if error.request_id:
            yield f"request id {error.request_id}"
        case BuildFailed() if error.log:
            yield from (f"│ {line}" for line in printable_lines(error.log))
        case TestFailed():
            if error.error_type:
                yield f"({error.error_type})"
            yield from (f"│ {line}" for line in printable_lines(error.trace or ""))
        case _:
            pass
    if error.hint:
        yield printable(error.hint)


def _headline(message: str) -> str:
    return f"{paint('Error:', 'red', 'bold')} {printable(message)}"


def _fault(file: str, fault: Fault) -> Iterable[str]:
    yield _headline(fault.message)
    other = fault.template_line not in (None, fault.line)
    template = f" (template line {fault.template_line})" if other else ""
    yield f"  {printable(file)}:{fault.line}:{fault.column}{template}  {printable(fault.path)}  [{fault.code}]".rstrip()
    if fault.hint:
        yield f"  {printable(fault.hint)}"
