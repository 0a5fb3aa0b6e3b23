"""The workflow: what should exist on the destination, and the tests that must pass there. Always valid.

Only the loader (`algosync.workflow`) creates these objects, after it has reported every error of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Literal

from algosync.core.lean import dataclass
from algosync.core.testing.case import TestCase

__all__ = [
    "IGNORABLE",
    "AlgorithmSpec",
    "DataFile",
    "Details",
    "Ignore",
    "Move",
    "Publish",
    "Readers",
    "Settings",
    "SourceAlgorithm",
    "Workflow",
]

License = Literal["apl", "apache2", "gpl3", "mit"]
PublishReason = Literal["source", "settings", "data"]
Readers = Literal["my_algorithms", "public", "private"]
"""Who can read the data of an algorithm besides its owner: the owner's algorithms, everybody with a key, nobody."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file for the algorithm's data collection. `source` is a `data://` URI on the source cluster; `name` is the name on the
    destination. `line` is the line in the workflow file; None: unknown. It does not count when two files are compared.
    """

    source: str
    name: str
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Details:
    label: str
    summary: str | None = None
    tagline: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    source_visibility: Literal["open", "closed"] = "closed"
    license: License = "apl"
    network_access: Literal["full", "isolated"] = "full"
    pipeline_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Publish:
    """How to publish a version. `version_type` uses the platform's terms: `revision`, never `patch`.

    `on`: the changes that make a new version. `restore_data`: keep the bytes of overwritten data files until the version is
    published, and put them back if it is not.
    """

    version_type: Literal["major", "minor", "revision"] = "minor"
    callability: Literal["private", "public"] = "private"
    release_notes: str | None = None
    on: frozenset[PublishReason] = frozenset({"source", "settings", "data"})
    restore_data: bool = True


@dataclass(frozen=True, slots=True)
class SourceAlgorithm:
    """An algorithm at the source. `version`: the number of a version, or a commit; empty: the newest published version."""

    owner: str
    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"algo://{self.owner}/{self.name}" + (f"/{self.version}" if self.version else "")


IGNORABLE = (
    *("details.label", "details.summary", "details.tagline", "language", "collection.read"),
    *("settings.source_visibility", "settings.license", "settings.network_access", "settings.pipeline_enabled"),
)
"""The names, besides `data["FILE"]`, that a rule of `ignore` can match: those of the workflow's keys."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """A rule that leaves differences at the destination as they are.

    `attribute`: a glob on the names of IGNORABLE, and on `data["FILE"]`. `until`: the last day on which it holds, as `2027-01-31`;
    empty: it has no end. `expired`: that day is over.
    """

    attribute: str
    reason: str
    until: str = ""
    expired: bool = False

    def names(self, name: str) -> bool:
        return fnmatchcase(name, self.attribute.replace("[", "[[]"))


@dataclass(frozen=True, slots=True)
class AlgorithmSpec:
    """One algorithm. `code` is a `data://` or `file://` URI as written; None means the folder `algorithms/NAME` beside the file.

    `tests` run before a new version is published; the key `test_payload` is one without a name, and comes first. `language` is a
    shorthand or the display name of an environment. `collection_read` is None if the file does not give `collection`.
    `prevent_destroy`: nothing of it may be deleted. `compare_with`: what its answers are compared with; None: the algorithm of this
    name that belongs to the owner of the source's key. `removed`: it is only recorded, as of `removed_spec`.
    """

    name: str
    language: str
    code: str | None = None
    data_files: tuple[DataFile, ...] = ()
    tests: tuple[TestCase, ...] = ()
    details: Details = field(default_factory=lambda: Details(""))
    settings: Settings = field(default_factory=Settings)
    publish: Publish = field(default_factory=Publish)
    depends_on: tuple[str, ...] = ()
    collection_read: Readers | None = None
    prevent_destroy: bool = False
    compare_with: SourceAlgorithm | None = None
    removed: bool = False
    ignore: tuple[Ignore, ...] = ()
    _sources: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sources", {file.name: file.source for file in reversed(self.data_files)})

    def source_of(self, name: str | None) -> str | None:
        """The `data://` URI of a data file by its name. None: the algorithm has no such file."""
        return self._sources.get(name or "")

    def ignores(self, name: str) -> Ignore | None:
        """The first rule in force that ignores a name, as of `Ignore`. None: there is none."""
        return next((rule for rule in self.ignore if not rule.expired and rule.names(name)), None)

    @property
    def test_payload(self) -> str | None:
        """The JSON text of the key `test_payload`. None: the file has none."""
        return next((case.payload for case in self.tests if not case.name), None)

    @property
    def data_read(self) -> Readers | None:
        """Who can read the algorithm's data. None: it has no data files, and the workflow gives no `collection`."""
        return self.collection_read or ("my_algorithms" if self.data_files else None)


def removed_spec(name: str) -> AlgorithmSpec:
    """An algorithm that is recorded and no longer wanted. Its records take the place of what the workflow says."""
    return AlgorithmSpec(name, language="", removed=True)


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """How many percent of the recorded resources one apply may delete, and how many that changed outside of algosync it may
    overwrite.
    """

    max_deletes: int = 30
    max_overwrites: int = 30


@dataclass(frozen=True, slots=True)
class Move:
    """An algorithm that had the name `old` in an earlier form of the file, and has the name `new` now."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Workflow:
    """A whole file. `name` is the key `name`, else the file's stem. Relative paths start from `folder`, which is absolute.

    `removed`: algorithms of an earlier form of the file, which are to be forgotten and not deleted.
    """

    name: str
    folder: str
    algorithms: tuple[AlgorithmSpec, ...]
    source_address: str | None = None  # as written in `source_info.cluster_address`
    owner: str | None = None
    entrypoint: str | None = None
    tests: tuple[TestCase, ...] = ()
    run_only: bool = False
    moved: tuple[Move, ...] = ()
    removed: tuple[str, ...] = ()
    guards: GuardLimits = field(default_factory=GuardLimits)

    @property
    def depends_on(self) -> dict[str, tuple[str, ...]]:
        """The dependencies of each algorithm, in the order of the file."""
        return {spec.name: spec.depends_on for spec in self.algorithms}

    def algorithm(self, name: str) -> AlgorithmSpec:
        """Return the algorithm of that name. Raises KeyError if there is none."""
        for spec in self.algorithms:
            if spec.name == name:
                return spec
        raise KeyError(name)
