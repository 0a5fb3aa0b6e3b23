"""GitHub: the summary of a job's step, and annotations of failures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.cli.workflow_file import LoadedWorkflow
    from algosync.core.address import Address
    from algosync.views.subject import Subject

__all__ = ["GitHub", "tell_github"]


@dataclass(frozen=True, slots=True)
class GitHub:
    """The step that the command runs in. `summary`: the file whose Markdown GitHub shows on the page of the job.

    `workspace`: the folder of the checkout; None: the current one. `tests`: as of `Places`.
    """

    summary: Path
    workspace: Path | None = None
    tests: dict[tuple[str, Address], tuple[str, int]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> GitHub | None:
        path, workspace = environ.get("GITHUB_STEP_SUMMARY"), environ.get("GITHUB_WORKSPACE")
        return cls(Path(path), Path(workspace) if workspace else None) if path else None

    def know(self, loaded: LoadedWorkflow) -> None:
        """From now on failures of the workflow's tests are annotated where the tests stand."""
        from algosync.core.planning.plan import checks_of

        for check in checks_of(loaded.workflow, frozenset()):
            self.tests[loaded.title, check.address] = (str(loaded.path), check.case.line)

    def in_repository(self, path: str) -> str:
        """The path from the top of the checkout, with `/`. Empty: it is outside."""
        top = os.path.realpath(self.workspace or ".")
        file = Path(os.path.realpath(path))
        return file.relative_to(top).as_posix() if file.is_relative_to(top) else ""


def tell_github(subject: Subject, terminal: Terminal) -> None:
    """Appends the subject to the summary, and annotates what failed. Does nothing elsewhere. Failures go to `terminal.lost`."""
    github = terminal.github
    if github is None:
        return
    from algosync.views.formats.annotation import Places, annotation_lines

    try:
        with open(github.summary, "ab") as file:
            file.write(terminal.formatted(subject, "markdown", coloured=False).encode(errors="backslashreplace") + b"\n")
    except OSError as error:
        terminal.lost.append(f"GITHUB_STEP_SUMMARY: {error.strerror or error}")
    places = Places(github.tests, github.in_repository)
    for line in terminal.viewed(lambda each, redactor: annotation_lines(each, redactor, places), subject):
        terminal.annotate(line)
