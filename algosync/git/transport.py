"""The git protocol as verbs: where branches are, what a commit holds, moving a branch. dulwich speaks it.

Protocol version 0: it tells all branches in one request, and every server speaks it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dulwich.errors import GitProtocolError, HangupException, SendPackError
from dulwich.object_store import ObjectStoreGraphWalker
from dulwich.objects import ObjectID, ShaFile
from dulwich.pack import UnpackedObject, full_unpacked_object
from dulwich.refs import Ref

from algosync.core.error import AlgosyncError, Conflict, SourceError, Unexpected, Unreachable
from algosync.core.text import printable
from algosync.git.client import Client

if TYPE_CHECKING:
    from algosync.core.credential import Credential
    from algosync.git.objects import Object
    from algosync.net import Host

__all__ = ["Refs", "Transport"]

_TYPE_NUMBERS = {"commit": 1, "tree": 2, "blob": 3}
_BRANCH = re.compile(rb"refs/heads/[^\0- \x7f~^:?*\[\\]+")
_HEAD = Ref(b"HEAD")
_MASTER = Ref(b"refs/heads/master")  # what the platform's own repositories use (PLATFORM.md §5)


@dataclass(frozen=True, slots=True)
class Refs:
    """The default branch (a full ref name) and the commit at its head; None: it has no commit yet."""

    branch: Ref
    head: str | None


class Transport:
    """One repository on its server. What fails is a `ClusterError`; an answer too long for memory is a `SourceError`."""

    def __init__(self, url: str, user: str, credential: Credential, host: Host) -> None:
        self._client = Client(url, user, credential, host)

    def refs(self) -> Refs:
        with _translated():
            found = self._client.get_refs("", protocol_version=0)
            ids = {name: number for name, number in found.refs.items() if number is not None}
            branch = _default_branch(ids, found.symrefs)
            return Refs(branch, _checked(ids.get(branch)))

    def fetch(self, commit: str) -> bytes:
        """The pack of that commit alone; empty where no branch or tag is at it."""
        number = ObjectID(commit.encode())
        try:
            return self._fetch(lambda refs: [number] if number in refs.values() else [], depth=1)
        except Unexpected as error:
            if error.status is not None:
                raise
            # It spoke, and not as we understand it: perhaps it has no shallow fetches. Any other cause shows again at once.
            return self._fetch(lambda refs: [number] if number in refs.values() else [], depth=None)

    def fetch_all(self, head: str) -> bytes:
        """The pack of that commit and of all before it."""
        return self._fetch(lambda _: [ObjectID(head.encode())], depth=None)

    def send(self, branch: Ref, old: str | None, new: Object, objects: Iterable[Object]) -> None:
        """Move `branch` from `old` to `new`; `objects` are those that the server lacks.

        Nothing is sent where the branch is at `new` already. Conflict: it is somewhere else than at `old`, or the server took the
        objects and said no: a hook, a protected branch, somebody who was faster.
        """

        def updates(refs: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            current = refs.get(branch)
            if current == new.id.encode():
                return {}
            if current != (old.encode() if old else None):
                raise Conflict("the repository's branch was moved by somebody else")
            return {branch: ObjectID(new.id.encode())}

        def pack(*_: object, **__: object) -> tuple[int, Iterator[UnpackedObject]]:
            records = [full_unpacked_object(ShaFile.from_raw_string(_TYPE_NUMBERS[o.kind], o.body)) for o in objects]
            return len(records), iter(records)

        with _translated():
            result = self._client.send_pack("", updates, pack)
        for reason in filter(None, (result.ref_status or {}).values()):
            raise Conflict(f"the git server refused the push: {printable(reason, 200)}")

    def _fetch(self, wanted: Callable[[Mapping[Ref, ObjectID]], list[ObjectID]], depth: int | None) -> bytes:
        def wants(refs: Mapping[Ref, ObjectID], *_: object, **__: object) -> list[ObjectID]:
            return wanted(refs)

        pack = io.BytesIO()
        nothing = ObjectStoreGraphWalker([], lambda _: [])
        with _translated():
            self._client.fetch_pack("", wants, nothing, pack.write, depth=depth, protocol_version=0)
        return pack.getvalue()


def _default_branch(refs: Mapping[Ref, ObjectID], links: Mapping[Ref, Ref]) -> Ref:
    """Where HEAD points to, if the server says so; else master, or the branch that is where HEAD is."""
    head = refs.get(_HEAD)
    same = [name for name, number in sorted(refs.items()) if number == head and name.startswith(b"refs/heads/")]
    branch = links.get(_HEAD) or (_MASTER if _MASTER in refs or not same else same[0])
    if not _BRANCH.fullmatch(branch):
        raise SourceError(f"the git server's default branch is {printable(repr(branch), 200)}")
    return branch


def _checked(number: ObjectID | None) -> str | None:
    if number is not None and not re.fullmatch(rb"[0-9a-f]{40}", number):
        raise Unexpected(f"the git server sent something else than a commit's id: {printable(repr(number), 200)}")
    return number.decode() if number else None


@contextmanager
def _translated() -> Iterator[None]:
    """dulwich takes for granted in many places that a server answers sensibly: these errors all mean that it did not."""
    try:
        yield
    except AlgosyncError:
        raise
    except SendPackError as error:
        raise Conflict(f"the git server refused the push: {printable(str(error), 200)}") from error
    except HangupException as error:
        raise Unreachable("the git server closed the connection before its answer was complete") from error
    except (GitProtocolError, AssertionError, LookupError, TypeError, ValueError) as error:
        raise Unexpected(f"the git server does not answer as one: {printable(str(error), 200)}") from error
