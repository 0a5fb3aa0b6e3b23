"""Events: everything that is reported while a plan is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.core.error import AlgosyncError
    from algosync.core.planning.schedule import Step
    from algosync.core.testing.answer import Called, CaseResult
    from algosync.core.testing.gate import GateOutcome
    from algosync.core.testing.timing import Timing

__all__ = ["CaseDone", "Event", "Measured", "Note", "Progress", "StepDone", "StepFailed", "StepSkipped", "StepStarted"]


@dataclass(frozen=True, slots=True)
class StepStarted:
    step: Step


@dataclass(frozen=True, slots=True)
class Progress:
    """The bytes of a transfer so far, and in total."""

    step: Step
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Note:
    """News about a step while it runs, such as the state of a build."""

    step: Step
    text: str


@dataclass(frozen=True, slots=True)
class CaseDone:
    """One call of a test has ended, and its answer was judged. Calls for warming up are not reported."""

    step: Step
    result: CaseResult


@dataclass(frozen=True, slots=True)
class Measured:
    """All calls of a test have ended. `timing` is over those that count.

    `payload_sha256` and `answer_sha256` are over all calls, in their order; of a repeated payload the first answer counts. Each is
    empty if a sensitive value went into it. A digest of answers is also empty if a call failed. `gate`: what a gate found; None:
    the test is none.
    """

    step: Step
    called: Called
    timing: Timing
    payload_sha256: str = ""
    answer_sha256: str = ""
    gate: GateOutcome | None = None


@dataclass(frozen=True, slots=True)
class StepDone:
    """`detail` is its result, such as the number of the published version. The step was recorded before this event."""

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
    """`because` is the key of the step that failed, which this one needs directly or indirectly."""

    step: Step
    because: str


Event: TypeAlias = StepStarted | Progress | Note | CaseDone | Measured | StepDone | StepFailed | StepSkipped
