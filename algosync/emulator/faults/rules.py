"""The file of faults: rules that tell which requests get which fault.

It holds a list of entries `{"match": "METHOD /path-glob?query-glob", "nth": 1, "times": 1, "then": {…}}`. An unknown key, a wrong
type or an invalid combination is an error that names the entry.
"""

import dataclasses
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from starlette.types import Scope

from algosync.emulator.faults.exchange import InjectedFault
from algosync.emulator.faults.kinds import KINDS
from algosync.emulator.faults.previous_records import RECORDS, reads_records
from algosync.emulator.faults.setting_checks import FaultError, check_integer

MAX_SIZE = 1024 * 1024
MATCH = re.compile(r"(\*|[A-Z]+) ([*/][!->@-~]*)(?:\?([!-~]*))?")
ENTRY = {"match", "nth", "times", "then"}
ALWAYS = 2**62


@dataclass(slots=True)
class Rule:
    """One entry of the file. `seen` counts the matching requests."""

    kind: str
    fault: InjectedFault
    method: str
    path: re.Pattern[str]
    query: re.Pattern[str] | None
    nth: int
    times: int
    seen: int = 0

    def matches(self, scope: Scope) -> bool:
        """Whether a request matches by its method and its percent-encoded path and query."""
        if self.method not in ("*", scope["method"]):
            return False
        if not self.path.fullmatch(scope["raw_path"].decode("latin-1")):
            return False
        if self.fault.needs_previous_records and not reads_records(scope["method"], scope["raw_path"]):
            return False
        return self.query is None or bool(self.query.fullmatch(scope["query_string"].decode("latin-1")))

    def due(self) -> bool:
        """Count a matching request. Returns whether the fault applies to it."""
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


class FaultFile:
    """The file of faults. It is read again when it has changed; `changed` is called then, and all counts restart."""

    def __init__(self, path: Path, changed: Callable[[], None] = lambda: None) -> None:
        self._path = path
        self._changed = changed
        self._seen: tuple[int, int, int] | None = None
        self._rules: list[Rule] | None = None

    def rules(self) -> list[Rule]:
        """The rules of the file. Raises `FaultError` if it is missing or invalid: a test must not run without its faults."""
        try:
            found = os.stat(self._path)
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen != self._seen:
                self._seen, self._rules = seen, None
                self._changed()
            if self._rules is None:
                self._rules = parse(self._path.read_bytes())
        except OSError as error:
            self._seen = None
            raise FaultError(f"{self._path}: {error.strerror}") from None
        except FaultError as error:
            raise FaultError(f"{self._path}: {error}") from None
        return self._rules


def parse(data: bytes) -> list[Rule]:
    """The rules of a file's content. Raises `FaultError`."""
    if len(data) > MAX_SIZE:
        raise FaultError(f"it is larger than {MAX_SIZE} bytes")
    try:
        document = json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FaultError(f"it is not JSON: {error}") from None
    entries = document["faults"] if isinstance(document, dict) and set(document) == {"faults"} else document
    if not isinstance(entries, list):
        raise FaultError('it is neither a list of entries nor {"faults": [...]}')
    rules = []
    for index, entry in enumerate(entries, 1):
        try:
            rules.append(_rule(entry))
        except FaultError as error:
            raise FaultError(f"entry {index}: {error}") from None
    return rules


def _rule(entry: object) -> Rule:
    if not isinstance(entry, dict):
        raise FaultError("it is not an object")
    if unknown := sorted(set(entry) - ENTRY):
        raise FaultError(f"unknown: {', '.join(unknown)}")
    if missing := sorted({"match", "then"} - set(entry)):
        raise FaultError(f"missing: {', '.join(missing)}")
    match = MATCH.fullmatch(entry["match"]) if isinstance(entry["match"], str) else None
    if match is None:
        raise FaultError("match is not METHOD /path or METHOD /path?query, escaped as in a URL")
    kind, fault = _fault(entry["then"])
    times = ALWAYS if entry.get("times") == "always" else check_integer("times", entry.get("times", 1), 1, ALWAYS)
    if fault.repetitions is not None:
        if "times" in entry:
            raise FaultError("times cannot be combined with reads, which has the same meaning")
        times = fault.repetitions
    nth = check_integer("nth", entry.get("nth", 1), 1, ALWAYS)
    method, path, query = match.groups()
    if fault.needs_previous_records and method not in ("*", *RECORDS):
        raise FaultError(f"a stale listing can match {' and '.join(RECORDS)} only")
    return Rule(kind, fault, method, _glob(path), None if query is None else _glob(query), nth, times)


def _fault(then: object) -> tuple[str, InjectedFault]:
    """The kind of fault that has all these settings, and the fault."""
    if not isinstance(then, dict):
        raise FaultError("then is not an object")
    named = [name for name in KINDS if name in then]
    if not named:
        raise FaultError(f"then does not name a kind of fault: {', '.join(KINDS)}")
    fitting = [name for name in named if set(then) <= {each.name for each in dataclasses.fields(KINDS[name])}]
    if not fitting:
        raise FaultError(f"then combines settings of different kinds of faults: {', '.join(then)}")
    (kind,) = fitting
    return kind, KINDS[kind](**then)


def _glob(pattern: str) -> re.Pattern[str]:
    """`*` matches any text, every other character itself."""
    return re.compile(".*".join(map(re.escape, re.split(r"\*+", pattern))), re.DOTALL)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise FaultError("an object has the same key twice")
    return found


def _refuse_constant(constant: str) -> NoReturn:
    raise FaultError(f"{constant} is not JSON")
