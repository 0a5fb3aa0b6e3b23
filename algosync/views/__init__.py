"""Views: plans, findings, events, reports and errors as text. A view takes data and returns text; only `cli` writes it."""

from __future__ import annotations

from algosync.views import document, text
from algosync.views.subject import Subject, View

__all__ = ["FORMATS", "Subject", "View"]

# A format is one module with a `View`, and one line here.
FORMATS: dict[str, View] = {
    "json": document.view,
    "text": text.view,
}
