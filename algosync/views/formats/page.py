"""The format `html`: one file that needs no network and no script. Its policy forbids both.

Jinja escapes every text. Details are folded, and what failed is open.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from algosync.core.redaction import Redactor
from algosync.core.text import duration, latency
from algosync.views.formats.histogram import histogram
from algosync.views.formats.outline import Ending, Entry, Outline, OutlineCall
from algosync.views.formats.outlining import outline_of
from algosync.views.formats.timeline import result, timeline
from algosync.views.subject import Subject

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["page", "policy", "resource", "view"]

_OPEN = 10  # entries of a section that are open, because they failed
_MARKS = {Ending.PASSED: "✓", Ending.FAILED: "✗", Ending.ERROR: "✗", Ending.SKIPPED: "»", Ending.NONE: "•"}
_TONES = {Ending.PASSED: "good", Ending.FAILED: "bad", Ending.ERROR: "bad", Ending.SKIPPED: "warn", Ending.NONE: "dim"}
_SECONDS = ("p50", "p95", "p99", "max", "first_call")  # facts
_COLOURS = {"+": "good", "-": "bad", "~": "warn"}


def view(subject: Subject, redactor: Redactor) -> str:
    return page(outline_of(subject, redactor))


def page(outline: Outline, home: str = "") -> str:
    """`home`: the file of the page that links to this one; empty: none does."""
    style = resource("report.css")
    text = _template().render(outline=outline, style=style, policy=policy(style), opened=_opened(outline), home=home)
    return text.rstrip("\n") + "\n"


def policy(style: str) -> str:
    """The content security policy of a page with this style."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _opened(outline: Outline) -> Mapping[str, frozenset[int]]:
    """The places of the entries that are open, by section."""
    bad = {
        section.name: [place for place, entry in enumerate(section.entries, 1) if _TONES[entry.ending] == "bad"]
        for section in outline.sections
    }
    return {name: frozenset(places[:_OPEN]) for name, places in bad.items()}


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "colour": lambda symbol: _COLOURS.get(symbol, ""),
        "duration": duration,
        "result": result,
        "timeline": timeline,
        "histogram": histogram,
        "latency": latency,
        "mark": _mark,
        "measure": _measure,
        "tone": lambda entry: _TONES[entry.ending],
    }
    return environment.from_string(resource("report.html.j2"))


def _measure(value: str, name: str) -> str:
    """A fact for people: seconds in a readable unit. Other formats have them as numbers."""
    return latency(float(value)) if name in _SECONDS else value


def _mark(entry: Entry | OutlineCall) -> str:
    symbol = entry.symbol if isinstance(entry, Entry) and entry.ending is Ending.NONE else ""
    return symbol or _MARKS[entry.ending]


@cache
def resource(name: str) -> str:
    """A file beside this module."""
    return (files("algosync.views.formats") / name).read_text("utf-8")
