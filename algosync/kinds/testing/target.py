"""Target: the version or commit that the calls of one test go to."""

from __future__ import annotations

from algosync.cluster.algorithms import Version
from algosync.core.address import Address
from algosync.core.error import Denied, NotFound
from algosync.core.lean import dataclass
from algosync.core.planning.plan import Check
from algosync.core.testing.answer import Called
from algosync.core.text import clauses
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.context import Context
from algosync.kinds.source import commit_of

__all__ = ["CallTarget", "not_there", "published_beside", "target_of"]


@dataclass(frozen=True, slots=True)
class CallTarget:
    """What is called. `reference`: a commit, or the exact number of a version. `candidate`: a commit that is about to be published,
    so it may become callable a little later. `note`: why it may not be what is published; mostly empty.
    """

    name: str
    reference: str
    called: Called
    candidate: bool
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name}, {self.called}"


def target_of(check: Check, spec: AlgorithmSpec, context: Context) -> CallTarget:
    """NotFound: nothing is published that could be called."""
    if check.candidate:
        commit = commit_of(spec, context)
        return CallTarget(spec.name, commit, Called("", commit), candidate=True)
    return _published(spec, context)


def published_beside(name: str, context: Context) -> CallTarget | None:
    """The newest published version of an algorithm whose candidate is tested. None: there is none yet."""
    version = context.destination.algorithms.published(context.destination.owner, name)
    if version is None:
        return None
    return CallTarget(name, version.number, Called(version.number, version.commit), candidate=False)


def not_there(target: CallTarget, error: NotFound) -> NotFound:
    """The error of a call whose version does not exist."""
    hint = clauses("algosync plan shows what is missing, and algosync apply publishes it", error.hint)
    message = f"the destination has no {target}, or its key may not call it: {error.message}"
    return NotFound(message, status=error.status, code=error.code, request_id=error.request_id, hint=hint)


def _published(spec: AlgorithmSpec, context: Context) -> CallTarget:
    """The newest published version, whoever published it. The recorded one takes its place where the key may not list versions."""
    recorded, version, hint = _recorded(spec, context), None, "algosync apply publishes it"
    try:
        version = context.destination.newest(spec.name)
    except Denied as error:
        if recorded is None:
            raise
        note = f"the recorded {recorded} is called, because the key may not list what is published: {error.message}"
        return CallTarget(spec.name, recorded.version, recorded, candidate=False, note=note)
    except NotFound as error:
        hint = clauses("algosync apply creates the algorithm and publishes it", error.hint)
    if version is None:
        raise NotFound(f"{spec.name} has no published version to test at the destination", hint=hint)
    called = Called(version.number, version.commit, _other(version, recorded))
    return CallTarget(spec.name, called.version, called, candidate=False)


def _recorded(spec: AlgorithmSpec, context: Context) -> Called | None:
    record = context.ledger.records.get(Address("version", spec.name))
    if record is None or "version" not in record.attributes:
        return None
    return Called(str(record.attributes["version"]), str(record.attributes.get("commit") or ""))


def _other(version: Version, recorded: Called | None) -> str:
    """The recorded version if it is not the published one. An algorithm that was created again has the same numbers."""
    if recorded is None or (recorded.version == version.number and recorded.commit in ("", version.commit)):
        return ""
    return recorded.version if recorded.version != version.number else f"one of commit {recorded.commit[:12]}"
