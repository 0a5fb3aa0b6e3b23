"""The server's side of a push. As on the platform, it refuses non-fast-forwards and the deletion of the default branch.

dulwich's own handler accepts every non-fast-forward, and reports success for refs that it could not set.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from dulwich.errors import GitProtocolError
from dulwich.objects import ZERO_SHA, ObjectID, valid_hexsha
from dulwich.protocol import Protocol, extract_capabilities, pkt_line
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

from algosync.emulator.disk_space import is_full
from algosync.emulator.git import pack_limits
from algosync.emulator.git.connectivity import Connectivity
from algosync.emulator.git.repositories import MASTER

CAPABILITIES = b"report-status delete-refs side-band-64k ofs-delta object-format=sha1 agent=algosync-emulator"
LONGEST_REASON = 200
"""Maximum length of the error message for a broken pack."""

MAX_REFS = 10_000
"""Maximum number of refs in one push: as many as all refs of a large project."""

LONGEST_REF = 1024
"""Maximum length of a ref's name in bytes. A file system may allow less."""

MAX_LEVELS = 16
"""Maximum number of slashes in a ref's name."""


@dataclass(frozen=True, slots=True)
class Update:
    """A requested change of one ref, and its outcome: `ok` or the reason of the refusal."""

    ref: Ref
    old: ObjectID
    new: ObjectID
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """The outcome of a push: the updated refs, and the report for the client, empty if the client wants none.

    With a `side_band`, the reply has channels for the report and for remarks.
    """

    moved: tuple[Update, ...]
    report: bytes
    side_band: bool


def advertise(repository: Repo) -> bytes:
    """The refs and the capabilities of this server, as the reply to a client that begins a push."""
    lines = [sha + b" " + ref for ref, sha in sorted(repository.get_refs().items()) if ref.startswith(b"refs/")]
    first, *rest = lines
    return b"".join(pkt_line(line + b"\n") for line in [first + b"\0" + CAPABILITIES, *rest]) + pkt_line(None)


def receive(repository: Repo, request: BinaryIO) -> Push:
    """Perform the push in the file `request`, within `pack_limits` and `MAX_REFS`.

    The caller ensures that no other push changes refs meanwhile. Raises `GitProtocolError` for a malformed request.
    """
    protocol = Protocol(request.read, lambda _: None)
    commands, capabilities = _commands(protocol)
    try:
        refs = _unpacked(repository, request, commands)
    except Exception as error:  # noqa: BLE001 - parsing a hostile pack can fail in any way; no ref changes then
        unpacked = (str(error) or type(error).__name__).replace("\n", " ")[:LONGEST_REASON].encode()
        done = [replace(command, outcome="unpacker error") for command in commands]
    else:
        unpacked = b"ok"
        done = [replace(command, outcome=refs.outcome(command)) for command in commands]
    moved = tuple(update for update in done if update.outcome == "ok")
    report = _report(unpacked, done) if b"report-status" in capabilities else b""
    return Push(moved, report, b"side-band-64k" in capabilities)


def _unpacked(repository: Repo, request: BinaryIO, commands: list[Update]) -> "_Refs":
    """Store the objects of the push. Raises any exception for a pack that is refused or broken."""
    if len(commands) > MAX_REFS:
        raise pack_limits.PackError(f"more than {MAX_REFS} refs in a push")
    if any(command.new != ZERO_SHA for command in commands):
        pack_limits.check(request)
        repository.object_store.add_thin_pack(request.read, None)
    return _Refs(repository)


def _commands(protocol: Protocol) -> tuple[list[Update], list[bytes]]:
    """The requested updates, at most `MAX_REFS` + 1, and the client's capabilities."""
    commands: list[Update] = []
    capabilities: list[bytes] = []
    for line in itertools.islice(_lines(protocol), MAX_REFS + 1):
        if not commands:
            if line.count(b"\0") > 1:
                raise GitProtocolError("Malformed capabilities")
            text, capabilities = extract_capabilities(line)
        parts = (text if not commands else line).rstrip(b"\n").split(b" ")
        if len(parts) != 3 or not valid_hexsha(parts[0]) or not valid_hexsha(parts[1]):
            raise GitProtocolError("Malformed update of a ref")
        commands.append(Update(Ref(parts[2]), ObjectID(parts[0]), ObjectID(parts[1])))
    return commands, capabilities


def _lines(protocol: Protocol) -> Iterator[bytes]:
    """The lines up to the first flush packet, without those of a shallow clone, which do not matter here."""
    while line := protocol.read_pkt_line():
        if not line.startswith(b"shallow "):
            yield line


class _Refs:
    """The refs of a repository during a push. They are read once, since no other push changes them meanwhile."""

    def __init__(self, repository: Repo) -> None:
        self._repository = repository
        self._now = repository.get_refs()
        tips = {sha for ref, sha in self._now.items() if ref.startswith(b"refs/")}
        self._connectivity = Connectivity(repository.object_store, tips)

    def outcome(self, update: Update) -> str:
        """Perform one update. Returns `ok` or the reason of the refusal in git's words."""
        try:
            outcome = self._apply(update)
        # For instance the name is too long, or the disk is full. Earlier refs have changed already: the client must be told, and
        # their builds must start.
        except Exception as error:  # noqa: BLE001 - no failure may hide the updates of earlier refs
            return "there is no room left on the disk" if is_full(error) else "failed to update ref"
        if outcome == "ok":
            self._now[update.ref] = update.new
        return outcome

    def _apply(self, update: Update) -> str:
        """Change one ref."""
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
        """The reason why a ref may not be set to a new value; empty if it may."""
        if not self._connectivity.complete(update.new):
            return "missing necessary objects"
        if update.ref.startswith(b"refs/tags/"):
            return "" if update.old == ZERO_SHA else "already exists"
        if update.new not in self._connectivity.parents:
            return "cannot update a branch to a non-commit object"
        if update.old != ZERO_SHA and not self._connectivity.descends(update.new, update.old):
            return "non-fast-forward"
        return ""


def _is_good(ref: Ref) -> bool:
    """Whether a ref is a branch or tag with a valid name. Refs are files, so the depth of their folders is limited."""
    if len(ref) > LONGEST_REF or ref.count(b"/") > MAX_LEVELS:
        return False
    return ref.startswith((b"refs/heads/", b"refs/tags/")) and check_ref_format(ref)


def _report(unpacked: bytes, updates: list[Update]) -> bytes:
    lines = [b"unpack " + unpacked]
    for update in updates:
        verdict = b"ok " + update.ref if update.outcome == "ok" else b"ng " + update.ref + b" " + update.outcome.encode()
        lines.append(verdict)
    return b"".join(pkt_line(line + b"\n") for line in lines) + pkt_line(None)
