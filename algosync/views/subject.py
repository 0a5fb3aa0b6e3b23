"""Subject: what a view shows. A view is a function that takes a subject and returns text.

`history` of a subject: the commands that worked on the state before, the oldest first. Only a page shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from algosync.core.lean import dataclass
from algosync.core.planning.coverage import Coverage
from algosync.core.redaction import Redactor

if TYPE_CHECKING:
    from algosync.core.address import Address
    from algosync.core.error import AlgosyncError
    from algosync.core.planning.change import Finding
    from algosync.core.planning.explanation import Explanation
    from algosync.core.planning.file_diff import FileDiff
    from algosync.core.planning.plan import Plan, PlanHeader
    from algosync.core.report import Report
    from algosync.core.resource import Json, Record
    from algosync.core.results.past_run import PastRun
    from algosync.core.testing.answer import CaseResult
    from algosync.core.testing.parity import Comparison

__all__ = ["Applied", "Compared", "Drifted", "DriftedAll", "Failed", "Planned", "Recorded", "Subject", "View"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan. `meta` is about the command that made it, such as its time. `explanations` and `diffs`: those that were asked for.

    `digest`: as of `plan_digest`.
    """

    plan: Plan
    meta: Mapping[str, Json]
    explanations: tuple[Explanation, ...] = ()
    diffs: tuple[FileDiff, ...] = ()
    digest: str | None = None
    history: tuple[PastRun, ...] = ()


@dataclass(frozen=True, slots=True)
class Drifted:
    """The result of comparing the destination with the record.

    `managed`: the resources that were compared. `not_compared`: their attributes that a sensitive value keeps out of the record.
    `coverage`: how far the look went. `notes`: sentences about the whole report.
    """

    header: PlanHeader
    findings: tuple[Finding, ...]
    meta: Mapping[str, Json]
    managed: tuple[Address, ...] = ()
    not_compared: Mapping[Address, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    coverage: Coverage = field(default_factory=Coverage)
    notes: tuple[str, ...] = ()
    history: tuple[PastRun, ...] = ()

    @property
    def workflow(self) -> str:
        """Its name and its file."""
        return self.header.workflow

    @property
    def exit_code(self) -> int:
        """As the metadata tell it."""
        return _exit_code(self.meta)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Everything that a state records, in the order of addresses."""

    records: tuple[Record, ...]
    meta: Mapping[str, Json]
    history: tuple[PastRun, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """The result of comparing the answers of the source with those of the destination."""

    header: PlanHeader
    comparison: Comparison
    meta: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan: its changes and tests. If its tests alone were run, `plan.compared` is False.

    `cases`: for each test some of its calls, in their order; those that failed come before others if there is not room for all.
    `approved`: as of `closing_lines`.
    """

    plan: Plan
    report: Report
    meta: Mapping[str, Json]
    cases: Mapping[Address, tuple[CaseResult, ...]] = field(default_factory=lambda: MappingProxyType({}))
    approved: bool = False
    history: tuple[PastRun, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A command that ended before it had a result, or its part for one workflow, which `meta` then names."""

    error: AlgosyncError
    meta: Mapping[str, Json]

    @property
    def workflow(self) -> str:
        """Its name and its file; empty: the error is that of the command."""
        return str(self.meta.get("workflow") or "")

    @property
    def exit_code(self) -> int:
        """As the metadata tell it."""
        return _exit_code(self.meta)


@dataclass(frozen=True, slots=True)
class DriftedAll:
    """The drift reports of several workflows of one destination, in the order of the command line.

    The part of a workflow that could not be examined is its error. `destination`: the label. `meta` has the exit code of all.
    `notes`: sentences about the run.
    """

    destination: str
    parts: tuple[Drifted | Failed, ...]
    meta: Mapping[str, Json]
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """As the metadata tell it."""
        return _exit_code(self.meta)


Subject: TypeAlias = Planned | Drifted | DriftedAll | Recorded | Applied | Compared | Failed
View: TypeAlias = Callable[[Subject, Redactor], str]
"""Returns the whole text, which ends with a line break. The same subject gives the same text.

A view hides every secret that the redactor knows: in a text before the text is cut, in a document value by value, so that it stays
valid.
"""


def _exit_code(meta: Mapping[str, Json]) -> int:
    code = meta.get("exit_code")
    return code if isinstance(code, int) else 0
