"""The text of a message that programs read: one JSON document in one line."""

from __future__ import annotations

from collections.abc import Mapping

from algosync.core.redaction import Redactor
from algosync.core.resource import Json
from algosync.views.document import json_text, view, worded
from algosync.views.subject import Subject
from algosync.views.value import FORMAT_VERSION

__all__ = ["message_line", "notice_line"]


def message_line(subject: Subject, redactor: Redactor, limit: int) -> str:
    """The document of the format `json`. If it has more than `limit` characters: a notice in its place."""
    line = _one_line(view(subject, redactor))
    return line if len(line) <= limit else notice_line(subject.meta, redactor, {"characters": len(line), "limit": limit})


def notice_line(meta: Mapping[str, Json], redactor: Redactor, left_out: Mapping[str, Json] | None = None) -> str:
    """A document in place of a report. `meta`: of the report. `left_out`: how long the report is; None: there is no report."""
    return _one_line(json_text({"format_version": FORMAT_VERSION, "meta": worded(meta), "left_out": left_out}, redactor))


def _one_line(text: str) -> str:
    """Strings of JSON hold no line breaks, so that only the indentation is removed. Numbers keep all their digits."""
    return " ".join(line.strip() for line in text.splitlines())
