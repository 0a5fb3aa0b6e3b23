"""GitHub: the summary of a job's step, and annotations of failures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.views.subject import Subject

__all__ = ["GitHub", "tell_github"]


@dataclass(frozen=True, slots=True)
class GitHub:
    """The step that the command runs in. `summary`: the file whose Markdown GitHub shows on the page of the job."""

    summary: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> GitHub | None:
        path = environ.get("GITHUB_STEP_SUMMARY")
        return cls(Path(path)) if path else None


def tell_github(subject: Subject, terminal: Terminal) -> None:
    """Appends the subject to the summary, and annotates what failed. Does nothing elsewhere. Failures go to `terminal.lost`."""
    if terminal.github is None:
        return
    from algosync.views.formats.annotation import annotation_lines

    try:
        with open(terminal.github.summary, "ab") as file:
            file.write(terminal.formatted(subject, "markdown", coloured=False).encode(errors="backslashreplace") + b"\n")
    except OSError as error:
        terminal.lost.append(f"GITHUB_STEP_SUMMARY: {error.strerror or error}")
    for line in terminal.viewed(annotation_lines, subject):
        terminal.annotate(line)
