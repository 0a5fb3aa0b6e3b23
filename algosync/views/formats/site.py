"""A site: a page for each workflow of a drift report, and an index of them, for any static host.

Links are relative. Names of files are made of letters, digits and hyphens only, whatever a workflow is called.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass
from algosync.core.redaction import Redactor
from algosync.core.timestamp import read_iso_time
from algosync.views.all_drift import first_seen, worst_first
from algosync.views.drift import age_words
from algosync.views.formats.outline import Outline
from algosync.views.formats.outlining import outline_of
from algosync.views.formats.page import page, policy, resource
from algosync.views.formats.shown import short
from algosync.views.subject import Drifted, DriftedAll, Failed

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["INDEX", "site"]

INDEX = "index.html"
_SHOWN = 60  # characters of a name in the name of its file
_OTHERS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class _IndexRow:
    """A workflow in the index. `since`: when its oldest finding was first seen; `age`: how long ago. Empty: there is none."""

    outline: Outline
    file: str
    since: str = ""
    age: str = ""

    @property
    def tone(self) -> str:
        return "good" if self.outline.good else "bad"

    @property
    def mark(self) -> str:
        return "✓" if self.outline.good else "✗"


def site(subject: DriftedAll, redactor: Redactor) -> Iterator[tuple[str, str]]:
    """The name and the text of each file. The index is the last one, so that it never links to a page that is not there yet."""
    whole = outline_of(subject, redactor)
    files = _file_names(worst_first(subject.parts), redactor)
    rows = []
    for part, outline, file in zip(worst_first(subject.parts), whole.parts, files, strict=True):
        rows.append(_row(part, outline, file))
        yield file, page(outline, INDEX)
    yield INDEX, _index(whole, rows)


def _index(whole: Outline, rows: list[_IndexRow]) -> str:
    from markupsafe import Markup

    style = resource("report.css") + resource("site.css")
    shown = Markup(style)  # noqa: S704  # our own; with its quotes escaped it would not have the digest of the policy
    return _template().render(outline=whole, rows=rows, style=shown, policy=policy(style)) + "\n"


def _file_names(parts: list[Drifted | Failed], redactor: Redactor) -> Iterator[str]:
    """A name for each, always the same for the same workflow. A digest tells names apart that look alike here."""
    taken: Counter[str] = Counter()
    for part in parts:
        title = redactor.redact(part.workflow)
        digest = hashlib.sha256(title.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        stem = _OTHERS.sub("-", title.lower())[:_SHOWN].strip("-")
        name = f"{stem or 'workflow'}-{digest}"
        taken[name] += 1  # two names with different secrets
        yield f"{name}.html" if taken[name] == 1 else f"{name}-{taken[name]}.html"


def _row(part: Drifted | Failed, outline: Outline, file: str) -> _IndexRow:
    since = first_seen(part)
    first, now = read_iso_time(since), read_iso_time(outline.time)
    age = "" if first is None or now is None else age_words(max(int((now - first).total_seconds()), 0))
    return _IndexRow(outline, file, short(since), age)


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["minutes"] = _minutes
    return environment.from_string(resource("site.html.j2"))


def _minutes(text: str) -> str:
    """A time in UTC for people. A text that is none stays as it is."""
    time = read_iso_time(text)
    return text if time is None else f"{time:%Y-%m-%d %H:%M}"
