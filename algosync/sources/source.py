"""Sources: what each algorithm's spec puts into its repository at the destination."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cache
from pathlib import Path

from algosync.cluster.once import OncePerKey
from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.secret import Secret
from algosync.core.text import printable
from algosync.core.tree import Tree, tree_id
from algosync.core.workflow import AlgorithmSpec
from algosync.sources.archive import SourceFiles
from algosync.sources.archive.folder_stamp import folder_stamp
from algosync.sources.called_algorithms import CallSite, calls_in
from algosync.sources.code import archive_uri, local_code, read_code
from algosync.sources.code_checks import require_usable
from algosync.sources.data_file_uris import UriIndex, data_file_uris, uri_index
from algosync.sources.data_files import DataFiles, data_files_of
from algosync.sources.leaving_files import outside_blobs
from algosync.sources.managed_files import with_marker
from algosync.sources.manifest import PATHS, AdaptedManifests, adapt_manifests
from algosync.sources.pins import Pin
from algosync.sources.placeholders import fill_owner
from algosync.sources.read_collections import collections_in
from algosync.sources.remembered_facts import RememberedFacts, SourceFacts
from algosync.sources.store import SourceStore

__all__ = ["SourceTree", "Sources"]


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The managed files for the destination, the git id of their tree, and the pins of the model manifest.

    `left_out`: the paths that are ignored; a folder ends with `/`. `notes`: sentences about the source that a plan shows.
    `has_manifest`: the files contain a model manifest, with or without pins.
    """

    files: Tree
    id: str
    pins: tuple[Pin, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def has_manifest(self) -> bool:
        return not PATHS.isdisjoint(self.files)


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of a workflow's algorithms. Each is read once.

    `owner` is the owner at the destination; `folder` is the folder that relative paths start from; `secrets` are the keys that no
    source may contain. `given`: code that is not read, because a saved plan has it. `within`: as of `read_code`. `trees`: trees
    that take the place of a source, by algorithm. `calls`: the calls of algorithms in each source that was read so far; `codes`:
    these sources as they were read. `memory`: facts of folders that did not change since an earlier command.
    """

    algorithms: tuple[AlgorithmSpec, ...]
    folder: Path
    owner: str
    store: SourceStore
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    given: Mapping[str, SourceFiles] = field(default_factory=dict, repr=False)
    within: Path | None = None
    trees: Mapping[str, SourceTree] = field(default_factory=dict, repr=False)
    memory: RememberedFacts = field(default_factory=RememberedFacts, repr=False)
    _facts: OncePerKey[str, SourceFacts] = field(default_factory=OncePerKey, init=False, repr=False)
    _data_files: OncePerKey[None, DataFiles] = field(default_factory=OncePerKey, init=False, repr=False)
    _uris: OncePerKey[None, UriIndex] = field(default_factory=OncePerKey, init=False, repr=False)
    calls: dict[str, Sequence[CallSite]] = field(default_factory=dict, init=False, repr=False)
    codes: dict[str, SourceFiles] = field(default_factory=dict, init=False, repr=False)
    _trees: OncePerKey[str, SourceTree] = field(default_factory=OncePerKey, init=False, repr=False)
    _reads: OncePerKey[str, Mapping[str, Sequence[str]]] = field(default_factory=OncePerKey, init=False, repr=False)

    def tree(self, spec: AlgorithmSpec) -> SourceTree:
        """The source of one algorithm. SourceError: it cannot be read or used."""
        return self._trees.get(spec.name, lambda: self.trees.get(spec.name) or self._read(spec))

    def facts(self, spec: AlgorithmSpec, *, remembered: bool = True) -> SourceFacts:
        """What a plan has to know of the source. `remembered`: a folder may not be read. SourceError: as of `tree`."""
        return self._facts.get(spec.name, lambda: self._look(spec, remembered=remembered))

    def _look(self, spec: AlgorithmSpec, *, remembered: bool) -> SourceFacts:
        folder = self._folder_of(spec) if remembered and self.memory.is_kept else None
        stamp = None if folder is None else folder_stamp(folder)
        name, key = f"{self.owner} {folder}", self._key(spec, stamp)
        if stamp is not None and (known := self.memory.find(name, key)) is not None:
            return known
        tree = self.tree(spec)
        blobs, reads = outside_blobs(tree.files), self.reads(spec)
        facts = SourceFacts(tree.id, sorted(tree.files), blobs, reads, list(tree.notes), has_manifest=tree.has_manifest)
        if stamp is not None and not facts.has_manifest:  # a manifest's tree depends on the data files of the whole workflow
            self.memory.note(name, key, facts)
        return facts

    def _folder_of(self, spec: AlgorithmSpec) -> Path | None:
        """None: the source is no folder on this machine, or something else takes its place."""
        if archive_uri(spec) is not None or spec.name in self.trees or spec.name in self.given or self.within is not None:
            return None
        return local_code(spec.name, spec.code, self.folder)

    def _key(self, spec: AlgorithmSpec, stamp: str | None) -> str:
        """What a tree depends on, and its check: it may not hold a key of this run."""
        keys = sorted(secret.reveal() for secret in self.secrets)
        return hashlib.sha256(repr((_program(), self.owner, spec.name, stamp, keys)).encode("utf-8", "surrogatepass")).hexdigest()

    def reads(self, spec: AlgorithmSpec) -> Mapping[str, Sequence[str]]:
        """The collections that the source of one algorithm reads, as of `collections_in`. SourceError: as of `tree`."""
        return self._reads.get(spec.name, lambda: collections_in(self.tree(spec).files, self.owner, spec.name))

    @property
    def data_files(self) -> DataFiles:
        return self._data_files.get(None, lambda: data_files_of(self.algorithms))

    def data_source(self, file: Address) -> str:
        """The `data://` URI that a data file of the workflow comes from. ValueError: it is not in the workflow."""
        uri = self.data_files.sources.get(file)
        if uri is None:
            raise ValueError(f"{printable(str(file))} is not in the workflow")
        return uri

    def _read(self, spec: AlgorithmSpec) -> SourceTree:
        found = self.given.get(spec.name) or read_code(spec, self.folder, self.store, self.within)
        self.codes[spec.name] = found
        code = found.files
        require_usable(code, spec.name, self.secrets)
        self.calls[spec.name] = tuple(calls_in(code))
        manifests = self._manifests(code, spec)
        filled = fill_owner({path: blob for path, blob in code.items() if path not in manifests.blobs}, self.owner)
        files = with_marker({**filled.files, **manifests.blobs}, spec.name)
        return SourceTree(files, tree_id(files), manifests.pins, found.left_out, filled.notes)

    def _manifests(self, code: Tree, spec: AlgorithmSpec) -> AdaptedManifests:
        if PATHS.isdisjoint(code):
            return AdaptedManifests({}, ())
        index = self._uris.get(None, lambda: uri_index(self.data_files.sources, self.owner, self.store.key_owner()))
        return adapt_manifests(code, data_file_uris(spec, index))


@cache
def _program() -> str:
    """A digest of the version of the code that makes trees: another one may make others from the same folder."""
    here = Path(__file__).parent
    files = sorted([*here.rglob("*.py"), *(here.parent / "core").glob("tree.py")])
    rows = [(str(file), (status := file.stat()).st_size, status.st_mtime_ns) for file in files]
    return hashlib.sha256(repr(rows).encode("utf-8", "surrogatepass")).hexdigest()
