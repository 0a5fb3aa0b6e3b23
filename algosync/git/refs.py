"""The branches of a repository, as a git server lists them in protocol version 0 (gitprotocol-http).

Read without dulwich: a plan asks for nothing else of a repository, and importing and running dulwich for it takes longer than the
request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from algosync.core.error import NotFound, SourceError, Unexpected, Unreachable
from algosync.core.lean import dataclass
from algosync.core.text import printable, size
from algosync.net.host import content_codings

if TYPE_CHECKING:
    from algosync.core.credential import Credential
    from algosync.net import CompleteReply, Host

__all__ = ["AGENT", "LIST_LIMIT", "Refs", "ask_refs", "default_branch"]

AGENT = {"User-Agent": "git/algosync"}
"""Servers recognize git clients by this prefix."""

LIST_LIMIT = 16 << 20  # bytes
_LIST = "/info/refs?service=git-upload-pack"
_TYPE = "application/x-git-upload-pack-advertisement"
_BRANCH = re.compile(rb"refs/heads/[^\0- \x7f~^:?*\[\\]+")
_MASTER = b"refs/heads/master"  # the branch of the platform's own repositories (PLATFORM.md §5)
_ID = re.compile(rb"[0-9a-f]{40}")
_NO_REFS = b"capabilities^{}"


@dataclass(frozen=True, slots=True)
class Refs:
    """The default branch (a full ref name) and its head commit; None if it has no commit yet."""

    branch: bytes
    head: str | None


def ask_refs(url: str, user: str, credential: Credential, host: Host) -> Refs:
    """Ask for the branches of the repository at `url`. Raises ClusterErrors, and SourceError if there are too many."""
    headers = {**AGENT, "Accept": "*/*", "Authorization": credential.basic(user)}
    try:
        reply = host.answer("GET", url.removeprefix(host.url) + _LIST, headers)
    except Unexpected as error:
        if error.status == 404:  # git servers send any 404 body; only the platform's API has a documented one
            raise NotFound(error.message, status=404, hint=error.hint) from None
        if error.status == 200:
            raise _too_long(url) from None
        raise
    _require_list(reply, url)
    try:
        return _refs(reply.body)
    except (LookupError, ValueError) as error:
        raise Unexpected(f"the git server sent an invalid reply: {printable(str(error), 200)}") from error


def _require_list(reply: CompleteReply, url: str) -> None:
    kind = reply.headers.get("Content-Type", "no content type")
    if kind.partition(";")[0] != _TYPE:
        raise Unexpected(f"{url} is not a git server: it answers with {printable(kind, 80)}", status=reply.status)
    if content_codings(reply.headers):
        raise Unexpected(f"{url} sends encoded replies, which were not requested", status=reply.status)
    if len(reply.body) > LIST_LIMIT:
        raise _too_long(url)


def _too_long(url: str) -> SourceError:
    return SourceError(f"{url} sends more than {size(LIST_LIMIT)}")


def _refs(body: bytes) -> Refs:
    """Raises ValueError or LookupError if it is no list of branches, Unreachable if its end is missing."""
    packets = _packets(body)
    if (service := list(_until_flush(packets))) != [b"# service=git-upload-pack"]:
        raise ValueError(f"it begins with {service[:1]}")
    ids: dict[bytes, bytes] = {}
    capabilities: list[bytes] = []
    for packet in _until_flush(packets):
        line, _, words = packet.partition(b"\0")
        if not ids:
            capabilities = words.split()
        number, name = line.split(None, 1)
        if number == b"ERR":
            raise ValueError(name.decode("utf-8", "replace"))
        ids[name] = number
    ids.pop(_NO_REFS, None)
    links = dict(word.removeprefix(b"symref=").split(b":", 1) for word in capabilities if word.startswith(b"symref="))
    branch = default_branch(ids, links)
    return Refs(branch, _checked_id(ids.get(branch)))


def _packets(body: bytes) -> Iterator[bytes | None]:
    """The packets of a list; None for a flush."""
    place = 0
    while place < len(body):
        length = int(body[place : place + 4], 16)
        if 0 < length < 4:
            raise ValueError(f"a packet has the length {length}")
        if place + max(length, 4) > len(body):
            return
        yield body[place + 4 : place + length].rstrip(b"\n") if length else None
        place += max(length, 4)


def _until_flush(packets: Iterator[bytes | None]) -> Iterator[bytes]:
    for packet in packets:
        if packet is None:
            return
        yield packet
    raise Unreachable("the git server closed the connection before its reply was complete")


def default_branch(ids: Mapping[bytes, bytes], links: Mapping[bytes, bytes]) -> bytes:
    """Return the target of HEAD if the server reports it; else master, or a branch with the same commit as HEAD.

    Raises SourceError if its name is no name of a branch.
    """
    head = ids.get(b"HEAD")
    same = [name for name, number in sorted(ids.items()) if number == head and name.startswith(b"refs/heads/")]
    branch = links.get(b"HEAD") or (_MASTER if _MASTER in ids or not same else same[0])
    if not _BRANCH.fullmatch(branch):
        raise SourceError(f"the git server's default branch is {printable(repr(branch), 200)}")
    return branch


def _checked_id(number: bytes | None) -> str | None:
    if number is not None and not _ID.fullmatch(number):
        raise Unexpected(f"the git server sent an invalid commit id: {printable(repr(number), 200)}")
    return number.decode() if number else None
