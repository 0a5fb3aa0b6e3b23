"""Annotations: what failed, as commands that GitHub reads in the output of a job.

A command is `::error title=TITLE::MESSAGE`. GitHub shows ten of them for one step.
"""

from __future__ import annotations

from algosync.core.redaction import Redactor
from algosync.core.text import middle_cut, plural
from algosync.views.formats.outline import Ending, Entry, Outline
from algosync.views.formats.outlining import outline_of
from algosync.views.subject import Subject

__all__ = ["annotation_lines"]

_SHOWN = 10
_LONGEST = 1000  # characters of a message
_ESCAPES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY_ESCAPES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def annotation_lines(subject: Subject, redactor: Redactor) -> list[str]:
    """The commands, one on each line. No text of others ends one, or begins another."""
    outline = outline_of(subject, redactor)
    entries = outline.sections[0].entries if outline.parts else outline.entries  # of several workflows, one for each
    bad = [entry for entry in entries if entry.ending in (Ending.FAILED, Ending.ERROR)]
    shown = bad if len(bad) <= _SHOWN else bad[: _SHOWN - 1]
    commands = [_command(f"algosync: {entry.address}", _message(entry, outline)) for entry in shown]
    if more := len(bad) - len(shown):
        commands.append(_command("algosync", f"and {plural(more, 'other failure')}: see the summary of the job"))
    return commands


def _message(entry: Entry, outline: Outline) -> str:
    lines = [*entry.lines, f"Workflow: {outline.workflow}"] if outline.workflow else [*entry.lines]
    return middle_cut("\n".join(lines), _LONGEST)


def _command(title: str, message: str) -> str:
    return f"::error title={title.translate(_PROPERTY_ESCAPES)}::{message.translate(_ESCAPES)}"
