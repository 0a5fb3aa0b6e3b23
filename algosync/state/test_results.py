"""Test results: a document beside the state that remembers how each test ended, and since when drift was seen.

It has its own lock and its own comparison before it is written. So it neither changes the state's serial nor waits for an apply.
It records no resources: a damaged one is set aside, and it can be deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from algosync.core.address import Address
from algosync.core.error import Corrupt, LockHeld, Stale, StateError
from algosync.core.resource import Json
from algosync.core.sighting import Seen, decode_seen, with_seen
from algosync.core.test_result import TestResult, decode_results, encode_results, merged
from algosync.state.backend import Backend, fingerprint

__all__ = ["TestResults", "results_name"]

Stored: TypeAlias = tuple[Mapping[Address, TestResult], Mapping[str, Json]]
"""The results of tests, and the whole document."""
Change: TypeAlias = Callable[[Mapping[Address, TestResult], Mapping[str, Json]], Stored]
"""Makes new results and a new document of those that are stored. It may be called several times."""
_WAIT, _POLL = 10.0, 0.02  # seconds


def results_name(state: str) -> str:
    """The name of the document beside a state. `state`: see `state_name`."""
    return f"{state}.results"


class TestResults:
    """The document beside one state. Commands do not fail because of it: each method returns a warning instead.

    `create`: creates the backend of a name, at the address of the state. `state`: the name of the state, see `state_name`.
    """

    __test__ = False  # without this pytest would collect the class

    def __init__(self, create: Callable[[str], Backend], state: str) -> None:
        self._backend = create(results_name(state))
        self._aside = create(f"{state}.results.damaged")

    def read(self) -> tuple[Mapping[Address, TestResult], str]:
        """The results, without a lock. The second value is a warning, or empty."""
        unknown = "the results of earlier tests are not known"
        try:
            data = self._backend.read()
        except StateError as error:
            return {}, f"{unknown}: {error.message}"
        try:
            return _decoded(data)[0], ""
        except StateError as error:
            return {}, f"{unknown}: {self._backend.where} {error.message}"

    def record(self, new: Mapping[Address, TestResult], tests: Collection[Address]) -> str:
        """Adds results durably, and drops those of tests that are no longer there. Returns a warning, or an empty text."""
        return self._changed(lambda before, document: (merged(before, new, tests), document), "the results of the tests")

    def seen(self) -> Seen:
        """What earlier drift reports saw, without a lock. Empty: nothing, or it cannot be read."""
        try:
            return decode_seen(_decoded(self._backend.read())[1])
        except StateError:
            return Seen()

    def record_seen(self, merge: Callable[[Seen], Seen]) -> tuple[Seen, str]:
        """Stores durably what `merge` makes of what earlier drift reports saw, in one write. Returns it, and a warning or an empty
        text. After a warning that it could not be stored, it is made of what could be read.
        """
        made: list[Seen] = []

        def change(results: Mapping[Address, TestResult], document: Mapping[str, Json]) -> Stored:
            made.append(merge(decode_seen(document)))
            return results, with_seen(document, made[-1])

        warning = self._changed(change, "the times when drift was first seen")
        return made[-1] if made else merge(self.seen()), warning

    def _changed(self, change: Change, what: str) -> str:
        """Writes the changed document. Returns a warning, or an empty text."""
        deadline = time.monotonic() + _WAIT
        while True:
            try:
                return self._update(change)
            except (LockHeld, Stale) as error:  # another command records its own results
                if time.monotonic() >= deadline:
                    return _not_remembered(what, error.message)
            except StateError as error:
                return _not_remembered(what, error.message)
            time.sleep(_POLL)

    def _update(self, change: Change) -> str:
        self._backend.lock()
        try:
            return self._write(change)
        finally:
            self._backend.unlock()

    def _write(self, change: Change) -> str:
        data = self._backend.read()
        warning = ""
        try:
            before, document = _decoded(data)
        except Corrupt as error:
            self._set_aside(data or b"")
            before, document = {}, {}
            warning = f"{self._backend.where} {error.message}; it is written anew, and what it was is kept at {self._aside.where}"
        except StateError as error:
            raise StateError(f"{self._backend.where} {error.message}") from None
        results, changed = change(before, document)
        if results != before or changed != document or warning:
            self._backend.write(encode_results(results, changed), expect=fingerprint(data))
        return warning

    def _set_aside(self, data: bytes) -> None:
        self._aside.lock()
        try:
            self._aside.write(data, expect=fingerprint(self._aside.read()))
        finally:
            self._aside.unlock()


def _not_remembered(what: str, reason: str) -> str:
    return f"{what} are not remembered: {reason}"


def _decoded(data: bytes | None) -> Stored:
    """The results and the document. Corrupt: a part of it is damaged."""
    if data is None:
        return {}, {}
    results, document = decode_results(data)
    decode_seen(document)
    return results, document
