"""Texts of an outline: cut, printable, and without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from algosync.core.address import Address
from algosync.core.planning.plan import PlanHeader
from algosync.core.resource import Json
from algosync.core.text import printable
from algosync.views.value import Redact, redacted_address

__all__ = ["LONGEST_NAME", "LONGEST_ROW", "Numbers", "address_text", "facts_of", "numbers", "short"]

LONGEST_NAME = 300  # characters
LONGEST_ROW = 500


class Numbers(TypedDict):
    """The members of an outline that name a run for programs."""

    workflow: str
    destination: str
    time: str
    exit_code: int | None
    seconds: float | None


def short(text: str, limit: int = LONGEST_NAME) -> str:
    """A text on one line. Hide secrets first: a part of a secret is not recognised any more."""
    return printable(text[: limit + 1], limit)


def address_text(address: Address, redact: Redact) -> str:
    return short(redacted_address(address, redact))


def facts_of(header: PlanHeader | None, meta: Mapping[str, Json], redact: Redact) -> tuple[tuple[str, str], ...]:
    """The workflow, its clusters, and when and how the command ended, each with its name."""
    facts: dict[str, object] = {}
    if header is not None:
        facts |= {"Workflow": redact(header.workflow), "Source": redact(header.source or "none")}
        facts |= {"Destination": redact(header.destination), "Owner": redact(header.owner)}
    elif meta.get("workflow"):
        facts["Workflow"] = redact(str(meta["workflow"]))
    if meta.get("state"):
        facts["State"] = redact(str(meta["state"]))
    facts |= {"Time": meta.get("timestamp"), "Exit code": meta.get("exit_code"), "Algosync": meta.get("algosync_version")}
    return tuple((name, short(str(value))) for name, value in facts.items() if value is not None)


def numbers(header: PlanHeader | None, meta: Mapping[str, Json], redact: Redact) -> Numbers:
    code, seconds = meta.get("exit_code"), meta.get("seconds")
    return {
        "workflow": short(redact(header.workflow if header else str(meta.get("workflow") or ""))),
        "destination": short(redact(header.destination if header else str(meta.get("destination") or ""))),
        "time": str(meta.get("timestamp") or ""),
        "exit_code": code if isinstance(code, int) else None,
        "seconds": seconds if isinstance(seconds, (int, float)) else None,
    }
