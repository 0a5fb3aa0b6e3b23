"""Plan inputs: what a saved plan holds to be applied elsewhere: the workflow, and the local sources. Pure.

Keys and sensitive variables are not part of it. Contents are named by their SHA-256 (hex).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from algosync.core.lean import dataclass
from algosync.core.planning.saved_plan import SavedPlan
from algosync.core.resource import Json

__all__ = ["CodeFile", "LocalCode", "LocalFile", "NamedFile", "PlanFile", "PlanInputs", "WorkflowText"]


@dataclass(frozen=True, slots=True)
class WorkflowText:
    """A workflow file. `name`: of the file. `variables`: the values that are no secrets. `sensitive`: the names of the others.

    `file` and `folder`: the paths of the file and of its folder, from the top of the repository.
    """

    name: str
    text: str
    variables: Mapping[str, Json]
    sensitive: tuple[str, ...]
    file: str
    folder: str


@dataclass(frozen=True, slots=True)
class CodeFile:
    """One file of an algorithm's code."""

    path: str
    sha256: str
    executable: bool


@dataclass(frozen=True, slots=True)
class LocalCode:
    """The code of an algorithm in a local folder or archive. `code`: as in the workflow.

    `files` is None if the code is not in the saved plan. Then it has to be in the checkout where the plan is applied.
    """

    algorithm: str
    code: str | None
    files: tuple[CodeFile, ...] | None
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of a `file://` source, listed with its size in bytes and its stamp.

    `sha256` is None if the plan does not need its content.
    """

    uri: str
    size: int
    stamp: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that the tests of the workflow name. `path`: as in the workflow. `sha256` is None if there was no such file."""

    path: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """`source_owner`: the owner that `.my` is at a `file://` source. `tests`: the files that tests name."""

    workflow: WorkflowText
    codes: tuple[LocalCode, ...] = ()
    files: tuple[LocalFile, ...] = ()
    source_owner: str | None = None
    tests: tuple[NamedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanFile:
    """Everything in the file of a saved plan. `contents`: of local files, by their SHA-256."""

    saved: SavedPlan
    inputs: PlanInputs
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)
