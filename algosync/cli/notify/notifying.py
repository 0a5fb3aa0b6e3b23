"""Notifying: after a command, the addresses in `ALGOSYNC_NOTIFY` get a message if there is something to tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from algosync.cli.notify.news import News
from algosync.cli.notify.options import ADDRESSES, NotifyOn, NotifyOptions
from algosync.core.error import AlgosyncError

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.core.resource import Json
    from algosync.views.subject import Subject

__all__ = ["hide_addresses", "is_due", "notified"]

_OUTCOMES = {0: ("done", "success"), 2: ("found differences", "warning")}  # words, and types of apprise
_SIGNALS = (130, 143)
_PART = r"[^/:@?&=]+"
_HIDDEN_PART = r"(?=.*[0-9]).{8,}|.{20,}"
_LONGEST_DOCUMENT = 256 * 1024  # characters, which are bytes: the JSON is ASCII


def hide_addresses(environ: Mapping[str, str], terminal: Terminal) -> None:
    """From now on the terminal hides the addresses, and the parts of them that look like tokens."""
    for address in environ.get(ADDRESSES, "").split():
        rest = address.partition("://")[2]
        network, _, path = rest.partition("/")
        user, _, host = network.rpartition("@")
        name = host.partition(":")[0]  # some services have a token here
        parts = [*re.findall(_PART, f"{user}/{path}"), *([] if "." in name else [name])]
        tokens = [part for part in parts if re.fullmatch(_HIDDEN_PART, part)]
        for secret in (address, rest, *user.split(":")[1:], *tokens):
            for text in {secret, unquote(secret)} - {""}:
                terminal.hide(text)


@contextmanager
def notified(command: str, options: NotifyOptions | None, terminal: Terminal) -> Iterator[None]:
    """The command is the body. When the exit code is known, the addresses get its news, or its error.

    `options`: None: the command sends no messages. A message that cannot be sent is a warning. After a signal none is sent, because
    the command has to end soon.
    """
    if options is None or not options.addresses:
        yield
        return
    try:
        yield
    except AlgosyncError as error:
        terminal.news.append(_error_news(command, error, terminal))
        raise
    finally:
        # Other endings come first: sending may take some time.
        terminal.endings.append(lambda exit_code: _send(command, options, terminal, exit_code))


def is_due(on: NotifyOn, exit_code: int, *, changed: bool) -> bool:
    """Whether there is something to tell. `changed`: of the news."""
    failed = exit_code not in _OUTCOMES
    match on:
        case NotifyOn.ALWAYS:
            return True
        case NotifyOn.FAILURES:
            return failed
        case NotifyOn.CHANGES:
            return failed or changed


def _error_news(command: str, error: AlgosyncError, terminal: Terminal) -> News:
    from algosync.cli.report_output import failed

    subject = failed(error, command, terminal)
    return News(lambda: subject, changed=False)


def _send(command: str, options: NotifyOptions, terminal: Terminal, exit_code: int) -> None:
    news = terminal.news
    if exit_code in _SIGNALS or not is_due(options.notify_on, exit_code, changed=any(each.changed for each in news)):
        return
    from algosync.cli.notify.sending import Message, send

    outcome, kind = _OUTCOMES.get(exit_code, (f"failed (exit {exit_code})", "failure"))
    title = f"algosync {command}: {outcome}"
    subjects = [each.subject() for each in news]
    documents = partial(_documents, subjects, {"command": command, "exit_code": exit_code}, terminal)
    for warning in send(Message(title, partial(_text, subjects, title, terminal), documents, kind), options.addresses):
        terminal.tell(f"Warning: {warning}")


def _documents(subjects: Sequence[Subject], about: Mapping[str, Json], terminal: Terminal) -> str:
    """A JSON document for each subject, one in a line. `about`: members of `meta` for a notice, if there is no subject."""
    from algosync.cli.report_output import document_metadata
    from algosync.views.formats.message_line import message_line, notice_line

    if not subjects:
        return terminal.viewed(notice_line, {**document_metadata(), **about})
    return "\n".join(terminal.viewed(partial(message_line, limit=_LONGEST_DOCUMENT), subject) for subject in subjects)


def _text(subjects: Sequence[Subject], title: str, terminal: Terminal, limit: int) -> str:
    """The Markdown of all subjects. `limit`: characters; each subject gets an equal part of what those before it left."""
    from algosync.views.formats.markdown import within

    parts: list[str] = []
    for number, subject in enumerate(subjects):
        room = (limit - sum(len(part) + 1 for part in parts)) // (len(subjects) - number)
        parts.append(terminal.viewed(partial(within, limit=room), subject).strip("\n"))
    return "\n".join(filter(None, parts)) or title
