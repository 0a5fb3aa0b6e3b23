"""The workflow: what should exist on the destination, and the tests that must pass there. Valid by construction.

The loader (`algosync.workflow`) is the only maker; by then every fault of the file has been told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["AlgorithmSpec", "DataFile", "Details", "Publish", "Settings", "TestCase", "Workflow"]

License = Literal["apl", "apache2", "gpl3", "mit"]


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file for the algorithm's collection. `source` is a `data://` URI on the source cluster, `name` the file's name there."""

    source: str
    name: str


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
    """How a version is published. `version_type` is what the platform calls it: `revision`, never `patch`."""

    version_type: Literal["major", "minor", "revision"] = "minor"
    callability: Literal["private", "public"] = "private"
    release_notes: str | None = None


@dataclass(frozen=True, slots=True)
class AlgorithmSpec:
    """One algorithm. `code` is a `data://` or `file://` URI as written, or None: the folder `algorithms/NAME` beside the file.

    `test_payload` is JSON text (numbers as they were written, `<algo>` filled in), None where the file gives none.
    `language` is a shorthand or an environment's display name.
    """

    name: str
    language: str
    code: str | None = None
    data_files: tuple[DataFile, ...] = ()
    test_payload: str | None = None
    details: Details = field(default_factory=lambda: Details(""))
    settings: Settings = field(default_factory=Settings)
    publish: Publish = field(default_factory=Publish)
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TestCase:
    """One call of the entrypoint. `payload` is JSON text as above; `timeout` is in seconds."""

    __test__ = False  # its name makes pytest look for tests in it

    name: str
    payload: str
    timeout: int = 300


@dataclass(frozen=True, slots=True)
class Workflow:
    """A whole file. `name` is the file's stem, `folder` the absolute folder that its relative paths start from."""

    name: str
    folder: str
    algorithms: tuple[AlgorithmSpec, ...]
    source_address: str | None = None  # as written in `source_info.cluster_address`
    owner: str | None = None
    entrypoint: str | None = None
    tests: tuple[TestCase, ...] = ()
    run_only: bool = False

    def algorithm(self, name: str) -> AlgorithmSpec:
        """The algorithm of that name. KeyError: there is none."""
        for spec in self.algorithms:
            if spec.name == name:
                return spec
        raise KeyError(name)
