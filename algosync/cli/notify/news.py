"""News: what a command has to tell in a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.views.subject import Subject

__all__ = ["News", "news_of"]


@dataclass(frozen=True, slots=True)
class News:
    """`subject`: makes what a message shows. `changed`: it tells of changes or differences."""

    subject: Callable[[], Subject]
    changed: bool


def news_of(subject: Subject) -> tuple[News, ...]:
    """The news that a plan or the findings of a drift report are; other subjects are none. A run adds its own (`RunReport`)."""
    from algosync.views.subject import Drifted, Planned

    match subject:
        case Planned(plan=plan):
            changed = bool(plan.visible)
        case Drifted(findings=findings):
            changed = any(finding.drift.differs for finding in findings)
        case _:
            return ()
    return (News(lambda: subject, changed),)
