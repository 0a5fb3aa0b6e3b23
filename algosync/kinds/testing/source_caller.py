"""Source caller: calls the algorithm at the source that another one is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field, replace

from algosync.cluster.once import OncePerKey
from algosync.core.error import Denied, NotFound, TestFailed
from algosync.core.lean import dataclass
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import TestCase
from algosync.core.text import clauses
from algosync.core.workflow import AlgorithmSpec, SourceAlgorithm
from algosync.kinds.ports import AlgorithmService
from algosync.kinds.testing.caller import failed_answer
from algosync.sources.payload_uris import PayloadUris

__all__ = ["SourceCaller"]

_UNAUTHORIZED = 401
_NO_KEY = "the source does not accept the key in SOURCE_API_KEY: make one there that has the right to call algorithms"
_RIGHTS = (
    "the source's key (SOURCE_API_KEY) needs the right to call algorithms, and a private version can be called only with a key "
    "of its owner: make such a key at the source"
)
_VERSION = "to call without looking the version up, name it: compare: {source: algo://OWNER/NAME/VERSION}"


@dataclass(frozen=True, slots=True)
class SourceCaller:
    """Safe to use from several threads. `key_owner`: asks for the owner of the source's key. `payloads`: make payloads fit the
    source. `clock`: in seconds.
    """

    algorithms: AlgorithmService
    key_owner: Callable[[], str]
    payloads: PayloadUris
    clock: Callable[[], float]
    _owner: OncePerKey[None, str] = field(default_factory=OncePerKey, init=False, repr=False)
    _versions: OncePerKey[str, SourceAlgorithm] = field(default_factory=OncePerKey, init=False, repr=False)

    def target(self, spec: AlgorithmSpec) -> SourceAlgorithm:
        """What is called for an algorithm of the workflow, with its version. NotFound: it does not exist, or is not published.

        Denied: the key lacks a right, and the hint says how to get it.
        """
        return self._versions.get(spec.name, lambda: self._target(spec))

    def _target(self, spec: AlgorithmSpec) -> SourceAlgorithm:
        named = spec.compare_with or SourceAlgorithm(self._owner.get(None, self._asked_owner), spec.name)
        if named.version:
            return named
        with _explained(named, _VERSION):
            version = self.algorithms.published(named.owner, named.name)
        if version is None:
            hint = "`compare: {source: algo://OWNER/NAME}` names another algorithm"
            raise NotFound(f"{named} has no published version at the source to compare with", hint=hint)
        return replace(named, version=version.number)

    def _asked_owner(self) -> str:
        try:
            return self.key_owner()
        except Denied as error:
            advice = "name the algorithm: compare: {source: algo://OWNER/NAME}"
            raise _denied(f"the source does not tell the owner of its key: {error.message}", advice, error) from error

    def answer(self, target: SourceAlgorithm, case: TestCase) -> Answer:
        """The answer to one call. An error of the algorithm is an answer. `seconds`: all the time that the caller waited.

        Denied, NotFound: as of `target`.
        """
        payload = self.payloads.at_source(case.payload)
        started = self.clock()
        try:
            with _explained(target):
                answer = self.algorithms.call(target.owner, target.name, target.version, payload, case.timeout)
        except TestFailed as error:
            return failed_answer(error, self.clock() - started)
        return replace(answer, seconds=self.clock() - started)


@contextmanager
def _explained(target: SourceAlgorithm, advice: str = "") -> Iterator[None]:
    """Errors of the body say that the source gave them, and what to do."""
    try:
        yield
    except Denied as error:
        advice = clauses(_RIGHTS, advice)
        raise _denied(f"the source's key may not call {target}: {error.message}", advice, error) from error
    except NotFound as error:
        hint = clauses("`compare: {source: algo://OWNER/NAME}` names another algorithm", error.hint)
        message = f"the source has no {target}, or its key may not call it: {error.message}"
        raise NotFound(message, status=error.status, code=error.code, request_id=error.request_id, hint=hint) from error


def _denied(message: str, advice: str, error: Denied) -> Denied:
    """`advice`: about the rights of the key. It does not help if the key is unknown."""
    hint = clauses(_NO_KEY if error.status == _UNAUTHORIZED else advice, error.hint)
    return Denied(message, status=error.status, code=error.code, request_id=error.request_id, hint=hint)
