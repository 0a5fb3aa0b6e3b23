"""The short way of small data files: requests that repeat what their connection has asked before, but for a file's name.

HTTP and the routes, that is uvicorn, h11 and Starlette, take most of the time of a small file. Who moves many sends the same
headers with each, byte by byte. What h11 has found to be a good request is one again: only the line above the headers is looked
at here. The gate is asked, and the same code as ever finds and stores; whatever is not plain, or not well, goes the long way.
"""

import asyncio
import time

import h11
from starlette.types import Scope

from algosync.emulator.http.direct_answers import Asked, Direct
from algosync.emulator.http.direct_forms import ODD, Form, Kind, Plain
from algosync.emulator.http.raw_connection import RawAccessProtocol

MOST_FORMS = 16
"""That a connection remembers: reading and writing, in a few folders."""


class DirectProtocol(RawAccessProtocol):
    """HTTP, with the short way before it."""

    _form: Form | None = None
    """That of the last GET of the short way, for a look that is shorter still."""

    _plain = False
    """Whether nothing but a new request can come now, as far as HTTP is concerned; False also where that is not known."""

    _busy = False
    _asked = b""
    """The GET that is being answered."""

    _stored: Scope | None = None
    """The last PUT that was taken, which is being answered, or was."""

    _behind = b""
    """What came behind a request that is being answered."""

    _answered_at = 0.0
    _stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own class
        super().connection_made(transport)
        self._direct: Direct | None = self.app_state.get("direct") if self.scheme == "http" else None
        self._forms: dict[Kind, Form] = {}

    def data_received(self, data: bytes) -> None:
        """What a client sends: a request of the short way, or anything else."""
        if self._busy:
            self._behind += data
            self.flow.pause_reading()
            return
        direct, form = self._direct, self._form
        if direct and form and self._idle() and (name := form.again(data)):
            self._get(direct, form, name, data)
        elif not self._taken(data):
            self._long_way(data)

    def shutdown(self) -> None:
        """The server begins to stop: what is being stored is answered first."""
        self._stopping = True
        if not self._busy:
            super().shutdown()

    def _note_left(self) -> None:
        super()._note_left()
        if self._busy and self._stored is not None:
            self._stored["left"] = True

    def timeout_keep_alive_handler(self) -> None:
        """Hang up, unless there was something to do: answers of the short way set no timers."""
        quiet = 0 if self._busy else self.loop.time() - self._answered_at
        if quiet < self.timeout_keep_alive:
            left = self.timeout_keep_alive - quiet
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _idle(self) -> bool:
        if not self._plain:
            conn = self.conn
            self._plain = conn.our_state is h11.IDLE and conn.their_state is h11.IDLE and not conn.trailing_data[0]
        return self._plain and not self.flow.write_paused

    def _taken(self, data: bytes) -> bool:
        """Whether a request that is plain is answered, or will be."""
        direct = self._direct
        plain = Plain.of(data) if direct and self._idle() else None
        if plain is None or direct is None:
            return False
        form = self._forms.get(plain.kind)
        if form is None:
            self._first(plain.kind, data)
        elif plain.kind.method == b"GET":
            self._form = form
            self._get(direct, form, plain.name, data)
        else:
            self._stored = direct.put(form, plain, self._answered)
            self._busy = self._stored is not None
            return self._busy
        return True

    def _first(self, kind: Kind, data: bytes) -> None:
        before = self.cycle
        self._long_way(data)
        if self.cycle is not before and not ODD.search(kind.headers):
            if len(self._forms) == MOST_FORMS:
                self._forms.clear()
            self._forms[kind] = Form(kind, dict(self.cycle.scope))

    def _get(self, direct: Direct, form: Form, name: str, data: bytes) -> None:
        self._busy = True
        self._stored = None
        self._asked = data
        direct.get(Asked(form, name, time.monotonic(), self._answered))

    def _answered(self, answer: bytes | None) -> None:
        self._busy = False
        transport = self.transport
        if transport.is_closing():
            return
        if answer is None:
            self._long_way(self._asked)
        else:
            transport.write(answer)
            self._answered_at = self.loop.time()
            if transport.get_write_buffer_size():
                self._watch_sending()
        if self._behind or self._stopping:
            self._go_on()

    def _long_way(self, data: bytes) -> None:
        self._plain = False
        super().data_received(data)

    def _go_on(self) -> None:
        """With what has come meanwhile, or to an end."""
        if self._stopping:
            super().shutdown()
        else:
            data, self._behind = self._behind, b""
            self.flow.resume_reading()
            self.data_received(data)
