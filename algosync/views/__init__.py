"""Views: plans, findings, events, reports and errors as text. A view takes data and returns text; only `cli` writes it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algosync.core.redaction import Redactor
    from algosync.views.subject import Subject, View

__all__ = ["COLOURED", "FORMATS"]


def _view(module: str) -> View:
    """The `view` of a module in this package. The first call imports the module: help only needs the names of the formats."""

    def view(subject: Subject, redactor: Redactor) -> str:
        function: View = import_module(f"algosync.views.{module}").view
        return function(subject, redactor)

    return view


# A format is one module with a function `view`, and one line here.
FORMATS: dict[str, View] = {
    "gitlab": _view("formats.gitlab"),
    "html": _view("formats.page"),
    "json": _view("document"),
    "jsonl": _view("formats.event_line"),
    "junit": _view("formats.junit"),
    "markdown": _view("formats.markdown"),
    "prometheus": _view("formats.prometheus"),
    "text": _view("text"),
}

COLOURED = frozenset({"text"})
"""The formats whose text may contain `paint`. A stream without colours gets the text without it."""
