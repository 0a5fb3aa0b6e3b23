"""Check of the state: whether it can be read, whether it is damaged, and who works on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.doctor.examination import finding
from algosync.core.diagnosis import Diagnosis
from algosync.core.error import StateError
from algosync.core.text import plural, printable

if TYPE_CHECKING:
    from algosync.cli.doctor.examination import Examination
    from algosync.cli.state_place import StateKey

__all__ = ["check_writable", "state"]

_NO_STATE = "algosync-doctor"  # the name of a state that nobody has


def state(examination: Examination) -> Iterator[Diagnosis]:
    """The place of states can be read and, if it is a folder, written. The workflow's state is not damaged, and not locked."""
    from algosync.state import parse_address

    options = examination.options
    create = parse_address(options.state)
    folder = Path(options.state.removeprefix("file://")) if options.state.partition("://")[0] in (options.state, "file") else None
    if folder is not None:
        check_writable(folder)
    key = _key(examination)
    if key is None:
        create(_NO_STATE, "algosync doctor").read()
        yield finding(
            "ok", f"the states at {printable(options.state, 200)} can be read; which state it is needs a workflow and a destination"
        )
        return
    yield from _examined(examination, key)


def _examined(examination: Examination, key: StateKey) -> Iterator[Diagnosis]:
    from algosync.cli.state_place import state_found, state_opened
    from algosync.state import parse_address

    options, terminal = examination.options, examination.terminal
    with state_opened(options, terminal, key, "algosync doctor", writes=False) as (session, results):
        count = plural(len(session.records), "record")
        yield finding(
            "ok", f"{printable(session.where)}: {count}, serial {session.serial}" if session.lineage else "nothing is recorded yet"
        )
        _, warning = results.read()
    if warning:
        yield finding("note", warning)
    with state_found(options, terminal, key, writes=False, command="algosync doctor") as name:
        holder = parse_address(options.state)(name, "algosync doctor").seen_holder()
    if holder is not None:
        yield finding("note", f"{holder} is working on it", "wait for it, or give the next command --lock-timeout SECONDS")


def _key(examination: Examination) -> StateKey | None:
    """What the workflow's state is known by. None: there is no workflow, or the destination has not told the owner."""
    from algosync.cli.session import owner_of
    from algosync.cli.state_place import NamedDestination, StateKey

    site, workflow = examination.sites.get("DESTINATION"), examination.workflow
    if workflow is None or site is None or site.cluster is None:
        return None
    return StateKey(workflow.name, owner_of(workflow, site.owners), NamedDestination.of(site.label, site.cluster))


def check_writable(folder: Path) -> None:
    """StateError: an apply could not write there. Looks at permissions only, because a check writes nothing."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise StateError(
            f"{printable(str(there))} cannot be written", hint="give this user the right to write it, or use another --state"
        )
