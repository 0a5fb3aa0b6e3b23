"""`--debug` shows the log lines of all libraries, without secrets."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from algosync.cli import debug
from algosync.cli.terminal import Terminal

KEY = "simKEY0123456789abcdefghijk"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """The terminal of a command with `--debug`. Afterwards logging is as before."""
    root, urllib3 = logging.getLogger(), logging.getLogger("urllib3")
    before, level, limited = list(root.handlers), root.level, urllib3.level
    urllib3.setLevel(logging.NOTSET)  # the official client, which an earlier test may have made, raises it
    monkeypatch.setattr(debug, "_switched_on", False)
    root.handlers.clear()
    made = Terminal(io.StringIO(), io.StringIO(), (False, False), False)
    debug.enable(made)
    yield made
    root.handlers[:] = before
    root.setLevel(level)
    urllib3.setLevel(limited)


def written(terminal: Terminal) -> str:
    assert isinstance(terminal.err, io.StringIO)
    return terminal.err.getvalue()


def test_a_key_in_a_log_line_is_hidden(terminal: Terminal) -> None:
    terminal.hide(KEY)
    logging.getLogger("urllib3.connectionpool").debug("send: Authorization: Simple %s", KEY)
    assert written(terminal) == "urllib3.connectionpool: send: Authorization: Simple ***\n"


def test_control_characters_of_a_log_line_are_escaped(terminal: Terminal) -> None:
    logging.getLogger("dulwich").debug("remote: \x1b[2J")
    assert written(terminal) == "dulwich: remote: \\x1b[2J\n"
