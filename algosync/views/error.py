"""Errors: what, where, the server's own words, what to do next. No traceback."""

from __future__ import annotations

from collections.abc import Iterable

from algosync.core.error import AlgosyncError, BuildFailed, ClusterError, Fault, Several, TestFailed, WorkflowError
from algosync.core.text import printable, printable_lines
from algosync.views.terminal import Terminal

__all__ = ["lines_of", "show_error"]


def show_error(error: AlgosyncError, terminal: Terminal) -> None:
    for line in lines_of(error):
        head, separator, rest = line.partition("Error:")
        terminal.tell(terminal.paint("Error:", "red", "bold") + rest if separator and not head else line)


def lines_of(error: AlgosyncError) -> Iterable[str]:
    match error:
        case Several():
            for one in error.errors:
                yield from lines_of(one)
        case WorkflowError():
            for fault in error.faults:
                yield from _fault(error.file, fault)
            yield f"{printable(error.message)}."
        case _:
            yield f"Error: {printable(error.message)}"
            yield from (f"  {line}" for line in details(error))


def details(error: AlgosyncError) -> Iterable[str]:
    """What is known beyond the message, a line each."""
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


def _fault(file: str, fault: Fault) -> Iterable[str]:
    yield f"Error: {printable(fault.message)}"
    other = fault.template_line not in (None, fault.line)
    template = f" (template line {fault.template_line})" if other else ""
    yield f"  {printable(file)}:{fault.line}:{fault.column}{template}  {printable(fault.path)}  [{fault.code}]".rstrip()
    if fault.hint:
        yield f"  {printable(fault.hint)}"
