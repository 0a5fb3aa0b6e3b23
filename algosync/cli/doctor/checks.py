"""Checks: the table of all checks, in the order in which they run and are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from algosync.cli.doctor import cluster_checks, machine_checks, state_check, workflow_checks
from algosync.cli.doctor.examination import NotExaminedError
from algosync.cli.internal_error import internal_error
from algosync.core.diagnosis import Diagnosis
from algosync.core.error import AlgosyncError, Interrupted, Several, WorkflowError

if TYPE_CHECKING:
    from algosync.cli.doctor.examination import Examination

__all__ = ["CHECKS", "examine"]

# Each check yields what it finds, and raises an AlgosyncError for what is wrong. A check is one function and one line here.
CHECKS: Mapping[str, Callable[[Examination], Iterable[Diagnosis]]] = {
    "workflow": workflow_checks.workflow,
    "destination address": cluster_checks.destination_address,
    "destination": cluster_checks.destination_answer,
    "destination key": cluster_checks.destination_key,
    "algorithms": workflow_checks.algorithms,
    "environments": workflow_checks.environments,
    "git": cluster_checks.git,
    "source address": cluster_checks.source_address,
    "source": cluster_checks.source_answer,
    "source key": cluster_checks.source_key,
    "state": state_check.state,
    "extras": machine_checks.extras,
    "clock": machine_checks.clock,
}


def examine(examination: Examination) -> Iterator[Diagnosis]:
    """Run every check. A check that fails ends no other check."""
    for name, check in CHECKS.items():
        try:
            yield from (replace(found, check=name) for found in check(examination))
        except NotExaminedError as missing:
            yield Diagnosis(name, "unknown", str(missing))
        except Interrupted:
            raise
        except AlgosyncError as error:
            yield from (Diagnosis(name, "failed", text, hint) for text, hint in _reasons(error))
        except Exception as error:  # noqa: BLE001  # a defect of one check must not hide the others
            failure = internal_error(error)
            yield Diagnosis(name, "failed", failure.message, failure.hint)


def _reasons(error: AlgosyncError) -> Iterator[tuple[str, str | None]]:
    match error:
        case Several():
            for each in error.errors:
                yield from _reasons(each)
        case WorkflowError():
            for fault in error.faults:
                yield f"{fault.file or error.file}:{fault.line}:{fault.column} {fault.message}", fault.hint
        case _:
            yield error.message, error.hint
