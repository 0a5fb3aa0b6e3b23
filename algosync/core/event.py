"""Events: everything that can be told while a plan is applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from algosync.core.error import AlgosyncError
from algosync.core.schedule import Step

__all__ = ["Event", "Note", "Progress", "StepDone", "StepFailed", "StepSkipped", "StepStarted"]


@dataclass(frozen=True, slots=True)
class StepStarted:
    step: Step


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes so far of a transfer, and in all."""

    step: Step
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing while a step goes on, such as the state of a build."""

    step: Step
    text: str


@dataclass(frozen=True, slots=True)
class StepDone:
    """`detail` is what came of it, such as the number of the published version. Recorded before it is told."""

    step: Step
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StepFailed:
    step: Step
    seconds: float
    error: AlgosyncError


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """`because` is the key of the step whose failure (or absence) made this one pointless."""

    step: Step
    because: str


Event: TypeAlias = StepStarted | Progress | Note | StepDone | StepFailed | StepSkipped
