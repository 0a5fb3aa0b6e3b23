"""Which workflow: the argument, `WORKFLOW_NAME`, the file here, the only one in `workflows/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.core.error import UsageError
from algosync.workflow.file import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["find"]

_FOLDER = "workflows"


def find(argument: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The workflow's file: the argument (a path, or a name in `workflows/`), else the environment's `WORKFLOW_NAME`, else
    `workflow.*` here, else the only file in `workflows/`.

    UsageError: there is none, or more than one; it lists the candidates.
    """
    if argument:
        path = cwd / argument
        return path if path.is_file() else _named(argument, "workflow", cwd)
    if name := environ.get("WORKFLOW_NAME"):
        return _named(name, "WORKFLOW_NAME", cwd)
    here = [cwd / f"workflow{suffix}" for suffix in SUFFIXES if (cwd / f"workflow{suffix}").is_file()]
    return _only(here or _candidates(cwd), "no workflow was named", cwd)


def _named(name: str, what: str, cwd: Path) -> Path:
    files = [cwd / _FOLDER / f"{name}{suffix}" for suffix in ("", *SUFFIXES)]
    return _only([file for file in files if file.is_file()], f"{what} {name!r} is no file", cwd)


def _only(files: list[Path], problem: str, cwd: Path) -> Path:
    if len(files) == 1:
        return files[0]
    shown = ", ".join(str(file.relative_to(cwd)) for file in files or _candidates(cwd))
    if files:
        raise UsageError(f"there are several workflows: {shown}", hint="name one of them")
    hint = f"there are: {shown}" if shown else f"write a workflow file into {_FOLDER}/, or name one"
    raise UsageError(
        f"{problem}, and neither workflow.* nor {_FOLDER}/ decides it" if not shown else problem, hint=hint
    )


def _candidates(cwd: Path) -> list[Path]:
    return sorted(file for file in (cwd / _FOLDER).glob("*") if file.name.endswith(SUFFIXES) and file.is_file())
