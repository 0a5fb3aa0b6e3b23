"""Results document: the second document of a state. It remembers what changes no record: results of tests, and the history.

It has its own lock and its own comparison before it is written. So it neither changes the state's serial nor waits for an apply.
It records no resources: a damaged one is set aside, and it can be deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

from algosync.core.error import Corrupt, LockHeld, Stale, StateError
from algosync.core.resource import Json
from algosync.core.results.document import decode_document, encode_document
from algosync.state.backend import Backend, fingerprint

__all__ = ["Change", "ResultsDocument", "copied", "results_name"]

_WAIT, _POLL = 10.0, 0.02  # seconds

Change: TypeAlias = Callable[[Mapping[str, Json]], Mapping[str, Json]]
"""The document after a change of one section, from the one before. Corrupt: the section is damaged."""


def results_name(state: str) -> str:
    """The name of the document beside a state. `state`: see `state_name`."""
    return f"{state}.results"


class ResultsDocument:
    """The document beside one state.

    `create`: creates the backend of a name, at the address of the state. `state`: the name of the state, see `state_name`.
    """

    def __init__(self, create: Callable[[str], Backend], state: str) -> None:
        self._backend = create(results_name(state))
        self._aside = create(f"{state}.results.damaged")

    @property
    def where(self) -> str:
        """The place of the document, for messages."""
        return self._backend.where

    def read(self) -> Mapping[str, Json]:
        """The document, without a lock; empty: there is none. StateError: it cannot be read."""
        data = self._backend.read()
        try:
            return _decoded(data)
        except StateError as error:
            raise StateError(f"{self.where} {error.message}") from None

    def update(self, section: str, change: Change) -> str:
        """Changes one section durably. The others stay. Returns a warning, or an empty text. StateError: it cannot be written.

        A damaged document, or a damaged section, is written anew, and the document before is kept. `change` may be called again, if
        another command has changed the document meanwhile.
        """
        return self.update_all({section: change})

    def update_all(self, changes: Mapping[str, Change]) -> str:
        """Like `update` for several sections, in one write. The changes are made in their order."""
        deadline = time.monotonic() + _WAIT
        while True:
            try:
                return self._update(changes)
            except (LockHeld, Stale):  # another command changes its own section
                if time.monotonic() >= deadline:
                    raise
            time.sleep(_POLL)

    def _update(self, changes: Mapping[str, Change]) -> str:
        self._backend.lock()
        try:
            return self._write(changes)
        finally:
            self._backend.unlock()

    def _write(self, changes: Mapping[str, Change]) -> str:
        data = self._backend.read()
        try:
            before, after, damages = _changed(data, changes)
        except StateError as error:
            raise StateError(f"{self.where} {error.message}") from None
        warning = ""
        if damages:
            self._set_aside(data or b"")
            warning = f"{self.where} {'; '.join(damages)}; it is written anew, and what it was is kept at {self._aside.where}"
        if after != before or warning:
            self._backend.write(encode_document(after), expect=fingerprint(data))
        return warning

    def _set_aside(self, data: bytes) -> None:
        self._aside.lock()
        try:
            self._aside.write(data, expect=fingerprint(self._aside.read()))
        finally:
            self._aside.unlock()


def copied(old: ResultsDocument, new: ResultsDocument) -> str:
    """Copies all sections. Returns a warning, or an empty text."""
    try:
        sections = {name: value for name, value in old.read().items() if name != "format_version"}
        warning = new.update("", lambda before: {**before, **sections}) if sections else ""
    except StateError as error:
        return f"the results of the tests and the history are not kept: {error.message}"
    return warning


def _changed(data: bytes | None, changes: Mapping[str, Change]) -> tuple[Mapping[str, Json], Mapping[str, Json], list[str]]:
    """The document before and after the changes, and how it is damaged. A damaged section is left out before it is changed."""
    before: Mapping[str, Json] = {}
    damages: list[str] = []
    try:
        before = _decoded(data)
    except Corrupt as error:
        damages.append(error.message)
    after = before
    for section, change in changes.items():
        try:
            after = change(after)
        except Corrupt as error:
            damages.append(error.message)
            after = change({name: value for name, value in after.items() if name != section})
    return before, after, damages


def _decoded(data: bytes | None) -> Mapping[str, Json]:
    return {} if data is None else decode_document(data)
