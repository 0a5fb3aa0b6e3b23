"""Sending: one message to addresses of apprise, within a time limit. Nothing of an address is shown but its scheme."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING

from algosync.cli.notify.options import ADDRESSES
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from apprise import NotifyBase

__all__ = ["Message", "send"]

_WITHIN = 10.0  # seconds, for all addresses
_LONGEST = 15_000  # characters of a text
_FILLED = 0.75  # of what a service takes: some of them escape the text, which makes it longer
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,19})://")


@dataclass(frozen=True, slots=True)
class Message:
    """`text`: makes the Markdown, which has at most as many characters as its argument says. `kind`: a type of apprise, which
    services show as a colour.
    """

    title: str
    text: Callable[[int], str]
    kind: str = "info"
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)  # addresses have threads

    def text_for(self, service: NotifyBase) -> str:
        """As long as the service takes it. Some services have no title, and get it as a part of the text."""
        apart = service.title_maxlen > 0 and not getattr(service, "overflow_amalgamate_title", False)
        room = service.body_maxlen - (0 if apart else len(self.title) + 10)
        with self.lock:
            return self.text(min(max(int(room * _FILLED), 0), _LONGEST))


def send(message: Message, addresses: Sequence[str], within: float = _WITHIN) -> list[str]:
    """Sends the message to all addresses at once. Returns a warning for each that did not get it. `within`: seconds.

    An address that takes longer is given up; its thread ends with the process.
    """
    try:
        import apprise  # noqa: F401  # of the extra; imported here once, before the threads
    except ImportError as error:
        return [
            f"{ADDRESSES}: nothing is sent, the library {error.name or 'apprise'} is not installed: pip install 'algosync[notify]'"
        ]
    deliveries = [_Delivery(message, address, number) for number, address in enumerate(addresses, 1)]
    with _no_log():
        for delivery in deliveries:
            delivery.thread.start()
        deadline = time.monotonic() + within
        for delivery in deliveries:
            delivery.thread.join(max(deadline - time.monotonic(), 0))
        return [warning for delivery in deliveries if (warning := delivery.warning(within))]


@dataclass(slots=True)
class _Delivery:
    message: Message
    address: str = field(repr=False)
    number: int
    outcome: str | None = None  # why it failed; empty: it was sent
    thread: threading.Thread = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name=f"message {self.number}", daemon=True)

    def warning(self, within: float) -> str:
        """Why it was not sent; empty: it was."""
        outcome = f"no answer within {within:g} s" if self.outcome is None else self.outcome
        scheme = _SCHEME.match(self.address)
        place = f"address {self.number} of {ADDRESSES}" + (f" ({scheme[1]})" if scheme else "")
        return f"{place} did not get the message: {outcome}" if outcome else ""

    def _run(self) -> None:
        try:
            self.outcome = self._deliver()
        except Exception as error:  # noqa: BLE001  # of any service of apprise; its text may hold the address
            self.outcome = f"it failed with {type(error).__name__}"

    def _deliver(self) -> str:
        from apprise import Apprise, NotifyFormat, NotifyType

        service = Apprise()
        if not service.add(self.address):
            return "apprise knows no such address"
        text = min((self.message.text_for(each) for each in service), key=len)  # one address is one service
        kind = NotifyType(self.message.kind)
        sent = service.notify(text, title=self.message.title, notify_type=kind, body_format=NotifyFormat.MARKDOWN)
        return "" if sent else "the service cannot be reached, or refused it"


@contextmanager
def _no_log() -> Iterator[None]:
    """No log lines of any library while the body runs: apprise and what it uses write addresses into them."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
