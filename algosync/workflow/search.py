"""Find the workflow file: the argument, `WORKFLOW_NAME`, the file in this folder, or the only one in `workflows/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.core.error import UsageError
from algosync.core.text import clauses
from algosync.workflow.file import SUFFIXES, format_of
from algosync.workflow.section import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["find", "find_all"]

_FOLDER = "workflows"


def find(argument: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """Return the workflow's file: the argument (a path, or a name in `workflows/` or the current folder), else the
    environment's `WORKFLOW_NAME` (likewise), else `workflow.*` in the current folder, else the only file in `workflows/`.

    Raises UsageError with the candidates if there is none, or more than one.
    """
    if argument:
        return _named(argument, f"there is no workflow {argument!r}", cwd)
    if name := environ.get("WORKFLOW_NAME"):
        return _named(name, f"WORKFLOW_NAME: there is no workflow {name!r}", cwd)
    here = [path for suffix in SUFFIXES if (path := cwd / f"workflow{suffix}").is_file()]
    return _only(here or _in_folder(cwd), "there is no workflow here", cwd)


def find_all(cwd: Path) -> list[Path]:
    """Every workflow's file in `workflows/`, by name. Raises UsageError if there is none."""
    if found := _in_folder(cwd):
        return found
    raise UsageError(f"there is no workflow in {_FOLDER}/", hint=f"write one into {_FOLDER}/, or give the path of one")


def _named(name: str, missing: str, cwd: Path) -> Path:
    if _is_file(path := cwd / name):
        return path
    for folder in (cwd / _FOLDER, cwd):
        paths = [folder / f"{name}{suffix}" for suffix in ("", *SUFFIXES)]
        if found := [path for path in paths if _is_file(path)]:
            return _only(found, missing, cwd)
    there = _in_folder(cwd) + _in_folder(cwd, ".")
    near = nearest(name, dict.fromkeys(format_of(path).stem for path in there))
    looked_for = f"looked for {name} and {name}.{{json,yaml,yml}}[.j2], here and in {_FOLDER}/"
    shown = _shown(there, cwd)
    raise UsageError(missing, hint=clauses(near, looked_for, shown and f"there are: {shown}"))


def _is_file(path: Path) -> bool:
    """False also for a path that the system does not accept, such as one that is too long."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _in_folder(cwd: Path, folder: str = _FOLDER) -> list[Path]:
    return sorted(path for path in (cwd / folder).glob("*") if path.name.endswith(SUFFIXES) and path.is_file())


def _only(paths: Sequence[Path], missing: str, cwd: Path) -> Path:
    if len(paths) == 1:
        return paths[0]
    shown = _shown(paths or _in_folder(cwd), cwd)
    if paths:
        raise UsageError(f"there are several workflows: {shown}", hint="name one of them")
    raise UsageError(missing, hint=f"there are: {shown}" if shown else f"write one into {_FOLDER}/, or give its path")


def _shown(paths: Iterable[Path], cwd: Path) -> str:
    return ", ".join(str(path.relative_to(cwd) if path.is_relative_to(cwd) else path) for path in paths)
