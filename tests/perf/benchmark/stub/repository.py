"""Repositories of the stub: git's smart protocol, version 0, without looking into what is pushed."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field

from benchmark.stub.http import Reply, reply

__all__ = ["Repository"]

_CAPABILITIES = {
    b"git-upload-pack": b"shallow symref=HEAD:refs/heads/master",
    b"git-receive-pack": b"report-status delete-refs ofs-delta",
}
_REPORT = b"000eunpack ok\n0019ok refs/heads/master\n0000"
_NUMBERS = {b"commit": 1, b"tree": 2, b"blob": 3}


@dataclass(slots=True)
class Repository:
    """The head of `master`, and the packs that were pushed, each without its frame."""

    head: bytes
    packs: list[bytes] = field(default_factory=list)
    objects: int = 0

    def refs(self, service: bytes) -> Reply:
        """The list of branches."""
        first = b"%s %s\0%s\n" % (
            self.head,
            b"HEAD" if service == b"git-upload-pack" else b"refs/heads/master",
            _CAPABILITIES[service],
        )
        lines = [first] if service == b"git-receive-pack" else [first, b"%s refs/heads/master\n" % self.head]
        body = _line(b"# service=%s\n" % service) + b"0000" + b"".join(map(_line, lines)) + b"0000"
        return reply(200, body, b"Content-Type: application/x-%s-advertisement\r\n" % service)

    def fetch(self, body: bytes) -> Reply:
        """Everything in one pack, whatever was asked for."""
        shallow = b"0000" if b"deepen " in body else b""
        packed = b"PACK\0\0\0\2" + self.objects.to_bytes(4, "big") + b"".join(self.packs)
        sent = shallow + b"0008NAK\n" + packed + hashlib.sha1(packed, usedforsecurity=False).digest()
        return reply(200, sent, b"Content-Type: application/x-git-upload-pack-result\r\n")

    def push(self, body: bytes) -> Reply:
        """Take the new head and the pack as they come."""
        self.head = body[45:85]
        start = body.index(b"PACK", 85)
        self.objects += int.from_bytes(body[start + 8 : start + 12], "big")
        self.packs.append(body[start + 12 : -20])
        return reply(200, _REPORT, b"Content-Type: application/x-git-receive-pack-result\r\n")


def template() -> Repository:
    """A new repository with the platform's first commit."""
    blob = b'{"username":"local"}\n'
    tree = b"100644 algorithmia.conf\0" + bytes.fromhex(_id(b"blob", blob))
    who = b"local <local@algorithmia.com> 1600000000 +0000"
    commit = b"tree %s\nauthor %s\ncommitter %s\n\nAlgorithmia initial commit\n" % (_id(b"tree", tree).encode(), who, who)
    packed = b"".join(_packed(kind, content) for kind, content in ((b"commit", commit), (b"tree", tree), (b"blob", blob)))
    return Repository(_id(b"commit", commit).encode(), [packed], 3)


def _id(kind: bytes, content: bytes) -> str:
    return hashlib.sha1(b"%s %d\0%s" % (kind, len(content), content), usedforsecurity=False).hexdigest()


def _packed(kind: bytes, content: bytes) -> bytes:
    size = len(content)
    header, size = bytearray([_NUMBERS[kind] << 4 | size & 15]), size >> 4
    while size:
        header[-1] |= 0x80
        header.append(size & 0x7F)
        size >>= 7
    return bytes(header) + zlib.compress(content)


def _line(text: bytes) -> bytes:
    return b"%04x%s" % (len(text) + 4, text)
