"""Test results: a document beside the state that remembers how each test ended.

It has its own lock and its own comparison before it is written. So it neither changes the state's serial nor waits for an apply.
It records no resources: a damaged one is set aside, and it can be deleted.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from algosync.core.address import Address
from algosync.core.error import Corrupt, LockHeld, StateError
from algosync.core.resource import Json
from algosync.core.test_result import TestResult, decode_results, encode_results, merged
from algosync.state.backend import Backend, fingerprint

__all__ = ["TestResults", "results_name"]

_WAIT, _POLL = 10.0, 0.02  # seconds


def results_name(state: str) -> str:
    """The name of the document beside a state. `state`: see `state_name`."""
    return f"{state}.results"


class TestResults:
    """The document in a backend of its own. Commands do not fail because of it: each method returns a warning instead."""

    __test__ = False  # without this pytest would collect the class

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def read(self) -> tuple[Mapping[Address, TestResult], str]:
        """The results, without a lock. The second value is a warning, or empty."""
        try:
            return self._decoded(self._backend.read())[0], ""
        except (Corrupt, StateError) as error:
            return {}, f"{self._backend.where} {error.message}; results of earlier tests are not known"

    def record(self, new: Mapping[Address, TestResult], tests: Collection[Address]) -> str:
        """Adds the results of a run, and drops those of tests that are no longer there. Returns a warning, or an empty text."""
        deadline = time.monotonic() + _WAIT
        while True:
            try:
                self._backend.lock(exclusive=True)
            except LockHeld as error:
                if time.monotonic() >= deadline:
                    return f"the results of the tests are not remembered: {error.message}"
                time.sleep(_POLL)
                continue
            except StateError as error:
                return f"the results of the tests are not remembered: {error.message}"
            try:
                return self._write(new, tests)
            except StateError as error:
                return f"the results of the tests are not remembered: {error.message}"
            finally:
                self._backend.unlock()

    def _write(self, new: Mapping[Address, TestResult], tests: Collection[Address]) -> str:
        data = self._backend.read()
        warning = ""
        before: Mapping[Address, TestResult] = {}
        others: Mapping[str, Json] = {}
        try:
            before, others = self._decoded(data)
        except Corrupt as error:
            # The backend keeps the replaced document as its backup.
            warning = f"{self._backend.where} {error.message}; it is written anew"
        results = merged(before, new, tests)
        if results != before or warning:
            self._backend.write(encode_results(results, others), expect=fingerprint(data))
        return warning

    def _decoded(self, data: bytes | None) -> tuple[Mapping[Address, TestResult], Mapping[str, Json]]:
        return ({}, {}) if data is None else decode_results(data)
