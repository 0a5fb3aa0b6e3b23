"""Read the tests of an algorithm: its payload, its own tests and gates, and those of `test_info`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.core.testing.case import CALL_TIMEOUT, Expectation, Load, TestCase
from algosync.workflow.fault import quote
from algosync.workflow.payload import MAX_PAYLOAD, payload_text
from algosync.workflow.section import Section, section_of
from algosync.workflow.testing.expectation_keys import read_expectation
from algosync.workflow.testing.gate_keys import GATE_KEYS, label_kind, read_gate
from algosync.workflow.testing.inputs import read_payload_file
from algosync.workflow.testing.load_keys import LOAD_KEYS, read_load, read_timeout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from algosync.core.testing.case import CaseFile
    from algosync.workflow.cases import LabelKind
    from algosync.workflow.node import Node
    from algosync.workflow.testing.inputs import TestInputs

__all__ = ["TEST_KEYS", "TestReader"]

_PAYLOAD_TIMEOUT = CALL_TIMEOUT  # seconds
_SOURCES = ("payload", "payload_file", "cases")
TEST_KEYS = ("name", *_SOURCES, "timeout", "expect", *LOAD_KEYS)


class TestReader:
    """Reads the tests of one algorithm after each other. No two have the same name, because reports identify them by it.

    Invalid parts are reported, and a placeholder takes their place.
    """

    __test__ = False  # without this pytest would collect the class
    __slots__ = ("_algorithm", "_inputs", "_lines")

    def __init__(self, algorithm: str, inputs: TestInputs) -> None:
        self._algorithm, self._inputs = algorithm, inputs
        self._lines: dict[str, int] = {}  # of the names that were read

    def own_tests(self, section: Section) -> tuple[TestCase, ...]:
        """The tests of an entry of `algorithms`: `test_payload`, `tests`, `gates`."""
        return (*self._test_payload(section), *self.tests(section.list("tests"), section), *self._gates(section))

    def tests(self, items: Iterable[tuple[Node, str]], around: Section) -> tuple[TestCase, ...]:
        """The tests of a list."""
        sections = (section_of(node, path, around.faults, TEST_KEYS) for node, path in items)
        return tuple(self._test(section) for section in sections if section)

    def _test_payload(self, section: Section) -> tuple[TestCase, ...]:
        payload = self._payload(section, "test_payload")
        expect = read_expectation(section, self._inputs)
        if section.find("test_payload") is None and section.get("expect"):
            message = "`expect` is about the answer to `test_payload`, which is missing"
            section.report("expect", "missing-key", message, "an entry of `tests` has its own `expect`")
        node = section.find("test_payload")
        return () if payload is None or node is None else (TestCase("", payload, _PAYLOAD_TIMEOUT, expect, line=node.line),)

    def _test(self, section: Section) -> TestCase:
        name = self._name(section, required="cases" not in section.node.entries)
        self._require_one_source(section)
        payload = self._payload(section, "payload") or read_payload_file(section, "payload_file", self._inputs, self._algorithm)
        cases = self._cases(section)
        expect = read_expectation(section, self._inputs)
        load = read_load(section)
        self._require_baseline(section, expect, load)
        return TestCase(name, payload or "", read_timeout(section), expect, cases, load, line=section.node.line)

    def _require_baseline(self, section: Section, expect: Expectation, load: Load) -> None:
        """A limit that compares with the accepted run needs the file of that run: without one it would always hold."""
        for limit in load.limits if expect.baseline is None else ():
            if limit.measure.endswith("_vs_baseline"):
                hint = "add `expect: {baseline: FILE}`, which `algosync test --accept` writes"
                section.report("limits", "needs-baseline", f"{quote(limit.measure)} needs the baseline of the test", hint)
                return

    def _gates(self, section: Section) -> Iterable[TestCase]:
        for node, path in section.list("gates"):
            gate = section_of(node, path, section.faults, GATE_KEYS)
            if gate:
                gate.require_value("cases", "a text")
                name = self._name(gate, required=True)
                quality, load = read_gate(gate, self._inputs)
                cases = self._cases(gate, label_kind(quality.metric), quality.by)
                yield TestCase(name, "", read_timeout(gate), Expectation(), cases, load, quality, gate.node.line)

    def _cases(self, section: Section, label: LabelKind | None = None, by: str | None = None) -> CaseFile | None:
        """The file of cases. Its readers are imported only if there is one."""
        if section.find("cases") is None:
            return None
        from algosync.workflow.cases import CaseRules, check_cases

        return check_cases(section, CaseRules(self._algorithm, label, by), self._inputs)

    def _payload(self, section: Section, key: str) -> str | None:
        """The payload's JSON text. None: it is missing or too large; the latter is reported."""
        node = section.find(key)
        text = payload_text(node, self._algorithm) if node else None
        if node and text is None:
            message = f"as JSON the payload is larger than {MAX_PAYLOAD // 1024**2} MiB"
            section.report(key, "payload-too-large", message, "put it into a data file")
        return text

    def _name(self, section: Section, *, required: bool) -> str:
        """The name of a test; of one with a file of cases it is the path of the file by default."""
        key = "name" if required or section.get("name") else "cases"
        node = section.text("name", required=True) if required else section.find(key)
        name = getattr(node, "text", "")
        if node and name in self._lines:
            message = f"{quote(name)} is the name of the test on line {self._lines[name]} already"
            section.faults.add(node, section.where(key), "duplicate-test", message, "reports identify tests by their names")
        elif node and name:
            self._lines[name] = node.line
        return name

    def _require_one_source(self, section: Section) -> None:
        given = [key for key in section.node.entries if key == "payload" or (key in _SOURCES and section.get(key))]
        if not given:
            hint = "or payload_file, or cases"
            section.report("payload", "missing-key", "the key 'payload' is missing", hint)
        for other in given[1:]:
            message = f"a test has either {quote(given[0])} or {quote(other)}"
            section.faults.add(section.node.key(other), section.where(other), "two-inputs", message, "make two tests of it")
