"""Tests: calls that have to succeed.

An algorithm's own payload is tried on the commit that is about to be published, by its hash, or where nothing is to be published on
the published version. Workflow tests call the published version by its exact number: a bare name finds public versions only.
"""

from __future__ import annotations

from algosync.core.address import Address
from algosync.core.error import NotFound
from algosync.core.plan import Check
from algosync.core.ports import Outcome, Tell
from algosync.core.schedule import Step
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.site import Site
from algosync.kinds.version import head_of

__all__ = ["perform"]

_CALLABLE_WITHIN = 60.0  # seconds: a built commit is not always callable at once (PLATFORM.md §3.10)
_PAUSE = 1.0


def perform(step: Step, spec: AlgorithmSpec, site: Site, tell: Tell) -> Outcome:
    check = step.check
    if check is None:
        raise ValueError(f"{step.key} has no check")
    reference = head_of(spec, site) if check.candidate else _published_number(spec, site)
    payload = check.payload
    if site.owner != site.key_owner:
        # `.my` would mean the caller; JSON text made by the loader never escapes a slash.
        payload = payload.replace('"data://.my/', f'"data://{site.owner}/')
    started = site.clock()
    while True:
        try:
            site.destination.algorithms.call(site.owner, spec.name, reference, payload, check.timeout)
        except NotFound:
            if not check.candidate or site.clock() - started > _CALLABLE_WITHIN:
                raise
            site.pause(_PAUSE)
        else:
            return Outcome(detail=_shown(check, reference))


def _shown(check: Check, reference: str) -> str:
    return f"commit {reference[:12]}" if check.candidate else f"version {reference}"


def _published_number(spec: AlgorithmSpec, site: Site) -> str:
    record = site.ledger.records.get(Address("version", spec.name))
    if record is not None and "version" in record.attributes:
        return str(record.attributes["version"])
    version = site.destination.algorithms.published(site.owner, spec.name)
    if version is None:
        raise NotFound(f"{spec.name} has no published version to test")
    return version.number
