"""Local files that a workflow names: code folders and archives, and the data files of a `file://` source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.workflow.fault import quote
from algosync.workflow.section import nearest
from algosync.workflow.uri import address_fault, code_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from algosync.core.workflow import AlgorithmSpec
    from algosync.workflow.algorithm import AlgorithmEntry
    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Scalar

__all__ = ["check_local_files", "default_code"]

_FOLDER = "algorithms"


def default_code(name: str, folder: str) -> str | None:
    """The code of an algorithm whose entry names none: None for `algorithms/NAME` beside the file.

    For a file in a folder `workflows`, it is the folder `algorithms` beside that one if only this one has it.
    """
    above, here = os.path.split(folder)
    if here != "workflows" or os.path.exists(f"{folder}/{_FOLDER}/{name}") or not os.path.exists(f"{above}/{_FOLDER}/{name}"):
        return None
    return f"file://../{_FOLDER}/{name}"


def check_local_files(algorithms: Iterable[AlgorithmEntry], source: Scalar | None, folder: str, faults: Faults) -> None:
    """Report a source folder, code and data files that do not exist, and code folders without the module that the platform starts.

    What has another fault already is not checked.
    """
    place = Path(folder)
    root = _source_folder(source, place, faults)
    owners = [name for name in _names(root) if os.path.isdir(root / name)] if root else []
    for algorithm in algorithms:
        if _has_valid_code(algorithm):
            _check_code(algorithm, place, faults)
        if root is not None:
            _check_data_files(algorithm, root, owners, faults)


def _source_folder(source: Scalar | None, folder: Path, faults: Faults) -> Path | None:
    """The folder of a local source. Reports a folder that is missing. None: no such folder, or the source is a cluster."""
    if source is None or not source.text.startswith("file://") or address_fault(source.text):
        return None
    path = Path(folder, source.text.removeprefix("file://"))
    if os.path.isdir(path):
        return path
    what = "is not a folder" if os.path.exists(path) else "does not exist"
    hint = nearest(path.name, _names(path.parent)) or f"it should be {path}"
    faults.add(source, "source_info.cluster_address", "missing-file", f"the source {quote(source.text)} {what}", hint)
    return None


def _has_valid_code(algorithm: AlgorithmEntry) -> bool:
    """Whether the place of the code is known: a valid URI, or the folder that has the algorithm's name."""
    if "code" in algorithm.section.node.entries or "code_path" in algorithm.section.node.entries:
        return algorithm.spec.code is not None and code_fault(algorithm.spec.code) is None
    return algorithm.name is not None


def _check_code(algorithm: AlgorithmEntry, folder: Path, faults: Faults) -> None:
    spec, section = algorithm.spec, algorithm.section
    scheme, _, path = (spec.code or f"file://{_FOLDER}/{spec.name}").partition("://")
    if scheme != "file" or (spec.name and os.path.exists(os.path.join(folder, path, "src", f"{spec.name}.py"))):
        return  # usually the module is there, and one system call shows it
    key = "code" if "code" in section.node.entries else "code_path"
    place = section.find(key) or algorithm.name or section.node
    where = section.where(key)
    if not os.path.exists(folder / path):
        hint = nearest(Path(path).name, _names((folder / path).parent)) or f"it should be in {folder}"
        faults.add(place, where, "missing-file", f"{spec.name}: its code {quote(path)} does not exist", hint)
    elif spec.name and os.path.isdir(folder / path) and (modules := _modules_instead(spec, folder / path)) is not None:
        message = f"{spec.name}: there is no src/{spec.name}.py in {quote(path)}, which the platform starts"
        found = ", ".join(f"src/{module}" for module in modules[:5])
        faults.add(place, where, "missing-module", message, f"there is {found}" if found else None)


def _modules_instead(spec: AlgorithmSpec, code: Path) -> Sequence[str] | None:
    """The Python modules of a code folder that has no module to start. None: it has one, or is not written in Python."""
    if any(os.path.exists(code / "src" / path) for path in (f"{spec.name}.py", f"{spec.name}/__init__.py", "Algorithm.py")):
        return None
    modules = [name for name in _names(code / "src") if name.endswith(".py") and name != "__init__.py"]
    return modules if modules or "python" in spec.language.lower() else None


def _check_data_files(algorithm: AlgorithmEntry, root: Path, owners: Sequence[str], faults: Faults) -> None:
    """`owners`: all that the source has."""
    for (node, path), file in zip(algorithm.data_files, algorithm.spec.data_files, strict=True):
        owner, collection, name = file.source.removeprefix("data://").split("/")
        meant = owners if owner == ".my" else [owner]
        if len(meant) != 1 or os.path.exists(f"{root}/{meant[0]}/{collection}/{name}"):
            continue  # which owner `.my` means is checked when the source is read
        folder = root / meant[0]
        near = (
            nearest(name, _names(folder / collection))
            if os.path.exists(folder / collection)
            else nearest(collection, _names(folder))
        )
        message = f"{algorithm.spec.name}: the source has no {quote(file.source)}"
        faults.add(node, path, "missing-file", message, near or f"it should be {folder / collection / name}")


def _names(folder: Path) -> list[str]:
    """The names in a folder; empty if it cannot be listed."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
