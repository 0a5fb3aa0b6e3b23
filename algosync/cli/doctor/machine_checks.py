"""Checks of this machine: the extras that are installed, and its clock."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from importlib import metadata
from typing import TYPE_CHECKING

from algosync.cli.doctor.examination import NotExaminedError, finding
from algosync.core.diagnosis import Diagnosis, Status
from algosync.core.text import plural
from algosync.core.timestamp import read_http_date

if TYPE_CHECKING:
    from algosync.cli.doctor.examination import Examination, Side
    from algosync.cluster.connection import Cluster
    from algosync.core.workflow import Workflow

__all__ = ["clock", "clock_finding", "extras"]

_TOLERATED = timedelta(seconds=60)
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*;.*\bextra == [\"']([a-z0-9-]+)[\"']")
_FOR_DEVELOPERS = {"peers", "tests"}


def extras(examination: Examination) -> Iterator[Diagnosis]:
    """The libraries of each extra are installed. One that is missing is a fault only where the options or the workflow need it."""
    from algosync.cli.local.location import is_local

    scheme = examination.options.state.partition("://")[0]
    needed = {scheme} | {"local" for site in examination.sites.values() if is_local(site.label)}
    needed |= {"metrics"} if examination.workflow and _measures(examination.workflow) else set()
    for extra, libraries in _extras().items():
        missing = [name for name in libraries if not _installed(name)]
        if missing:
            status: Status = "failed" if extra in needed else "note"
            text = f"{extra} is not installed: {', '.join(missing)}"
            yield Diagnosis("", status, text, f"pip install 'algosync[{extra}]'")
        else:
            yield finding("ok", f"{extra} is installed")


def _measures(workflow: Workflow) -> bool:
    """Whether a gate has a metric of a library."""
    gates = (test.gate for spec in workflow.algorithms for test in spec.tests)
    return any(gate and gate.metric != "exact" for gate in gates)


def clock(examination: Examination) -> Iterator[Diagnosis]:
    """This machine and the clusters agree on the time, by the Date of a reply."""
    sides: tuple[Side, ...] = ("DESTINATION", "SOURCE")
    clusters = [(side, site.cluster) for side in sides if (site := examination.sites.get(side)) and site.cluster]
    if not clusters:
        raise NotExaminedError("needs a cluster that accepts its key")
    for side, cluster in clusters:
        yield clock_finding(side.lower(), _offset(cluster))


def clock_finding(side: str, offset: timedelta | None) -> Diagnosis:
    """What an offset means. `offset`: how far this machine is ahead of the server; None: the server does not tell its time."""
    if offset is None:
        return finding("note", f"the {side} does not tell its time")
    seconds = round(offset.total_seconds())
    if abs(offset) <= _TOLERATED:
        return finding("ok", f"it differs from the {side}'s by {plural(abs(seconds), 'second')}")
    direction = "ahead of" if seconds > 0 else "behind"
    hint = "set the clock of this machine, or that of the server, by NTP: certificates, tokens and leases of locks depend on it"
    return finding("failed", f"it is {plural(abs(seconds), 'second')} {direction} the {side}'s", hint)


def _offset(cluster: Cluster) -> timedelta | None:
    """Half the time of the request counts to each direction, and the server's time has whole seconds."""
    before = datetime.now(timezone.utc)
    reply = cluster.retry.run(lambda: cluster.wire.json("GET", "/v1/data/"))
    after = datetime.now(timezone.utc)
    told = read_http_date(reply.date or "")
    return None if told is None else before + (after - before) / 2 - told - timedelta(seconds=0.5)


def _extras() -> Mapping[str, list[str]]:
    """The libraries of each extra. NotExaminedError: algosync runs from a checkout that was never installed."""
    try:
        requirements = metadata.requires("algosync") or []
    except metadata.PackageNotFoundError:
        raise NotExaminedError("algosync is not installed, so its extras are not known") from None
    found: dict[str, list[str]] = defaultdict(list)
    for match in filter(None, map(_REQUIREMENT.fullmatch, requirements)):
        if match[2] not in _FOR_DEVELOPERS:
            found[match[2]].append(match[1])
    return found


def _installed(library: str) -> bool:
    try:
        metadata.distribution(library)
    except metadata.PackageNotFoundError:
        return False
    return True
