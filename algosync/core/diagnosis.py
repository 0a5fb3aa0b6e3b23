"""Diagnosis: what one check of `algosync doctor` found."""

from __future__ import annotations

from typing import Literal

from algosync.core.lean import dataclass

__all__ = ["Diagnosis", "Status"]

Status = Literal["ok", "note", "unknown", "failed"]
"""`note`: worth knowing, and no fault. `unknown`: it cannot be told, because something else failed or is missing."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`check`: the name of the check. `text`: what it found. `hint`: how to get what is missing, or None."""

    check: str
    status: Status
    text: str
    hint: str | None = None
