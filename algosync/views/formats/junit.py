"""The format `junit`: JUnit's XML, as Jenkins, GitLab, Azure and others read it.

Tests are one suite, changes another one. A test is one test case, and each case of a file of cases is another one. Of a plan
each change is a test case, which does not fail. Of drift each finding is one, which fails if it is a difference. Each of several
workflows is a suite with its name, which is empty if there is no finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from algosync.core.redaction import Redactor
from algosync.core.text import harmless
from algosync.views.formats.outline import Block, Ending, Entry, Outline, OutlineCall, OutlineSection
from algosync.views.formats.outlining import outline_of
from algosync.views.subject import Subject

if TYPE_CHECKING:
    from junitparser import xunit2

__all__ = ["view"]


def view(subject: Subject, redactor: Redactor) -> str:
    from xml.etree.ElementTree import indent, tostring

    from junitparser import xunit2

    outline = outline_of(subject, redactor)
    document = xunit2.JUnitXml(f"algosync {outline.title.lower()}")
    for part in outline.parts or (outline,):
        for section in part.sections or (OutlineSection(outline.title.lower(), outline.title, ()),):
            document.append(_suite(part, section, part.workflow if outline.parts else section.name))
    for block in outline.blocks:
        document.append(_block_suite(block, outline))
    document.update_statistics()
    element = document._elem
    indent(element)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(element, encoding="unicode")}\n'


def _suite(outline: Outline, section: OutlineSection, title: str) -> xunit2.TestSuite:
    from junitparser import xunit2

    suite = xunit2.TestSuite(title)
    suite.timestamp = outline.time.partition("+")[0]
    facts = [*outline.facts, ("Result", outline.verdict)]
    for name, value in [*facts, *((f"{count.of} {count.sort}", f"{count.number}") for count in outline.counts)]:
        suite.add_property(name.lower().replace(" ", "_"), value)
    for note in outline.notes:
        suite.add_property("note", note)
    for entry in section.entries:
        for case in _cases(entry):
            suite._add_testcase_no_update_stats(case)
    suite.update_statistics()
    return suite


def _block_suite(block: Block, outline: Outline) -> xunit2.TestSuite:
    """A suite without tests, whose output is the block."""
    from junitparser import xunit2

    suite = xunit2.TestSuite(block.heading.lower())
    suite.timestamp = outline.time.partition("+")[0]
    suite.system_out = _text(block.lines)
    suite.update_statistics()
    return suite


def _cases(entry: Entry) -> Iterator[xunit2.TestCase]:
    from junitparser import xunit2

    own = max((entry.seconds or 0.0) - sum(call.seconds for call in entry.calls), 0.0)  # a suite has the sum of its cases
    case = xunit2.TestCase(entry.address, entry.algorithm, round(own, 3))
    for name, value in entry.facts:
        case.add_property(name.lower(), value)
    for name, value in entry.slices:
        case.add_property(name, value)
    if entry.calls_left_out:
        case.add_property("calls_not_listed", str(entry.calls_left_out))
    _end(case, entry.ending, entry.message or entry.sentence, entry.lines)
    shown = [] if entry.lines else [entry.sentence, *(f"{symbol} {text}".strip() for symbol, text in entry.rows)]
    if printed := [line for line in (*shown, *entry.printed) if line]:
        case.system_out = _text(printed)
    yield case
    for call in entry.calls:
        yield _call_case(entry, call)


def _call_case(entry: Entry, call: OutlineCall) -> xunit2.TestCase:
    from junitparser import xunit2

    case = xunit2.TestCase(f"{entry.address} {call.name}", entry.algorithm, round(call.seconds, 3))
    _end(case, call.ending, call.message, call.lines)
    case.system_out = _text(call.lines)
    return case


def _end(case: xunit2.TestCase, ending: Ending, message: str, lines: Iterable[str]) -> None:
    import junitparser

    match ending:
        case Ending.FAILED:
            result: junitparser.junitparser.FinalResult = junitparser.Failure(message, "failure")
        case Ending.ERROR:
            result = junitparser.Error(message, "error")
        case Ending.SKIPPED:
            result = junitparser.Skipped(message)
        case Ending.PASSED | Ending.NONE:
            return
    if ending is not Ending.SKIPPED:
        result.text = _text(lines)
    case.append(result)


def _text(lines: Iterable[str]) -> str:
    """Lines as the text of an element. None of them is a command to a CI system that shows it."""
    return "\n".join(harmless(line, coloured=False) for line in lines)
