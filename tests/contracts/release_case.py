"""The real kinds on a cluster in memory, as cases of the contract. Each call gets a new context, as from another command."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from fakes.clusters import OWNER
from fakes.releases import CODE, Release
from kind_case import KindCase

from algosync.core.planning.change import Change, Finding
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import Resource
from algosync.core.workflow import AlgorithmSpec, DataFile, Details
from algosync.kinds import KINDS

__all__ = ["algorithm_case", "data_case", "source_case"]


class KindOnRelease:
    """A real kind whose context is a release; the spec is the release's, which `edit` may change."""

    def __init__(self, name: str) -> None:
        self._kind = KINDS[name]
        self.TRAITS = self._kind.TRAITS

    def desired(self, spec: AlgorithmSpec, release: Release) -> Iterable[Resource]:
        return self._kind.desired(release.spec, release.again())

    def observed(self, spec: AlgorithmSpec, release: Release) -> Iterable[Resource]:
        return self._kind.observed(release.spec, release.again())

    def read(self, resource: Resource, side: Side, spec: AlgorithmSpec, release: Release) -> Resource:
        return self._kind.read(resource, side, release.spec, release.again())

    def explain(self, change: Change, spec: AlgorithmSpec, release: Release) -> Change:
        return self._kind.explain(change, release.spec, release.again())

    def trace(self, finding: Finding, spec: AlgorithmSpec, release: Release) -> Finding:
        return self._kind.trace(finding, release.spec, release.again())

    def verbs(self, change: Change) -> tuple[Verb, ...]:
        return self._kind.verbs(change)

    def perform(self, step: Step, spec: AlgorithmSpec, release: Release, tell: Tell) -> Outcome:
        return self._kind.perform(step, release.spec, release.again(), tell)


def algorithm_case() -> KindCase[Release]:
    release = _release()

    def edit() -> None:
        release.spec = replace(release.spec, details=Details("another"))

    return _case("algorithm", release, edit, tamper=lambda: release.there.details.update(label="theirs"))


def data_case() -> KindCase[Release]:
    release = _release()
    release.spec = replace(release.spec, data_files=(DataFile("data://.my/models/w-1.bin", "w.bin"),))
    release.store.write("quality", "models", "w-1.bin", b"first")

    def edit() -> None:
        release.store.write("quality", "models", "w-1.bin", b"second one")

    def tamper() -> None:
        release.cluster.data.write(OWNER, "One", "w.bin", b"theirs")

    return _case("data", release, edit, tamper)


def source_case() -> KindCase[Release]:
    """Of an algorithm that exists, with an empty repository."""
    release = _release()
    release.cluster.algorithms.create(OWNER, "One", {}, {})
    release.there.repository.rewrite()

    def edit() -> None:
        release.write("src/One.py", CODE + b"# edited\n")

    def tamper() -> None:
        release.there.repository.push_behind("src/One.py", b"theirs")

    return _case("source", release, edit, tamper)


def _release() -> Release:
    folder = tempfile.TemporaryDirectory(prefix="release")
    release = Release(Path(folder.name))
    weakref.finalize(release, folder.cleanup)
    return release


def _case(name: str, release: Release, edit: Callable[[], None], tamper: Callable[[], None]) -> KindCase[Release]:
    return KindCase(name, KindOnRelease(name), release, release.spec, release.ledger, edit, tamper)
