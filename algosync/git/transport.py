"""The git protocol: fetch commits, push. dulwich implements it. `git.refs` lists branches.

Uses protocol version 0: it lists all branches in one request, and every server supports it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dulwich.errors import GitProtocolError, HangupException, SendPackError
from dulwich.object_store import ObjectStoreGraphWalker
from dulwich.objects import ObjectID, ShaFile
from dulwich.pack import UnpackedObject, full_unpacked_object
from dulwich.refs import Ref

from algosync.core.error import AlgosyncError, Conflict, Unexpected, Unreachable
from algosync.core.text import printable
from algosync.git.client import Client

if TYPE_CHECKING:
    from algosync.core.credential import Credential
    from algosync.git.objects import Object
    from algosync.net import Host

__all__ = ["Transport"]

_TYPE_NUMBERS = {"commit": 1, "tree": 2, "blob": 3}


class Transport:
    """One repository on its server. Failures are `ClusterError`s; a reply too large for memory is a `SourceError`."""

    def __init__(self, url: str, user: str, credential: Credential, host: Host) -> None:
        self._client = Client(url, user, credential, host)

    def fetch(self, commit: str) -> bytes:
        """Return the pack of that commit alone; empty if no branch or tag points to it."""
        number = ObjectID(commit.encode())
        try:
            return self._fetch(lambda refs: [number] if number in refs.values() else [], depth=1)
        except Unexpected as error:
            if error.status is not None:
                raise
            # The server may not support shallow fetches. Any other cause fails again at once.
            return self._fetch(lambda refs: [number] if number in refs.values() else [], depth=None)

    def fetch_all(self, head: str) -> bytes:
        """Return the pack of that commit and all its ancestors."""
        return self._fetch(lambda _: [ObjectID(head.encode())], depth=None)

    def send(self, branch: bytes, old: str | None, new: Object, objects: Iterable[Object]) -> None:
        """Move `branch` from `old` to `new`. `objects` are the ones that the server lacks.

        Sends nothing if the branch is at `new` already. Raises Conflict if it is not at `old`, or if the server refuses the update:
        a hook, a protected branch, or a concurrent push.
        """

        def updates(refs: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            current = refs.get(Ref(branch))
            if current == new.id.encode():
                return {}
            if current != (old.encode() if old else None):
                raise Conflict("the repository's branch was moved by somebody else")
            return {Ref(branch): ObjectID(new.id.encode())}

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
        no_objects = ObjectStoreGraphWalker([], lambda _: [])
        with _translated():
            self._client.fetch_pack("", wants, no_objects, pack.write, depth=depth, protocol_version=0)
        return pack.getvalue()


@contextmanager
def _translated() -> Iterator[None]:
    """Translate dulwich's errors. dulwich does not validate replies everywhere, so these types all mean an invalid reply."""
    try:
        yield
    except AlgosyncError:
        raise
    except SendPackError as error:
        raise Conflict(f"the git server refused the push: {printable(str(error), 200)}") from error
    except HangupException as error:
        raise Unreachable("the git server closed the connection before its reply was complete") from error
    except (GitProtocolError, AssertionError, LookupError, TypeError, ValueError) as error:
        raise Unexpected(f"the git server sent an invalid reply: {printable(str(error), 200)}") from error
