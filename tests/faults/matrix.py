"""The matrix: every kind of remote call of a reference apply and of its deletions, and every fault that can happen to one.

With `FAULT_MATRIX=all` in the environment every cell runs. Otherwise a common fault runs for every write and for a third of the
reads, a rarer one for a quarter of the writes and an eighth of the reads, and each fault for few calls of a deletion: reads have
one way through the client, so a fault that breaks one breaks its neighbours as well.

The expected outcome of a cell is data as well. A fault is of the kind `again` (no reply, or an invalid one: the call is repeated
and the run converges), `late` (the deadline has passed: the run stops) or `final` (the run stops). A call lists its exceptions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["CALLS", "CELLS", "DELETIONS", "FAULTS", "Call", "Cell"]

Rule = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Fault:
    """`then` as in a faults file. `everywhere`: a common fault; the others are rarer."""

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
    "interim": Fault({"interim": 103}, everywhere=False),
    "HTTP/1.0": Fault({"version": "1.0"}, everywhere=False),
    "archive stored as gzip": Fault({"gzip": "stored"}),
    "passing 400": Fault({"status": 400}),
    "build slow": Fault({"build": "slow", "seconds": 1}),
    "build fails": Fault({"build": "fail", "log": "no such package"}, "final"),
    "build never listed": Fault({"build": "never-listed"}),
}
_FAMILY = {"bit": "checked", "listing": "list", "build": "builds", "archive": "archive", "passing": "passing"}
"""Families of faults, by the first word of a fault. Only calls that list a family have its faults."""


@dataclass(frozen=True, slots=True)
class Call:
    """`match` as in a faults file, with USER as a placeholder. `code` is the exit code of a run that cannot get past the call.

    `also`: families of faults that only some calls have. `fine`, `stops`, `either`: exceptions from the kind of a fault; `either`
    if it depends on timing. `first`: the fault that makes the call happen at all. `command`: the arguments of the run.
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
    command: Sequence[str] = ("apply",)

    def ends(self, fault: str) -> frozenset[int]:
        """Return the accepted exit codes."""
        if fault in self.either:
            return frozenset((0, self.code))
        if fault in self.fine or (FAULTS[fault].kind == "again" and fault not in self.stops):
            return frozenset((0,))
        if "/v1/algo/" in self.match:  # a test that fails, or that cannot be carried out
            return frozenset((3, 4)) if fault != "key expires" else frozenset((1, 3, 4))
        # All requests use the same key: when it expires, concurrent requests may have written or not.
        return frozenset((1, 4)) if fault == "key expires" and self.code == 4 else frozenset((self.code,))


_set = frozenset
_PUSH = "POST /git/USER/Base.git/git-receive-pack"
_LISTED = _set(("list",))
_CHECKED = _set(("checked",))
# The write took effect before its reply came too late, and the client looks before it would repeat it.
_SEEN = _set(("drip", "stall"))
# An invalid reply to a test may come from the algorithm, so the test is not repeated.
_ANSWERED = _set(("500", "502 in HTML", "done, then 504", "gzip", "gzip, cut", "HTML", "empty", "other shape", "endless"))
_UNDONE = _set(("HTML", "empty", "other shape"))
# Another part of the run may read the same archive once more.
_ASKED_TWICE = _set(("delay", "drip", "stall", "redirect", "bit flipped"))

CALLS = (
    Call("list the source", "GET /v1/data/.my/models", 1, source=True, also=_LISTED),
    Call("download an archive", "GET /v1/data/.my/code/*", 1, source=True, also=_CHECKED | {"archive"}, either=_ASKED_TWICE),
    # A data file with a flipped bit is a valid data file: the platform has no checksums.
    Call("download a file", "GET /v1/data/.my/models/big.bin", 4, source=True),
    Call("owners", "GET /v1/data/", 1, also=_LISTED),
    Call("languages", "GET /v1/algorithm-environments/edge/languages", 1),
    Call("environments", "GET /v1/algorithm-environments/edge/languages/*/environments", 1),
    Call("read an algorithm", "GET /v1/algorithms/USER/Top", 1),
    Call("create an algorithm", "POST /v1/algorithms/USER", 4, fine=_SEEN, stops=_set(("other shape",))),
    Call("update an algorithm", "PUT /v1/algorithms/USER/Top", 4, stops=_set(("other shape",))),
    # The reply has no body: too short for a slow reply. What was not done is seen in the listing that is read afterwards.
    Call("change an ACL", "PATCH /v1/data/USER/Top", 4, fine=_set(("drip",)), stops=_UNDONE - {"HTML"}),
    Call("list the destination", "GET /v1/data/USER/Base", 1),
    # The listing of an empty collection is two bytes long: too short for a slow reply.
    Call("list before uploads", "GET /v1/data/USER/Base", 4, nth=2, also=_LISTED, fine=_set(("drip",))),
    Call("list after uploads", "GET /v1/data/USER/Base", 4, nth=3, also=_LISTED),
    Call("create a collection", "POST /v1/data/USER", 4, fine=_SEEN, stops=_UNDONE - {"HTML"}),
    Call("upload", "PUT /v1/data/USER/Base/big.bin", 4, stops=_UNDONE),
    Call("read back", "GET /v1/data/USER/Base/big.bin", 4, also=_CHECKED),
    Call("refs to fetch", "GET /git/USER/Top.git/info/refs?service=git-upload-pack", 1),
    # After a refusal the client asks in another way. A flipped bit may be in text for people.
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
        fine=_SEEN | _set(("delay",)),  # requests that timed out are repeated
        first=({"match": _PUSH, "then": FAULTS["build never listed"].then},),
    ),
    Call("read versions", "GET /v1/algorithms/USER/Top/versions", 1),
    Call("publish", "POST /v1/algorithms/USER/Base/versions", 4, also=_set(("passing",)), fine=_SEEN),
    Call("call by hash", "POST /v1/algo/USER/Base/*", 4, stops=_ANSWERED),
    Call("call of the workflow's test", "POST /v1/algo/USER/Top/*", 4, nth=2, stops=_ANSWERED),
)


def _deletions(*command: str) -> Iterator[Call]:
    def call(what: str, match: str, nth: int = 1, also: frozenset[str] = _set(), fine: frozenset[str] = _set()) -> Call:
        return Call(f"{' '.join(command)}: {what}", match, 4, nth=nth, also=also, fine=fine, command=command)

    # The reply has no body: too short for a slow reply.
    yield call("delete an algorithm", "DELETE /v1/algorithms/USER/Base", fine=_set(("drip",)))
    yield call("delete a file", "DELETE /v1/data/USER/Base/small.bin")
    yield call("delete a collection", "DELETE /v1/data/USER/Base")
    if command != ("destroy",):  # the same reads
        return
    yield call("refs before a deletion", "GET /git/USER/Base.git/info/refs?service=git-upload-pack", 2)
    yield call("versions before a deletion", "GET /v1/algorithms/USER/Base/versions", 2)
    yield call("list before deletions", "GET /v1/data/USER/Base", 2, also=_LISTED)
    # The listing of an empty collection is two bytes long: too short for a slow reply.
    yield call("list after deletions", "GET /v1/data/USER/Base", 3, also=_LISTED, fine=_set(("drip",)))


DELETIONS = (*_deletions("destroy"), *_deletions("apply", "--prune"))


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
        """Return the faults of the source and of the destination."""
        # A stale listing counts from the first write on. The listing of the plan, which is always the first one, comes before it.
        nth = max(self.call.nth - 1, 1) if self.name == "listing stale" else self.call.nth
        rule: dict[str, object] = {"match": self.call.match, "nth": nth, "then": self.fault.then}
        if self.fault.times != 1:
            rule["times"] = self.fault.times
        source = (rule,) if self.call.source else ()
        destination = self.call.first if self.call.source else (*self.call.first, rule)
        return source, tuple({**each, "match": str(each["match"]).replace("USER", user)} for each in destination)


def _cells(*, every: bool) -> Iterator[Cell]:
    for row, call in enumerate((*CALLS, *DELETIONS)):
        for column, name in enumerate(FAULTS):
            family = _FAMILY.get(name.partition(" ")[0])
            if family is not None and family not in call.also:
                continue
            if name == "reset in request" and call.match.startswith("GET "):
                continue  # without a body this equals a reset before it
            if name == "listing stale" and call.nth == 1 and call.name != "builds":
                continue  # nothing was written before
            if every or _is_chosen(call, name, row + column):
                yield Cell(call, name)


def _is_chosen(call: Call, name: str, number: int) -> bool:
    is_read = call.match.startswith("GET ")
    if (not is_read and name in _UNDONE) or name.partition(" ")[0] in _FAMILY:
        return True
    if call in DELETIONS:
        return number % (10 if is_read else 5) == 0
    common, rare = (3, 8) if is_read else (1, 4)
    return number % (common if FAULTS[name].everywhere else rare) == 0


CELLS = tuple(_cells(every=os.environ.get("FAULT_MATRIX") == "all"))
