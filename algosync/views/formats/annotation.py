"""Annotations: what failed, as commands that GitHub reads in the output of a job.

A command is `::error file=PATH,line=LINE,title=TITLE::MESSAGE`. GitHub shows ten of them for one step, those with a file also in
the changes of a pull request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import zip_longest
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Fault, Several, WorkflowError
from algosync.core.lean import dataclass
from algosync.core.redaction import Redactor
from algosync.core.text import middle_cut, plural, printable
from algosync.views.all_drift import worst_first
from algosync.views.formats.outline import Ending, Entry, Outline
from algosync.views.formats.outlining import outline_of
from algosync.views.formats.shown import address_text, short
from algosync.views.subject import DriftedAll, Failed, Subject

__all__ = ["Places", "annotation_lines"]

_SHOWN = 10
_LONGEST = 1000  # characters of a message
_TEMPLATE = ".j2"  # the ending of a file whose lines are not those of what it is rendered to
_ESCAPES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY_ESCAPES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


@dataclass(frozen=True, slots=True)
class Places:
    """Where things stand in files. `tests`: by the title of the workflow and the address, the file and the line, which may be 0.

    `in_repository`: the path of a file as GitHub knows it, from the one that algosync shows; empty: it is outside.
    """

    tests: Mapping[tuple[str, Address], tuple[str, int]] = field(default_factory=dict)
    in_repository: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class _Annotation:
    """`file`: as algosync shows it, or empty. `line` and `column`: 0: not known."""

    title: str
    lines: Sequence[str]
    file: str = ""
    line: int = 0
    column: int = 0


_NOWHERE = Places()


def annotation_lines(subject: Subject, redactor: Redactor, places: Places = _NOWHERE) -> list[str]:
    """The commands, one on each line. No text of others ends one, or begins another."""
    found = _annotations(subject, redactor, places)
    shown = found if len(found) <= _SHOWN else found[: _SHOWN - 1]
    commands = [_command(each, redactor, places) for each in shown]
    if more := len(found) - len(shown):
        rest = _Annotation("algosync", [f"and {plural(more, 'other failure')}: see the summary of the job"])
        commands.append(_command(rest, redactor, places))
    return commands


def _annotations(subject: Subject, redactor: Redactor, places: Places) -> list[_Annotation]:
    outline = outline_of(subject, redactor)
    if isinstance(subject, DriftedAll):  # one for each workflow, or for each fault of its file
        parts = zip(worst_first(subject.parts), outline.sections[0].entries, strict=True)
        found = [_of_faults(part, redactor) or _of_entries([entry], outline) for part, entry in parts]
        # The first of each workflow before the second of any: GitHub shows ten, and one file may have more faults.
        return [each for turn in zip_longest(*found) for each in turn if each is not None]
    redact = redactor.redact
    known = {(short(redact(title)), address_text(address, redact)): place for (title, address), place in places.tests.items()}
    return _of_faults(subject, redactor) or _of_entries(outline.entries, outline, known)


def _of_entries(
    entries: Iterable[Entry], outline: Outline, known: Mapping[tuple[str, str], tuple[str, int]] = MappingProxyType({})
) -> list[_Annotation]:
    """One for each entry that is bad. `known`: where tests stand."""
    told = [f"Workflow: {outline.workflow}"] if outline.workflow else []
    return [
        _Annotation(f"algosync: {entry.address}", [*entry.lines, *told], *known.get((outline.workflow, entry.address), ()))
        for entry in entries
        if entry.ending in (Ending.FAILED, Ending.ERROR)
    ]


def _of_faults(subject: Subject, redactor: Redactor) -> list[_Annotation]:
    """One for each fault of a workflow file. Empty: the subject is no error, or another one."""
    if not isinstance(subject, Failed):
        return []
    title = f"algosync: {subject.meta.get('command') or ''}".rstrip(": ")
    return [_of_fault(file, fault, title, redactor) for file, fault in _faults(subject.error)]


def _faults(error: AlgosyncError) -> Iterator[tuple[str, Fault]]:
    """Each fault of a workflow with its file. Nothing if there are other errors, too: those would be left out."""
    errors = error.errors if isinstance(error, Several) else (error,)
    if all(isinstance(each, WorkflowError) for each in errors):
        for each in errors:
            if isinstance(each, WorkflowError):
                yield from ((fault.file or each.file, fault) for fault in each.faults)


def _of_fault(file: str, fault: Fault, title: str, redactor: Redactor) -> _Annotation:
    """A template has its own line, which is not always known. Its columns never are."""
    is_template = not fault.file and file.endswith(_TEMPLATE)
    line = fault.template_line or 0 if is_template else fault.line
    where = f"{file}:{line or fault.line} {fault.path} [{fault.code}]"
    lines = [short(redactor.redact(text), _LONGEST) for text in (fault.message, fault.hint or "", where) if text]
    return _Annotation(title, lines, file, line, 0 if is_template else fault.column)


def _command(annotation: _Annotation, redactor: Redactor, places: Places) -> str:
    properties = {"title": annotation.title}
    path = places.in_repository(annotation.file) if annotation.file else ""
    if path and redactor.redact(path) == path == printable(path):  # GitHub would not find another one
        numbers = {"line": annotation.line, "col": annotation.column}
        properties = {"file": path, **{name: str(number) for name, number in numbers.items() if number}, **properties}
    told = ",".join(f"{name}={value.translate(_PROPERTY_ESCAPES)}" for name, value in properties.items())
    message = middle_cut("\n".join(annotation.lines), _LONGEST)
    return f"::error {told}::{message.translate(_ESCAPES)}"
