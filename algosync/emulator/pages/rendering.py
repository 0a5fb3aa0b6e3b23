"""Renders pages from templates and values. Values are escaped, and characters that could disguise them are made visible."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from algosync.emulator.pages.listings import LISTED, RECENT
from algosync.emulator.pages.style import STYLE
from algosync.emulator.pages.templates import BEFORE, FRAME, PAGES, PARTS, SECTIONS

if TYPE_CHECKING:
    from jinja2 import Environment

    from algosync.emulator.records.builds import BuildRecord

DISGUISING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""Control characters, characters that change the direction of text or have no width, and surrogates."""

READERS = {"user://*": "everybody", "algo://.my/*": "the owner's algorithms"}
"""Entries of an ACL, as the pages show them."""


def rendered(page: str, section: str, title: str, **values: object) -> str:
    """A complete page as HTML, which can be encoded as UTF-8."""
    return _environment().get_template(page).render(section=section, title=title, **values)


def plain(text: str) -> str:
    """Text with disguising characters as escapes, for example `\\x1b`."""
    return DISGUISING.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text.replace("\r\n", "\n"))


@functools.cache
def _environment() -> Environment:
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    def shown(value: object) -> object:
        return value if isinstance(value, Markup) else plain(str(value))

    sources = {"frame": FRAME, "parts": PARTS} | {name: BEFORE + text + "{% endblock %}" for name, text in PAGES.items()}
    made = Environment(loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined, finalize=shown, trim_blocks=True)
    made.filters |= {
        "moment": _moment,
        "duration": _duration,
        "size": _size,
        "segment": _segment,
        "beginning": _beginning,
        "readers": _readers,
    }
    made.globals |= {"sections": SECTIONS, "listed": LISTED, "recent": RECENT, "style": Markup(STYLE)}  # noqa: S704  # a constant
    return made


def _moment(text: str) -> str:
    """A time in ISO 8601, to the second and without the `T`."""
    return f"{text[:19].replace('T', ' ')} UTC"


def _duration(build: BuildRecord) -> str:
    if build.finished_at is None:
        return "unfinished"
    began, ended = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (build.started_at, build.finished_at))
    return f"{(ended - began).total_seconds():.1f}\u00a0s"


def _size(count: int) -> str:
    if count < 1024:
        return f"{count}\u00a0B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024:
            return f"{amount:.1f}\u00a0{unit}"
    return f"{amount / 1024:.1f}\u00a0TiB"


def _segment(text: str) -> str:
    """Text as one segment of a URL."""
    return quote(text, safe="", errors="replace")


def _readers(acl: Sequence[str]) -> str:
    return ", ".join(READERS.get(each, each) for each in acl) or "its owner only"


def _beginning(value: object, most: int = 4000) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
