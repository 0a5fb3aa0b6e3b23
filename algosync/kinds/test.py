"""Tests: calls of algorithms that have to succeed.

The payload of an algorithm is tested on the commit that is about to be published, by its hash, or on the published version if
nothing is to be published. The same holds for a test of the workflow. A published version is called by its exact number, because a
name without a number finds public versions only.
"""

from __future__ import annotations

from algosync.core.address import Address
from algosync.core.error import ClusterError, NotFound, TestFailed, TimedOut
from algosync.core.planning.plan import Check
from algosync.core.planning.schedule import Step
from algosync.core.ports import Outcome, Tell
from algosync.core.text import clauses
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.context import Context
from algosync.kinds.held_changes import failure_of
from algosync.kinds.source import commit_of, note_call

__all__ = ["perform"]

_CALLABLE_WITHIN = 60.0  # seconds: a commit may become callable some time after its build (PLATFORM.md §3.10)
_TIMED_OUT = "TimeoutError"  # an `error_type` (PLATFORM.md §6.1)
_GATEWAY_TIMEOUT = 504
_MAX_TIMEOUT = 3000  # seconds (PLATFORM.md §6.1)
_PAUSE = 1.0  # seconds


def perform(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    check = step.check
    if check is None:
        raise ValueError(f"{step.key} has no check")
    destination = context.destination
    reference = commit_of(spec, context) if check.candidate else _published_number(spec, context)
    version = f"commit {reference[:12]}" if check.candidate else f"version {reference}"
    if check.candidate:
        note_call(spec, context)
    payload = _payload(check, context)
    started = context.clock()
    while True:
        try:
            destination.algorithms.call(destination.owner, spec.name, reference, payload, check.case.timeout)
        except NotFound as error:
            if not check.candidate or context.clock() - started > _CALLABLE_WITHIN:
                raise _not_there(f"{spec.name}, {version}", error) from error
            context.pause(_PAUSE)
        except TestFailed as error:
            # The payload as the workflow has it, because the redactor knows that text.
            error.called, error.payload = f"{spec.name}, {version}", check.case.payload
            error.hint = _more_time(check) if error.error_type == _TIMED_OUT else error.hint
            _remember_failure(check, error, spec, context)
            raise
        except ClusterError as error:
            late = isinstance(error, TimedOut) or error.status == _GATEWAY_TIMEOUT
            error.hint = clauses(_more_time(check) if late else "", error.hint)
            if isinstance(error, TimedOut):  # a call that takes longer than the test's timeout has failed, too
                _remember_failure(check, error, spec, context)
            raise
        else:
            return Outcome(detail=version)


def _remember_failure(check: Check, error: TestFailed | TimedOut, spec: AlgorithmSpec, context: Context) -> None:
    if check.candidate:
        context.failed_tests[spec.name] = failure_of(error.message, spec, context)


def _not_there(called: str, error: NotFound) -> NotFound:
    hint = clauses("algosync plan shows what is missing, and algosync apply publishes it", error.hint)
    message = f"the destination has no {called}, or its key may not call it: {error.message}"
    return NotFound(message, status=error.status, code=error.code, request_id=error.request_id, hint=hint)


def _more_time(check: Check) -> str:
    """The advice after a call that took too long."""
    if check.of_algorithm:
        own = f"a test of test_info.tests has its own `timeout:`, at most {_MAX_TIMEOUT} s"
        return f"a test_payload may take {check.case.timeout} s; {own}"
    return f"its `timeout:` in the workflow is {check.case.timeout} s: give it more, at most {_MAX_TIMEOUT} s"


def _payload(check: Check, context: Context) -> str:
    """The payload with `.my` replaced by the owner if the caller is another account; the loader's JSON does not escape slashes."""
    owner = context.destination.owner
    if owner == context.destination.key_owner:
        return check.case.payload
    return check.case.payload.replace('"data://.my/', f'"data://{owner}/')


def _published_number(spec: AlgorithmSpec, context: Context) -> str:
    record = context.ledger.records.get(Address("version", spec.name))
    if record is not None and "version" in record.attributes:
        return str(record.attributes["version"])
    version = context.destination.algorithms.published(context.destination.owner, spec.name)
    if version is None:
        hint = "algosync apply publishes it"
        raise NotFound(f"{spec.name} has no published version to test at the destination", hint=hint)
    return version.number
