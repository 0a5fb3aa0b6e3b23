"""A cluster without a network: every reply is there as soon as its request is sent, in the same thread.

For tens of thousands of replies whose content matters. The effects of a network need a real one.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import urllib3
from rawcluster import KEY, Request, complete
from urllib3.connection import HTTPConnection

from algosync.cluster.address import parse
from algosync.cluster.algorithms import AlgorithmsClient
from algosync.cluster.connection import Cluster
from algosync.cluster.data import DataClient
from algosync.cluster.wire import Wire
from algosync.core.credential import credential
from algosync.net import Host, Net, Retry, SettingNames, Watch
from algosync.net.lease import Lease

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["URL", "Answer", "scripted_cluster", "scripted_host"]

URL = "http://127.0.0.1:9"  # never connected to
Answer = Callable[[Request], "tuple[bytes, bool]"]
"""The bytes to send, and whether the connection stays."""


class _Socket(socket.socket):
    """One end of a socket pair, so that it can be polled. Written data is answered instead of sent."""

    def __init__(self, answer: Answer) -> None:
        ours, self._theirs = socket.socketpair()
        super().__init__(fileno=ours.detach())
        self._answer = answer
        self._asked = self._ready = b""
        self._stays = True

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        self._asked += bytes(data)
        if request := complete(self._asked):
            self._asked = b""
            if self._stays:
                self._ready, self._stays = self._answer(request)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer)
        piece = self._ready[: nbytes or len(view)]
        self._ready = self._ready[len(piece) :]
        view[: len(piece)] = piece
        if not piece and self._stays:
            raise ConnectionResetError("the client waits for more than was sent")
        return len(piece)

    def close(self) -> None:
        self._theirs.close()
        super().close()


class _Unwatched(Watch):
    """A watch without a thread: nothing waits here, so no request has to be ended."""

    def lease(self, seconds: float, borrowed: socket.socket | None = None) -> Lease:
        return Lease(self, seconds, borrowed)


def scripted_host(answer: Answer) -> Host:
    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _Socket(answer)

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Connection

    pools = urllib3.PoolManager(retries=False)
    pools.pool_classes_by_scheme = {"http": Pool}
    return Host(URL, SettingNames(), Net(retry=Retry(tries=1), watch=_Unwatched()), None, pools)


def scripted_cluster(answer: Answer) -> Cluster:
    wire = Wire(scripted_host(answer), credential(KEY, "test"))
    return Cluster(parse(URL, "test"), wire, DataClient(wire), AlgorithmsClient(wire))
