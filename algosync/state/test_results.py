"""Test results: the sections of the results document that remember how each test ended, and since when drift was seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.error import StateError
from algosync.core.resource import Json
from algosync.core.results.sighting import SECTION, Seen, decode_seen, with_seen
from algosync.core.test_result import TestResult, merged, results_in, with_results
from algosync.state.backend import Backend
from algosync.state.results_document import Change, ResultsDocument

__all__ = ["TestResults"]

_SECTION = "tests"
_NO_CHANGES: Mapping[str, Change] = MappingProxyType({})


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

    def seen(self) -> Seen:
        """What earlier drift reports saw, without a lock. Empty: nothing, or it cannot be read."""
        try:
            return decode_seen(self.document.read())
        except StateError:
            return Seen()

    def record_seen(self, merge: Callable[[Seen], Seen], others: Mapping[str, Change] = _NO_CHANGES) -> tuple[Seen, str]:
        """Stores durably what `merge` makes of what earlier drift reports saw, in one write. Returns it, and a warning or an empty
        text. After a warning that it could not be stored, it is made of what could be read.

        `others`: changes of other sections for the same write.
        """
        made: list[Seen] = []

        def change(document: Mapping[str, Json]) -> Mapping[str, Json]:
            made.append(merge(decode_seen(document)))
            return with_seen(document, made[-1])

        try:
            warning = self.document.update_all({SECTION: change, **others})
        except StateError as error:
            told = ", and this command is not in the history" if others else ""
            warning = f"the times when drift was first seen are not remembered{told}: {error.message}"
        return made[-1] if made else merge(self.seen()), warning
