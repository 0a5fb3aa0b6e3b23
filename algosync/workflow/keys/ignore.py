"""Read the key `ignore` of an algorithm: differences at the destination that are left as they are."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from algosync.core.workflow import IGNORABLE, Ignore
from algosync.workflow.fault import quote
from algosync.workflow.section import nearest, section_of

if TYPE_CHECKING:
    from algosync.workflow.section import Section

__all__ = ["read_ignore"]

_KEYS = ("attribute", "reason", "until")
_FILE = re.compile(r'data\["[^"]+"\]')
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_ignore(algorithm: Section) -> tuple[Ignore, ...]:
    """Return the valid rules. The others are reported."""
    sections = (section_of(node, path, algorithm.faults, _KEYS) for node, path in algorithm.list("ignore"))
    return tuple(rule for section in sections if section and (rule := _read_rule(section)))


def _read_rule(section: Section) -> Ignore | None:
    attribute = section.text("attribute", required=True)
    reason = section.text("reason", required=True)
    until = _read_day(section)
    if attribute and not _names_something(attribute.text):
        message = f"{quote(attribute.text)} names nothing that can be ignored"
        hint = nearest(attribute.text, IGNORABLE) or f'names are {", ".join(IGNORABLE)} and data["FILE"], with * and ?'
        section.report("attribute", "unknown-attribute", message, hint)
        return None
    return Ignore(attribute.text, reason.text, until) if attribute and reason else None


def _names_something(glob: str) -> bool:
    return _FILE.fullmatch(glob) is not None or any(Ignore(glob, "").names(name) for name in IGNORABLE)


def _read_day(section: Section) -> str:
    """An empty text: the rule has no end, or the fault is reported."""
    node = section.text("until")
    if node is None:
        return ""
    try:
        if _DAY.fullmatch(node.text):
            return date.fromisoformat(node.text).isoformat()
    except ValueError:  # the calendar has no such day
        pass
    section.report("until", "day", f"{quote(node.text)} is not a day", "write it as 2027-01-31")
    return ""
