"""Site: both clusters and the record, as the kinds see them while one command runs. What never changes is asked for once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar, cast

from algosync.cluster.algorithms import AlgorithmInfo
from algosync.cluster.archive import read_archive, read_folder
from algosync.cluster.connection import Cluster
from algosync.cluster.data import DataStore, FileStat, split
from algosync.cluster.transfer import File, stream
from algosync.core import manifest
from algosync.core import tree as trees
from algosync.core.environment import Environment
from algosync.core.error import NotFound, SourceError
from algosync.core.manifest import Pin, Places
from algosync.core.ports import Ledger
from algosync.core.secret import Secret
from algosync.core.text import printable
from algosync.core.tree import Blob
from algosync.core.workflow import AlgorithmSpec
from algosync.git import Repository
from algosync.net import Host

__all__ = ["Memo", "Site"]

T = TypeVar("T")

_KEY_LENGTH = 8  # characters: what is shorter stands in many a file


class Memo:
    """Answers that are made once, whoever asks first. A failure is not kept."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._answers: dict[Hashable, object] = {}

    def lock(self, key: Hashable) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(key, threading.Lock())

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        with self.lock(key):
            if key not in self._answers:
                self._answers[key] = make()
            return cast("T", self._answers[key])


@dataclass(frozen=True, slots=True)
class Site:
    """`owner` is the account on the destination, `key_owner` the one whose key calls; `folder` is where relative paths start.

    `git` is where its repositories are, below `/git`. `build_deadline` is in seconds. `source` is None where the workflow names no
    source cluster, `source_name` tells sources apart; `recorded_only` is for what goes by the record and needs no source.
    `algorithms`: the workflow's, whose data files a model manifest may name. `pushed`: the commits that this run
    pushed. `secrets`: the keys, which no source may hold.
    """

    owner: str
    key_owner: str
    folder: Path
    ledger: Ledger
    destination: Cluster
    git: Host
    source: DataStore | None
    source_name: str
    build_deadline: float
    algorithms: tuple[AlgorithmSpec, ...]
    recorded_only: bool = False
    memo: Memo = field(default_factory=Memo)
    pushed: set[str] = field(default_factory=set)
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def source_store(self) -> DataStore:
        """SourceError: the workflow takes something from a source cluster and names none."""
        if self.source is None:
            raise SourceError(
                "`data://` paths need a source cluster",
                hint="name it in the workflow's source_info.cluster_address, or in SOURCE_API_ADDRESS",
            )
        return self.source

    def source_file(self, uri: str) -> FileStat:
        """Its stamp names the file and the cluster: two files may have one size and time. NotFound: there is none."""
        owner, collection, name = split(uri)
        try:
            files = self.memo.once(("source", owner, collection), lambda: self.source_store().files(owner, collection))
            stat = files[name]
        except (NotFound, KeyError):
            raise NotFound(f"the source has no {printable(uri)}") from None
        return stat if stat.stamp is None else replace(stat, stamp=f"{self.source_name} {uri} {stat.stamp}")

    def destination_files(self, algorithm: str) -> Mapping[str, FileStat]:
        """The algorithm's collection as it was when first asked for; empty where there is none."""
        return self.memo.once(("destination", algorithm), lambda: self.list_now(algorithm))

    def list_now(self, algorithm: str) -> Mapping[str, FileStat]:
        try:
            return self.destination.data.files(self.owner, algorithm)
        except NotFound:
            return {}

    def environments(self) -> Sequence[Environment]:
        return self.memo.once("environments", self.destination.algorithms.environments)

    def info(self, algorithm: str) -> AlgorithmInfo | None:
        """The algorithm's record as it was when first asked for; None where there is no such algorithm."""

        def ask() -> AlgorithmInfo | None:
            try:
                return self.destination.algorithms.read(self.owner, algorithm)
            except NotFound:
                return None

        return self.memo.once(("info", algorithm), ask)

    def repository(self, algorithm: str) -> Repository:
        def make() -> Repository:
            url = f"{self.git.url}/git/{self.owner}/{algorithm}.git"
            return Repository(url, self.key_owner, self.destination.wire.credential, self.git)

        return self.memo.once(("repository", algorithm), make)

    def commit_tree(self, algorithm: str, commit: str) -> Mapping[str, Blob]:
        """A commit's whole tree. NotFound: the repository has no such commit (any more)."""

        def fetch() -> Mapping[str, Blob]:
            with self.memo.lock(("git", algorithm)):  # a repository is for one thread at a time
                return self.repository(algorithm).tree(commit)

        return self.memo.once(("tree", algorithm, commit), fetch)

    def specs(self, spec: AlgorithmSpec) -> Sequence[AlgorithmSpec]:
        """All algorithms of the workflow, this one first."""
        return (spec, *(other for other in self.algorithms if other.name != spec.name))

    def _places(self, spec: AlgorithmSpec) -> Places:
        owner = None if self.source is None else self.memo.once("source owner", self.source.key_owner)
        return manifest.places(self.specs(spec), self.owner, owner)

    def desired_tree(self, spec: AlgorithmSpec) -> Mapping[str, Blob]:
        """The managed files as they shall be: placeholders filled in, model manifests fitted. SourceError: they cannot be used."""
        return self._desired(spec)[0]

    def pins(self, spec: AlgorithmSpec) -> tuple[Pin, ...]:
        """What its model manifest wants of the workflow's data files."""
        return self._desired(spec)[1]

    def _desired(self, spec: AlgorithmSpec) -> tuple[Mapping[str, Blob], tuple[Pin, ...]]:
        def make() -> tuple[Mapping[str, Blob], tuple[Pin, ...]]:
            code = self._code(spec)
            _require_usable(code, spec, self.secrets)
            fitted = manifest.NONE if manifest.PATHS.isdisjoint(code) else manifest.fit(code, self._places(spec))
            filled = {**trees.fill_owner(code, self.owner), **fitted.blobs}
            return trees.desired(filled, spec.name), fitted.pins

        return self.memo.once(("desired", spec.name), make)

    def desired_id(self, spec: AlgorithmSpec) -> str:
        """The git tree id of those files."""
        return self.memo.once(("desired id", spec.name), lambda: trees.tree_id(self.desired_tree(spec)))

    def _code(self, spec: AlgorithmSpec) -> Mapping[str, Blob]:
        """An archive on the source cluster, an archive or folder beside the workflow, or the folder `algorithms/NAME` there."""
        code = spec.code or f"file://algorithms/{spec.name}"
        if code.startswith("data://"):
            return self._archive_on_source(code)
        path = self.folder / code.removeprefix("file://")
        if path.is_dir():
            return read_folder(path)
        try:
            with path.open("rb") as file:
                return read_archive(file)
        except OSError as error:
            raise SourceError(f"its code cannot be read: {printable(str(path))}: {error.strerror}") from None

    def _archive_on_source(self, uri: str) -> Mapping[str, Blob]:
        def read() -> Mapping[str, Blob]:
            with stream(File(self.source_store(), split(uri), self.source_file(uri).size)) as file:
                return read_archive(file)

        return self.destination.retry.run(read)


def _require_usable(code: Mapping[str, Blob], spec: AlgorithmSpec, secrets: Sequence[Secret]) -> None:
    """SourceError: it holds a key, which would be in the repository for ever, or not the module that the platform starts."""
    keys = [key.encode() for secret in secrets if len(key := secret.reveal()) >= _KEY_LENGTH]
    for path, blob in code.items():
        if any(key in blob.data for key in keys):
            hint = "an algorithm needs none: its client acts for whoever calls it"
            raise SourceError(f"{printable(path)} holds an API key", hint=hint)
    modules = [path for path in code if path.startswith("src/") and path.endswith(".py") and not path.endswith("_test.py")]
    wanted = {f"src/{spec.name}.py", f"src/{spec.name}/__init__.py", "src/Algorithm.py"}
    if modules and wanted.isdisjoint(modules):
        held = ", ".join(printable(path) for path in sorted(modules) if path != "src/__init__.py") or "src/__init__.py"
        raise SourceError(f"there is no src/{spec.name}.py, which the platform starts; there is {held}")
