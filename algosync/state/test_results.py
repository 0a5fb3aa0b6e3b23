"""Test results: the section of the results document that remembers how each test ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from algosync.core.address import Address
from algosync.core.error import StateError
from algosync.core.resource import Json
from algosync.core.test_result import TestResult, merged, results_in, with_results
from algosync.state.backend import Backend
from algosync.state.results_document import ResultsDocument

__all__ = ["TestResults"]

_SECTION = "tests"


class TestResults:
    """The results beside one state. Commands do not fail because of them: each method returns a warning instead.

    The arguments are those of `ResultsDocument`.
    """

    __test__ = False  # without this pytest would collect the class

    def __init__(self, create: Callable[[str], Backend], state: str) -> None:
        self.document = ResultsDocument(create, state)

    def read(self) -> tuple[Mapping[Address, TestResult], str]:
        """The results, without a lock. The second value is a warning, or empty."""
        unknown = "the results of earlier tests are not known"
        try:
            document = self.document.read()
        except StateError as error:
            return {}, f"{unknown}: {error.message}"
        try:
            return results_in(document), ""
        except StateError as error:
            return {}, f"{unknown}: {self.document.where} {error.message}"

    def record(self, new: Mapping[Address, TestResult], tests: Collection[Address]) -> str:
        """Adds results durably, and drops those of tests that are no longer there. Returns a warning, or an empty text."""

        def change(document: Mapping[str, Json]) -> Mapping[str, Json]:
            before = results_in(document)
            results = merged(before, new, tests)
            return document if results == before else with_results(results, document)

        try:
            return self.document.update(_SECTION, change)
        except StateError as error:
            return f"the results of the tests are not remembered: {error.message}"
