"""News: what a command has to tell in a message."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.views.subject import Subject

__all__ = ["News", "block", "format_name", "news_of"]


@dataclass(frozen=True, slots=True)
class News:
    """`text`: makes the text, without secrets. `changed`: it tells of changes or differences."""

    text: Callable[[], str]
    changed: bool


def news_of(subject: Subject, terminal: Terminal) -> tuple[News, ...]:
    """The news that a plan or the findings of a drift report are; other subjects are none."""
    from algosync.views.subject import Drifted, Planned

    match subject:
        case Planned(plan=plan):
            changed = bool(plan.visible)
        case Drifted(findings=findings):
            changed = any(finding.drift.differs for finding in findings)
        case _:
            return ()
    return (News(lambda: terminal.formatted(subject, format_name(), coloured=False), changed),)


def format_name() -> str:
    """The format of messages."""
    from algosync.views import FORMATS

    return "markdown" if "markdown" in FORMATS else "text"


def block(text: str) -> str:
    """Lines for a terminal as a part of a message: in Markdown a block of code, which nothing in the text can end."""
    if format_name() != "markdown":
        return text
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}\n{text}\n{fence}"
