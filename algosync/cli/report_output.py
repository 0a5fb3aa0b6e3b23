"""Report output: writes a result in the formats, and to the places, that `--report` names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.reporting.github import tell_github
from algosync.core.error import AlgosyncError, UsageError
from algosync.core.text import printable
from algosync.views import FORMATS

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.views.subject import Failed, Subject

__all__ = ["diagnosed", "document_metadata", "failed", "replace_file", "report_places", "write_reports"]

_STDOUT = "-"
_TOLD = "<the error>"  # among the reported places: no file has this name


def report_places(reports: Iterable[str], *, sites: bool = False) -> Mapping[str, str]:
    """The name of a format for each place: a path, or `-` for stdout, which gets the text if no report is for it.

    `reports`: FORMAT or FORMAT:PATH. `sites`: whether the path of `html` may be a folder. UsageError: a format is unknown, a path
    is empty, two formats are for one place, or a path is a folder that may not be one.
    """
    places: dict[str, str] = {}
    for report in reports:
        name, separator, path = report.partition(":")
        option = f"--report {printable(report, 200)}"
        if name not in FORMATS:
            raise UsageError(f"{option}: the format is unknown", hint=f"use one of: {', '.join(sorted(FORMATS))}")
        if separator and not path:
            raise UsageError(f"{option} names no file", hint=f"use {name}, or {name}:FILE")
        if not sites and _is_site(path, name):
            raise UsageError(f"{option} names a folder", hint="name a file: only drift writes a folder of pages")
        place = path or _STDOUT
        if places.setdefault(place, name) != name:
            where = "stdout" if place == _STDOUT else "this file"
            raise UsageError(f"{option}: {where} already gets the format {places[place]}", hint=f"use {name}:FILE")
    return {_STDOUT: "text", **places}


def _is_site(place: str, name: str) -> bool:
    """Whether a place of `--report` is a folder for pages: it ends in a slash, or is there. `name`: of the format."""
    return name == "html" and bool(place) and (place.endswith("/") or Path(place).is_dir())


def write_reports(subject: Subject, places: Mapping[str, str], terminal: Terminal) -> None:
    """Writes the subject to all places, in their formats, and tells GitHub. Failures are added to `terminal.lost`.

    A plan, or the findings of a drift report, are the news of the command, too.
    """
    from algosync.cli.notify.news import news_of

    terminal.news.extend(news_of(subject))
    _write_places(subject, places, terminal)
    tell_github(subject, terminal)


def _write_places(subject: Subject, places: Mapping[str, str], terminal: Terminal) -> None:
    for place, name in places.items():
        terminal.reported.append(place)
        if place == _STDOUT:
            terminal.show(subject, name)
        elif _is_site(place, name):
            from algosync.cli.reporting.site_folder import write_site

            with _told(f"{name}:{place}", terminal):
                write_site(subject, Path(place), terminal)
        else:
            text = terminal.formatted(subject, name, coloured=False)
            with _told(f"{name}:{place}", terminal):
                replace_file(Path(place), text.encode(errors="backslashreplace"))


@contextmanager
def diagnosed(command: str, places: Mapping[str, str], terminal: Terminal) -> Iterator[None]:
    """If the body raises an AlgosyncError, the places of all formats but the text get a report of it. The error goes on.

    They keep a result that is there already, such as a plan that guards refuse.
    """
    from algosync.cli.interrupt import exit_code

    try:
        yield
    except AlgosyncError as error:
        if exit_code() is None:
            _write_error(error, command, places, terminal)
        raise


def _write_error(error: AlgosyncError, command: str, places: Mapping[str, str], terminal: Terminal) -> None:
    left = {place: name for place, name in places.items() if place not in terminal.reported and name not in ("gitlab", "text")}
    told = _TOLD in terminal.reported or terminal.github is None
    if not left and told:
        return
    terminal.reported.append(_TOLD)
    subject = failed(error, command, terminal)
    _write_places(subject, left, terminal)
    if not told:
        tell_github(subject, terminal)


def failed(error: AlgosyncError, command: str, terminal: Terminal) -> Failed:
    """The report of a command that ended with an error. It names the workflow, if the command worked on one."""
    from algosync.cli.reporting.error_code import error_code
    from algosync.views.subject import Failed

    titles = list(terminal.workflows.values())
    about: Mapping[str, str] = {"workflow": titles[0]} if len(titles) == 1 else {}
    return Failed(error, {**document_metadata(), "command": command, "exit_code": error_code(error), **about})


def document_metadata() -> Mapping[str, str]:
    """When a JSON document is written, and by which version of algosync."""
    from datetime import datetime, timezone

    from algosync import __version__

    return {"timestamp": datetime.now(timezone.utc).isoformat(timespec="seconds"), "algosync_version": __version__}


@contextmanager
def _told(report: str, terminal: Terminal) -> Iterator[None]:
    """A failure to write is told at the end of the command, and the others are written."""
    try:
        yield
    except OSError as error:
        terminal.lost.append(f"--report {printable(report)}: {error.strerror or error}")


def replace_file(path: Path, data: bytes) -> None:
    """Replaces a file atomically. Follows a symbolic link. OSError: the file is unchanged."""
    if path.exists() and not path.is_file():  # a pipe or a device, which a file must not replace
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
