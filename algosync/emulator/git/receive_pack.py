"""The server's side of a push. Refuses what the platform refuses: rewritten history, deleted default branches.

Own, not dulwich's: its handler takes every non-fast-forward and reports success where a ref could not be set.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from dulwich.errors import GitProtocolError
from dulwich.objects import ZERO_SHA, ObjectID, valid_hexsha
from dulwich.protocol import Protocol, extract_capabilities, pkt_line
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

from algosync.emulator.git import pack_limits
from algosync.emulator.git.ancestry import Ancestry
from algosync.emulator.git.connectivity import Connectivity
from algosync.emulator.git.repositories import MASTER

CAPABILITIES = b"report-status delete-refs side-band-64k ofs-delta object-format=sha1 agent=algosync-emulator"
LONGEST_REASON = 200
"""Characters of what a client is told of a broken pack."""

MOST_REFS = 10_000
"""In a push: as many as large projects have, so that all of one can be pushed at once."""

LONGEST_REF = 1024
"""Bytes of a name; a file system may take less."""

MOST_LEVELS = 16


@dataclass(frozen=True, slots=True)
class Update:
    """One ref that a client wants to move, and what came of it: `ok` or the reason why not."""

    ref: Ref
    old: ObjectID
    new: ObjectID
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """What came of a push: the refs that moved, and the report for the client, which is empty where it has asked for none.

    With a `side_band` the report is one channel of the answer, and there is room for remarks in another.
    """

    moved: tuple[Update, ...]
    report: bytes
    side_band: bool


def advertise(repository: Repo) -> bytes:
    """The refs as they are, with what this server can do."""
    lines = [sha + b" " + ref for ref, sha in sorted(repository.get_refs().items()) if ref.startswith(b"refs/")]
    first, *rest = lines
    return b"".join(pkt_line(line + b"\n") for line in [first + b"\0" + CAPABILITIES, *rest]) + pkt_line(None)


def receive(repository: Repo, request: BinaryIO) -> Push:
    """Take a push from the file `request`, unless it is beyond `pack_limits`, or moves more than `MOST_REFS`.

    Nobody else may move refs meanwhile. Raises `GitProtocolError` for what is no push.
    """
    protocol = Protocol(request.read, lambda _: None)
    commands, capabilities = _commands(protocol)
    try:
        refs = _unpacked(repository, request, commands)
    # A pack is hostile until it is in; whatever is wrong with it is told to the client, and no ref moves.
    except Exception as error:  # noqa: BLE001 - a pack is hostile until it is in
        unpacked = (str(error) or type(error).__name__).replace("\n", " ")[:LONGEST_REASON].encode()
        done = [replace(command, outcome="unpacker error") for command in commands]
    else:
        unpacked = b"ok"
        done = [replace(command, outcome=refs.outcome(command)) for command in commands]
    moved = tuple(update for update in done if update.outcome == "ok")
    report = _report(unpacked, done) if b"report-status" in capabilities else b""
    return Push(moved, report, b"side-band-64k" in capabilities)


def _unpacked(repository: Repo, request: BinaryIO, commands: list[Update]) -> "_Refs":
    """The refs, with the objects here that they are to be moved to. Raises whatever is wrong with these."""
    if len(commands) > MOST_REFS:
        raise pack_limits.PackError(f"more than {MOST_REFS} refs in a push")
    if any(command.new != ZERO_SHA for command in commands):
        pack_limits.check(request)
        repository.object_store.add_thin_pack(request.read, None)
    return _Refs(repository, (command.old for command in commands))


def _commands(protocol: Protocol) -> tuple[list[Update], list[bytes]]:
    """What is to be updated, up to one more than is done, and what the client can do."""
    commands: list[Update] = []
    capabilities: list[bytes] = []
    for line in itertools.islice(_lines(protocol), MOST_REFS + 1):
        if not commands:
            text, capabilities = _first(line)
        else:
            text = line
        parts = text.rstrip(b"\n").split(b" ")
        if len(parts) != 3 or not valid_hexsha(parts[0]) or not valid_hexsha(parts[1]):
            raise GitProtocolError("Malformed update of a ref")
        commands.append(Update(Ref(parts[2]), ObjectID(parts[0]), ObjectID(parts[1])))
    return commands, capabilities


def _first(line: bytes) -> tuple[bytes, list[bytes]]:
    """The first update, and what the client can do."""
    if line.count(b"\0") > 1:
        raise GitProtocolError("Malformed capabilities")
    return extract_capabilities(line)


def _lines(protocol: Protocol) -> Iterator[bytes]:
    """The lines up to the first flush; a shallow client names its borders first, which change nothing here."""
    while line := protocol.read_pkt_line():
        if not line.startswith(b"shallow "):
            yield line


class _Refs:
    """The refs of a repository while a push moves them. They are read once: nobody else moves any meanwhile."""

    def __init__(self, repository: Repo, olds: Iterable[ObjectID]) -> None:
        """`olds` are what a push is to move them from."""
        self._repository = repository
        self._now = repository.get_refs()
        tips = {sha for ref, sha in self._now.items() if ref.startswith(b"refs/")}
        self._connectivity = Connectivity(repository.object_store, tips)
        self._ancestry = Ancestry(self._connectivity.parents, olds)

    def outcome(self, update: Update) -> str:
        """What came of one update: `ok` or the reason in git's words."""
        try:
            outcome = self._apply(update)
        # A name that is too long, a folder of refs where a ref should be, a full disk. Refs before this one have moved already,
        # which the client has to be told, and their build has to start: so it does not matter what it is.
        except Exception:  # noqa: BLE001 - the refs before this one have moved, whatever it is
            return "failed to update ref"
        if outcome == "ok":
            self._now[update.ref] = update.new
        return outcome

    def _apply(self, update: Update) -> str:
        """Move one ref."""
        if not _is_good(update.ref):
            return "funny refname"
        if self._now.get(update.ref, ZERO_SHA) != update.old:
            return "fetch first"
        refs = self._repository.refs
        if update.new == ZERO_SHA:
            if update.ref == MASTER:
                return "deletion of the current branch prohibited"
            moved = refs.remove_if_equals(update.ref, update.old)
        else:
            if reason := self._objection(update):
                return reason
            expected = None if update.old == ZERO_SHA else update.old
            moved = refs.set_if_equals(update.ref, expected, update.new)
        return "ok" if moved else "failed to update ref"

    def _objection(self, update: Update) -> str:
        """Why a ref may not be set to a new value, or nothing."""
        if not self._connectivity.complete(update.new):
            return "missing necessary objects"
        if update.ref.startswith(b"refs/tags/"):
            return "" if update.old == ZERO_SHA else "already exists"
        if update.new not in self._connectivity.parents:
            return "cannot update a branch to what is no commit"
        if update.old != ZERO_SHA and not self._ancestry.descends(update.new, update.old):
            return "non-fast-forward"
        return ""


def _is_good(ref: Ref) -> bool:
    """Refs are files below folders, which not everything can walk that has ever more levels."""
    if len(ref) > LONGEST_REF or ref.count(b"/") > MOST_LEVELS:
        return False
    return ref.startswith((b"refs/heads/", b"refs/tags/")) and check_ref_format(ref)


def _report(unpacked: bytes, updates: list[Update]) -> bytes:
    lines = [b"unpack " + unpacked]
    for update in updates:
        verdict = b"ok " + update.ref if update.outcome == "ok" else b"ng " + update.ref + b" " + update.outcome.encode()
        lines.append(verdict)
    return b"".join(pkt_line(line + b"\n") for line in lines) + pkt_line(None)
