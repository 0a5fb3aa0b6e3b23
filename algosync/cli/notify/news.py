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
    """The news that a plan or a drift report is; other subjects are none. A run adds its own (`RunReport`)."""
    from algosync.views.subject import Drifted, DriftedAll, Planned

    match subject:
        case Planned(plan=plan):
            changed = bool(plan.visible)
        case Drifted():
            changed = any(finding.drift.differs for finding in subject.findings)
        case DriftedAll(parts=parts):
            from algosync.views.all_drift import findings_of

            changed = any(finding.drift.differs for part in parts for finding in findings_of(part))
        case _:
            return ()
    return (News(lambda: subject, changed),)
