"""An error as text: what happened, where, the server's own message, and what to do next. No traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, BuildFailed, ClusterError, Fault, Several, Stale, TestFailed, WorkflowError
from algosync.core.text import paint, printable, printable_lines
from algosync.views.calls import failed_test_lines

__all__ = ["details", "error_lines"]

_NEXT_STEPS: Mapping[type[AlgosyncError], str] = {
    BuildFailed: "the same source fails again: fix the source or its requirements.txt",
    TestFailed: "the same code fails again: fix the algorithm, its data or the payload",
}
"""Advice after an error that recurs if the same command is run again."""


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


def addressed(address: Address, message: str) -> str:
    """A message that names its resource once, in front unless the message names it itself."""
    name, text = printable(str(address)), printable(message)
    return text if name in text else f"{name}: {text}"


def details(error: AlgosyncError, redact: Callable[[str], str] = str) -> Iterable[str]:
    """Everything known about an error beyond its message. `redact` hides secrets in a text before it is cut."""
    match error:
        case ClusterError() if error.request_id:
            yield f"request id {printable(redact(error.request_id))}"
        case BuildFailed() if error.log:
            yield from (f"│ {line}" for line in printable_lines(redact(error.log)))
        case TestFailed():
            yield from failed_test_lines(error, redact)
        case Stale():
            yield from (printable(redact(line)) for line in error.moved)
        case _:
            pass
    if hint := redact(error.hint or "") or _NEXT_STEPS.get(type(error)):
        yield printable(hint)


def _headline(message: str) -> str:
    return f"{paint('Error:', 'red', 'bold')} {printable(message)}"


def _fault(file: str, fault: Fault) -> Iterable[str]:
    yield _headline(fault.message)
    other = fault.template_line not in (None, fault.line)
    template = f" (template line {fault.template_line})" if other else ""
    place = f"{printable(fault.file or file)}:{fault.line}:{fault.column}"
    yield f"  {place}{template}  {printable(fault.path)}  [{fault.code}]".rstrip()
    if fault.hint:
        yield f"  {printable(fault.hint)}"
