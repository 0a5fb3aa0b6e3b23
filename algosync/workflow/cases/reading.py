"""Reading: goes through a file of cases when the workflow is loaded, and again when its cases are run."""

from __future__ import annotations

import gc
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO

from algosync.core.error import SourceError
from algosync.core.testing.case import Case, CaseFile, Expectation
from algosync.core.testing.expectation import merged
from algosync.core.text import printable
from algosync.workflow.cases.case_keys import CaseRules, LabelKind, read_case
from algosync.workflow.cases.json_lines import json_lines
from algosync.workflow.cases.list_document import json_list, yaml_list
from algosync.workflow.cases.table import table
from algosync.workflow.fault import Faults, Location, UnreadableError, quote
from algosync.workflow.leak import check_nodes
from algosync.workflow.testing.inputs import TestInputs, read_path, report_unreadable
from algosync.workflow.testing.named_files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from algosync.core.error import Fault
    from algosync.workflow.cases.row import CaseFormat, Row
    from algosync.workflow.section import Section
    from algosync.workflow.testing.named_files import NamedFiles

__all__ = ["FORMATS", "CaseRules", "LabelKind", "check_cases", "open_cases"]

FORMATS: Mapping[str, CaseFormat] = {
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    ".json": json_list,
    ".yaml": yaml_list,
    ".yml": yaml_list,
    ".csv": table,
}
_SHOWN = 20  # faults of one file
_COLLECTED = 10_000  # cases: loading switches the garbage collector off, and checks of expectations may leave cycles


def check_cases(section: Section, rules: CaseRules, inputs: TestInputs) -> CaseFile | None:
    """Return the file of the key `cases` after a look at all of its cases, of which memory holds one at a time.

    None: there is no such key, or a fault was reported: at most the first 20 of a file.
    """
    place = read_path(section, "cases")
    if place is None:
        return None
    if PurePath(place.text).suffix.lower() not in FORMATS:
        message = f"{quote(place.text)} is not a file of cases by its name"
        section.report("cases", "case-format", message, f"a name ends in {', '.join(FORMATS)}")
        return None
    key = (place.text, rules)
    try:
        if key not in inputs.files.checked:
            inputs.files.checked[key] = _checked(place.text, rules, inputs)
    except (OSError, ValueError) as error:
        report_unreadable(section, "cases", inputs.files, error)
        return None
    file, found = inputs.files.checked[key]
    section.faults.include(found, place.text)
    return file


def _checked(path: str, rules: CaseRules, inputs: TestInputs) -> tuple[CaseFile | None, Faults]:
    faults, count = Faults(), 0
    with inputs.files.open(path) as file:
        inputs.files.digests[path] = digest = sha256_of(file)
        file.seek(0)
        with suppress(UnreadableError):
            for count, _ in enumerate(_cases(file, path, rules, inputs, faults), 1):
                if len(faults.found) >= _SHOWN:
                    break
                if count % _COLLECTED == 0:
                    gc.collect()
            if not count and not faults.found:
                faults.add(Location(1, 1), "", "empty", "the file has no cases")
    if len(faults.found) >= _SHOWN:
        last = max(fault.line for fault in faults.found)
        del faults.found[_SHOWN:]
        faults.add(Location(last + 1, 1), "", "too-many-faults", f"{_SHOWN} faults; the rest of the file is not shown")
    return (None if faults.found else CaseFile(path, digest, count)), faults


def open_cases(file: CaseFile, files: NamedFiles, algorithm: str, expect: Expectation | None = None) -> Iterator[Case]:
    """Yield the cases of a checked file, each with `expect`, which holds for all of them. Memory holds one case at a time.

    SourceError: the file cannot be read, or is another one than when the workflow was loaded.
    """
    try:
        with files.open(file.path) as opened:
            if sha256_of(opened) != file.sha256:
                raise SourceError(f"{printable(file.path)} changed while it was used", hint="run the same command again")
            opened.seek(0)
            faults, rules = Faults(), CaseRules(algorithm)
            for case in _cases(opened, file.path, rules, TestInputs(files), faults):
                if case is None or faults.found:
                    break
                yield replace(case, expect=merged(expect or Expectation(), case.expect))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{printable(file.path)} cannot be read: {printable(str(reason))}") from None
    except UnreadableError:
        pass
    if faults.found:
        raise SourceError(f"{printable(file.path)} cannot be read: {printable(faults.found[0].message)}")


def _cases(file: BinaryIO, path: str, rules: CaseRules, inputs: TestInputs, faults: Faults) -> Iterator[Case | None]:
    """Yield each case; None: it has faults."""
    for row in FORMATS[PurePath(path).suffix.lower()](file, faults):
        found = Faults()
        check_nodes(row.node, inputs.keys, found)
        case = read_case(row, rules, inputs, found)
        faults.found.extend(_placed(fault, row) for fault in found.found)
        yield None if found.found else case


def _placed(fault: Fault, row: Row) -> Fault:
    """The fault with its place in the file. One in a file that the case names has its place already."""
    if fault.file:
        return fault
    if row.places is None:
        return replace(fault, line=fault.line + row.offset)
    column = fault.path.partition(".")[0].partition("[")[0]
    place = row.places().get(column, Location(row.line, 1))
    return replace(fault, line=place.line, column=place.column)
