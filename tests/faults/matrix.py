"""The matrix: every kind of remote call that a reference apply makes, and everything that can go wrong with one.

`FAULT_MATRIX=all` in the environment asks for every cell; otherwise the rarer faults meet only a quarter of the calls each.

What has to come of a cell is data as well. A fault is of the kind `again` (no answer, or one that is none: the call is made again
and the run converges), `late` (it had its time: the run stops) or `final` (the run stops). A call says where it is an exception.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["CALLS", "CELLS", "FAULTS", "Call", "Cell"]

Rule = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Fault:
    """`then` as in a file of faults. `everywhere`: each call meets it; others meet a quarter of the calls."""

    then: Rule
    kind: str = "again"
    everywhere: bool = True
    times: int | str = 1


HTML = "<html><body>Sign in</body></html>"
OTHER = {"status": ["fine"]}
FAULTS: Mapping[str, Fault] = {
    "429, wait": Fault({"status": 429, "retry_after": "1"}),
    "500": Fault({"status": 500}),
    "done, then 504": Fault({"status": 504, "after": True}),
    "key expires": Fault({"expire_key": True}, "final"),
    "delay": Fault({"delay": 5}, "late"),
    "drip": Fault({"drip": 5}, "late"),
    "truncated": Fault({"truncate": 3}),
    "no length": Fault({"length": "missing"}),
    "length + 7": Fault({"length": 7}),
    "gzip, cut": Fault({"gzip": "truncated"}),
    "reset before": Fault({"reset": "before"}),
    "reset in body": Fault({"reset": "body"}),
    "reset after": Fault({"reset": "after"}),
    "502 in HTML": Fault({"status": 502, "body": HTML}, everywhere=False),
    "503": Fault({"status": 503}, everywhere=False),
    "stall": Fault({"stall": 3}, "late", everywhere=False),
    "gzip": Fault({"gzip": "whole"}, everywhere=False),
    "chunk cut": Fault({"chunked_cut": 3}, everywhere=False),
    "reset in request": Fault({"reset": "request"}, everywhere=False),
    "reset in headers": Fault({"reset": "headers"}, everywhere=False),
    "close before": Fault({"close": "before"}, everywhere=False),
    "close after": Fault({"close": "after"}, everywhere=False),
    "HTML": Fault({"body": HTML}, everywhere=False),
    "empty": Fault({"empty": True}, everywhere=False),
    "other shape": Fault({"shape": OTHER}, everywhere=False),
    "endless": Fault({"endless": True}, everywhere=False),
    "redirect": Fault({"redirect": "https://elsewhere.test/"}, "final", everywhere=False),
    "junk headers": Fault({"headers": 1000}, everywhere=False),
    "503 for ever": Fault({"status": 503}, "final", everywhere=False, times="always"),
    "gone for ever": Fault({"reset": "before"}, "final", everywhere=False, times="always"),
    "bit flipped": Fault({"corrupt": 150}, "final"),
    "listing stale": Fault({"listing": "stale", "reads": 1}),
    "listing loops": Fault({"listing": "loop"}, "final", times="always"),
    "build slow": Fault({"build": "slow", "seconds": 1}),
    "build fails": Fault({"build": "fail", "log": "no such package"}, "final"),
    "build never listed": Fault({"build": "never-listed"}),
}
_FAMILY = {"bit": "checked", "listing": "list", "build": "builds"}  # these are only for calls that say so


@dataclass(frozen=True, slots=True)
class Call:
    """`match` as in a file of faults, USER to be filled in. `code`: that of a run that cannot get past it.

    `also`: families of faults that only some calls have. `fine`, `stops`, `either`: where a fault's kind says something else, or
    where it is a matter of time. `first`: what has to go wrong before the call is made at all.
    """

    name: str
    match: str
    code: int
    source: bool = False
    nth: int = 1
    also: frozenset[str] = frozenset()
    fine: frozenset[str] = frozenset()
    stops: frozenset[str] = frozenset()
    either: frozenset[str] = frozenset()
    first: Sequence[Rule] = ()

    def ends(self, fault: str) -> frozenset[int]:
        """The exit codes that are right."""
        if fault in self.either:
            return frozenset((0, self.code))
        if fault in self.fine or (FAULTS[fault].kind == "again" and fault not in self.stops):
            return frozenset((0,))
        # One key does everything: without it, what runs at the same time may have written or not.
        return frozenset((1, 4)) if fault == "key expires" and self.code == 4 else frozenset((self.code,))


_set = frozenset
_PUSH = "POST /git/USER/Base.git/git-receive-pack"
_LISTED = _set(("list",))
_CHECKED = _set(("checked",))
# The write was done before its answer came too late, and it is looked at before it would be done again.
_SEEN = _set(("drip", "stall"))
# A test's answer that is none may be the algorithm's, and is not asked for twice.
_ANSWERED = _set(("500", "502 in HTML", "done, then 504", "gzip", "gzip, cut", "HTML", "empty", "other shape", "endless"))
_UNDONE = _set(("HTML", "empty", "other shape"))
# Somebody else may ask for the same archive once more.
_ASKED_TWICE = _set(("delay", "drip", "stall", "redirect", "bit flipped"))

CALLS = (
    Call("list the source", "GET /v1/data/.my/models", 1, source=True, also=_LISTED),
    Call("download an archive", "GET /v1/data/.my/code/*", 1, source=True, also=_CHECKED, either=_ASKED_TWICE),
    # What a flipped bit makes of a data file is a data file: the platform has no checksums.
    Call("download a file", "GET /v1/data/.my/models/big.bin", 4, source=True),
    Call("owners", "GET /v1/data/", 1, also=_LISTED),
    Call("languages", "GET /v1/algorithm-environments/edge/languages", 1),
    Call("environments", "GET /v1/algorithm-environments/edge/languages/*/environments", 1),
    Call("read an algorithm", "GET /v1/algorithms/USER/Top", 1),
    Call("create an algorithm", "POST /v1/algorithms/USER", 4, fine=_SEEN, stops=_set(("other shape",))),
    Call("update an algorithm", "PUT /v1/algorithms/USER/Top", 4, stops=_set(("other shape",))),
    Call("list the destination", "GET /v1/data/USER/Base", 1),
    # An empty collection's listing is two bytes long: nothing to drip for long.
    Call("list before uploads", "GET /v1/data/USER/Base", 4, nth=2, also=_LISTED, fine=_set(("drip",))),
    Call("list after uploads", "GET /v1/data/USER/Base", 4, nth=3, also=_LISTED),
    Call("create a collection", "POST /v1/data/USER", 4, fine=_SEEN, stops=_UNDONE - {"HTML"}),
    Call("upload", "PUT /v1/data/USER/Base/big.bin", 4, stops=_UNDONE),
    Call("read back", "GET /v1/data/USER/Base/big.bin", 4, also=_CHECKED),
    Call("refs to fetch", "GET /git/USER/Top.git/info/refs?service=git-upload-pack", 1),
    # What a server refuses it is asked for in another way; a bit may be flipped in what it only tells people.
    Call(
        "fetch",
        "POST /git/USER/Top.git/git-upload-pack",
        1,
        also=_CHECKED,
        fine=_set(("redirect",)),
        either=_set(("bit flipped",)),
    ),
    Call("refs to push", "GET /git/USER/Base.git/info/refs?service=git-receive-pack", 4),
    Call("push", _PUSH, 4, also=_set(("builds",)), fine=_SEEN),
    Call("builds", "GET /v1/algorithms/USER/Base/builds", 4, also=_LISTED, fine=_set(("listing loops",))),
    Call(
        "log of a build",
        "GET /v1/algorithms/USER/Base/builds/*/logs",
        4,
        stops=_set(FAULTS),
        first=({"match": _PUSH, "then": FAULTS["build fails"].then},),
    ),
    Call(
        "compile",
        "POST /v1/algorithms/USER/Base/compile",
        4,
        also=_set(("builds",)),
        fine=_SEEN | _set(("delay",)),  # what nobody heard in time is asked for again
        first=({"match": _PUSH, "then": FAULTS["build never listed"].then},),
    ),
    Call("read versions", "GET /v1/algorithms/USER/Top/versions", 1),
    Call("publish", "POST /v1/algorithms/USER/Base/versions", 4, fine=_SEEN),
    Call("call by hash", "POST /v1/algo/USER/Base/*", 4, stops=_ANSWERED),
    Call("call by version", "POST /v1/algo/USER/Top/0.1.0", 3, stops=_ANSWERED),
)


@dataclass(frozen=True, slots=True)
class Cell:
    call: Call
    name: str

    def __str__(self) -> str:
        return f"{self.call.name}, {self.name}"

    @property
    def fault(self) -> Fault:
        return FAULTS[self.name]

    def rules(self, user: str) -> tuple[Sequence[Rule], Sequence[Rule]]:
        """The faults of the source and of the destination."""
        rule: dict[str, object] = {"match": self.call.match, "nth": self.call.nth, "then": self.fault.then}
        if self.fault.times != 1:
            rule["times"] = self.fault.times
        source = (rule,) if self.call.source else ()
        destination = self.call.first if self.call.source else (*self.call.first, rule)
        return source, tuple({**each, "match": str(each["match"]).replace("USER", user)} for each in destination)


def _cells(*, every: bool) -> Iterator[Cell]:
    for row, call in enumerate(CALLS):
        for column, (name, fault) in enumerate(FAULTS.items()):
            family = _FAMILY.get(name.partition(" ")[0])
            if family is not None and family not in call.also:
                continue
            if name == "reset in request" and call.match.startswith("GET "):
                continue  # it has no body, so that this is a reset before
            if name == "listing stale" and call.nth == 1 and call.name != "builds":
                continue  # nothing was written before
            if every or fault.everywhere or (row + column) % 4 == 0 or (not call.match.startswith("GET ") and name in _UNDONE):
                yield Cell(call, name)


CELLS = tuple(_cells(every=os.environ.get("FAULT_MATRIX") == "all"))
