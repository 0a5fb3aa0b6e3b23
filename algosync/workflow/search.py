"""Find the workflow file: the argument, `WORKFLOW_NAME`, the file in this folder, or the only one in `workflows/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.core.error import UsageError
from algosync.workflow.file import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["find"]

_FOLDER = "workflows"


def find(argument: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """Return the workflow's file: the argument (a path, or a name in `workflows/`), else the environment's `WORKFLOW_NAME`
    (likewise), else `workflow.*` in the current folder, else the only file in `workflows/`.

    Raises UsageError with the candidates if there is none, or more than one.
    """
    if argument:
        return _named(argument, f"there is no workflow {argument!r}", cwd)
    if name := environ.get("WORKFLOW_NAME"):
        return _named(name, f"WORKFLOW_NAME: there is no workflow {name!r}", cwd)
    here = [path for suffix in SUFFIXES if (path := cwd / f"workflow{suffix}").is_file()]
    return _only(here or _in_folder(cwd), "there is no workflow here", cwd)


def _named(name: str, missing: str, cwd: Path) -> Path:
    if (path := cwd / name).is_file():
        return path
    paths = [cwd / _FOLDER / f"{name}{suffix}" for suffix in ("", *SUFFIXES)]
    return _only([path for path in paths if path.is_file()], missing, cwd)


def _in_folder(cwd: Path) -> list[Path]:
    return sorted(path for path in (cwd / _FOLDER).glob("*") if path.name.endswith(SUFFIXES) and path.is_file())


def _only(paths: Sequence[Path], missing: str, cwd: Path) -> Path:
    if len(paths) == 1:
        return paths[0]
    candidates = paths or _in_folder(cwd)
    shown = ", ".join(str(path.relative_to(cwd) if path.is_relative_to(cwd) else path) for path in candidates)
    if paths:
        raise UsageError(f"there are several workflows: {shown}", hint="name one of them")
    raise UsageError(missing, hint=f"there are: {shown}" if shown else f"write one into {_FOLDER}/, or give its path")
