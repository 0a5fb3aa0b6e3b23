"""The short way of small data files: requests that repeat what their connection has asked before, but for a file's name.

HTTP and the routes, that is uvicorn, h11 and Starlette, take most of the time of a small file. Who moves many sends the same
headers with each, byte by byte. What h11 has found to be a good request is one again: only the line above the headers is looked
at here. The gate is asked, and the same code as ever finds and stores; whatever is not plain, or not well, goes the long way.
"""

import re
import time

import h11
from starlette.types import Scope

from algosync.emulator.direct_answers import Asked, Direct, Head
from algosync.emulator.fault_wire import WiredProtocol

ODD = re.compile(rb"\n(content-length|transfer-encoding|expect|upgrade|connection|[ \t])|(?<!\r)\n", re.IGNORECASE)
"""Headers that change what follows them, and lines that do not end or begin as they should."""


class DirectProtocol(WiredProtocol):
    """HTTP, with the short way before it."""

    _good: tuple[str, bytes] | None = None
    """The method and the headers of the last request that was found good."""

    _scope: Scope
    """What was made of them."""

    _busy = False
    _behind = b""
    """What came behind a request that is being answered."""

    _stopping = False

    def data_received(self, data: bytes) -> None:
        """What a client sends: a request of the short way, or anything else."""
        direct: Direct | None = self.app_state.get("direct")
        if self._busy:
            self._behind += data
            self.flow.pause_reading()
            return
        head = Head.of(data) if direct and self._idle() else None
        if head is None or direct is None:
            super().data_received(data)
        elif (head.method, head.headers) != self._good:
            self._first(head, data)
        elif not self._repeated(direct, head, data):
            super().data_received(data)

    def shutdown(self) -> None:
        """The server begins to stop: what is being stored is answered first."""
        self._stopping = True
        if not self._busy:
            super().shutdown()

    def _idle(self) -> bool:
        """Whether nothing but a new request can come now."""
        conn = self.conn
        plain = self.scheme == "http" and not self.flow.write_paused
        return plain and conn.our_state is h11.IDLE and conn.their_state is h11.IDLE and not conn.trailing_data[0]

    def _first(self, head: Head, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before and not ODD.search(head.headers):
            self._good, self._scope = (head.method, head.headers), dict(self.cycle.scope)

    def _repeated(self, direct: Direct, head: Head, data: bytes) -> bool:
        """Whether it is answered, or will be."""
        self._unset_keepalive_if_required()
        scope = {**self._scope, "path": head.path.decode("ascii"), "raw_path": head.path, "began": time.monotonic()}
        if head.method == "PUT":
            self._busy = direct.put(head, scope, data[head.end :], self._answered)
            return self._busy
        self._busy = True
        direct.get(Asked(head, scope, lambda answer: self._answered(answer) if answer else self._long_way(data)))
        return True

    def _answered(self, answer: bytes) -> None:
        self._busy = False
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        self.on_response_complete()
        self._go_on()

    def _long_way(self, data: bytes) -> None:
        self._busy = False
        if not self.transport.is_closing():
            super().data_received(data)
            self._go_on()

    def _go_on(self) -> None:
        """With what has come meanwhile, or to an end."""
        if self._stopping:
            super().shutdown()
        elif self._behind:
            data, self._behind = self._behind, b""
            self.data_received(data)
