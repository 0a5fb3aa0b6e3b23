"""Tests: calls of algorithms that have to succeed.

The payload of an algorithm is tested on the commit that is about to be published, by its hash, or on the published version if
nothing is to be published. The same holds for a test of the workflow. A published version is called by its exact number, because a
name without a number finds public versions only.
"""

from __future__ import annotations

from algosync.core.address import Address
from algosync.core.error import NotFound, TestFailed, TimedOut
from algosync.core.plan import Check
from algosync.core.ports import Outcome, Tell
from algosync.core.schedule import Step
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.context import Context
from algosync.kinds.held_changes import failure_of
from algosync.kinds.source import commit_of, note_call

__all__ = ["perform"]

_CALLABLE_WITHIN = 60.0  # seconds: a commit may become callable some time after its build (PLATFORM.md §3.10)
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
            destination.algorithms.call(destination.owner, spec.name, reference, payload, check.timeout)
        except NotFound:
            if not check.candidate or context.clock() - started > _CALLABLE_WITHIN:
                raise
            context.pause(_PAUSE)
        except (TestFailed, TimedOut) as error:  # a call that takes longer than the test's timeout has failed, too
            if isinstance(error, TestFailed):
                error.called, error.payload = f"{spec.name}, {version}", payload
            if check.candidate:
                context.failed_tests[spec.name] = failure_of(error.message, spec, context)
            raise
        else:
            return Outcome(detail=version)


def _payload(check: Check, context: Context) -> str:
    """The payload with `.my` replaced by the owner if the caller is another account; the loader's JSON does not escape slashes."""
    owner = context.destination.owner
    if owner == context.destination.key_owner:
        return check.payload
    return check.payload.replace('"data://.my/', f'"data://{owner}/')


def _published_number(spec: AlgorithmSpec, context: Context) -> str:
    record = context.ledger.records.get(Address("version", spec.name))
    if record is not None and "version" in record.attributes:
        return str(record.attributes["version"])
    version = context.destination.algorithms.published(context.destination.owner, spec.name)
    if version is None:
        raise NotFound(f"{spec.name} has no published version to test")
    return version.number
