"""Diagnostics: the errors of a command as a JSON document, in the place of its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from algosync.core.error import AlgosyncError, ClusterError, Fault, Several, WorkflowError
from algosync.core.redaction import Word
from algosync.core.resource import Json

__all__ = ["diagnostics", "diagnostics_document"]


def diagnostics_document(error: AlgosyncError, meta: Mapping[str, Json]) -> Mapping[str, Json]:
    """The document. Secrets in its texts are still to be hidden."""
    words: Mapping[str, Json] = {name: Word(value) if isinstance(value, str) else value for name, value in meta.items()}
    return {"format_version": Word("1.0"), "meta": words, "diagnostics": list(diagnostics(error))}


def diagnostics(error: AlgosyncError) -> Iterator[Json]:
    """One object for each error. Secrets in its texts are still to be hidden."""
    match error:
        case Several():
            for one in error.errors:
                yield from diagnostics(one)
        case WorkflowError():
            for fault in error.faults:
                yield _diagnostic(fault.message, fault.hint, place=_place(error.file, fault))
        case ClusterError():
            yield _diagnostic(error.message, error.hint, request_id=error.request_id)
        case _:
            yield _diagnostic(error.message, error.hint)


def _diagnostic(summary: str, hint: str | None, *, place: Json = None, request_id: str | None = None) -> Json:
    return {"severity": Word("error"), "summary": summary, "hint": hint, "place": place, "request_id": request_id}


def _place(file: str, fault: Fault) -> Json:
    return {"file": fault.file or file, "line": fault.line, "column": fault.column, "path": fault.path, "code": Word(fault.code)}
