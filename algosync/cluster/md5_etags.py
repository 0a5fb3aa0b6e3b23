"""MD5 ETags: whether a destination answers a write with the MD5 of what it stored, and what that says about a transfer.

An ETag of 32 hex digits may be an MD5, or anything else, as for files that a store encrypts. So the first files only tell whether
it is one: it has to be that of what was sent. From then on a differing one is an error. An equal one proves nothing: the server may
have computed it while the bytes were still right.
"""

from __future__ import annotations

import hashlib

from algosync.core.error import TransferError
from algosync.core.lean import dataclass

__all__ = ["Md5Etags"]


@dataclass(slots=True)
class Md5Etags:
    """Of one destination. Safe to use from several threads.

    `possible`: an ETag looked like an MD5, and none was a different one; so an MD5 is worth its time. `proven`: one was equal.
    """

    possible: bool = False
    proven: bool = False
    _refuted: bool = False

    def judge(self, etag: str, sent: str | bytes | None, what: str) -> None:
        """After a write. `sent`: the MD5 (hex) of what was sent, or the whole content; None: it is not known.

        TransferError: the destination has stored something else.
        """
        if not etag or self._refuted:
            return
        self.possible = True
        if sent is None:
            return
        expected = sent if isinstance(sent, str) else hashlib.md5(sent, usedforsecurity=False).hexdigest()
        if etag == expected:
            self.proven = True
        elif self.proven:
            raise TransferError(f"{what}: the destination has stored other bytes than were sent (its ETag is not their MD5)")
        else:
            self.possible, self._refuted = False, True
