"""A folder with a site: what `--report html:FOLDER/` writes of a drift report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.views.subject import DriftedAll, Subject

__all__ = ["write_site"]


def write_site(subject: Subject, folder: Path, terminal: Terminal) -> None:
    """Replaces the index and the page of each workflow, file by file; other files in the folder stay.

    OSError: a file cannot be written. Those before it are.
    """
    from algosync.cli.report_output import replace_file

    drifted = _drifted_all(subject)
    if drifted is None:
        raise OSError("only a drift report is a folder of pages: name a file")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in terminal.site(drifted):
        replace_file(folder / name, text.encode(errors="backslashreplace"))


def _drifted_all(subject: Subject) -> DriftedAll | None:
    """The subject as one of several workflows. None: it is no drift report."""
    from algosync.views.subject import Drifted, DriftedAll, Failed

    if isinstance(subject, DriftedAll):
        return subject
    if not isinstance(subject, (Drifted, Failed)):
        return None
    meta = {name: value for name, value in subject.meta.items() if name in ("timestamp", "algosync_version", "exit_code")}
    return DriftedAll(subject.header.destination if isinstance(subject, Drifted) else "", (subject,), meta)
