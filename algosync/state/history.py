"""History: the section of the results document that remembers the commands that worked on the state."""

from __future__ import annotations

from collections.abc import Mapping

from algosync.core.error import StateError
from algosync.core.results.past_run import PastRun, runs_in, with_run
from algosync.state.results_document import Change, ResultsDocument

__all__ = ["History", "run_added"]

_SECTION = "history"


def run_added(run: PastRun) -> Mapping[str, Change]:
    """What adds a run to the history of a results document, and drops the oldest ones beyond the limits; by the section's name."""
    return {_SECTION: lambda document: with_run(document, run)}


class History:
    """The history beside one state."""

    def __init__(self, document: ResultsDocument) -> None:
        self._document = document

    def read(self) -> tuple[tuple[PastRun, ...], int]:
        """The runs, the oldest first, and how many entries cannot be read. Takes no lock.

        StateError: the document cannot be read.
        """
        document = self._document.read()
        try:
            return runs_in(document)
        except StateError as error:
            raise StateError(f"{self._document.where} {error.message}") from None

    def add(self, run: PastRun) -> str:
        """Adds a run durably, in one write, and drops the oldest ones beyond the limits. Returns a warning, or an empty text.

        Takes no lock of the state. Commands do not fail because of it.
        """
        try:
            return self._document.update_all(run_added(run))
        except StateError as error:
            return f"this command is not in the history: {error.message}"
