"""Messages after a command: when there is one, what it says, and that neither a service nor its address does any harm."""

from __future__ import annotations

import io
import logging
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
from fakes.receiver import TOKEN, receiving

from algosync.cli.notify.news import News, news_of
from algosync.cli.notify.notifying import _text, hide_addresses, is_due, notified
from algosync.cli.notify.options import NotifyOn, NotifyOptions
from algosync.cli.notify.sending import Message, send
from algosync.cli.reporting.run_report import RunReport
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Denied
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.report import Report
from algosync.core.resource import Resource
from algosync.kinds import KINDS
from algosync.views.subject import Drifted, DriftedAll, Failed, Planned, Recorded, Subject

ONE = Address("algorithm", "One")
CHANGE = Change(ONE, Action.CREATE, None, Resource(ONE, {}))
TRAITS = {name: kind.TRAITS for name, kind in KINDS.items()}
PLAN = Plan(PlanHeader("w", None, "https://api.b.com", "jane"), (CHANGE,), (), kinds=TRAITS)
MANY = tuple(replace(CHANGE, address=Address("data", "One", f"file-{number:04}")) for number in range(1000))
LONG = replace(PLAN, changes=MANY)
MESSAGE = Message("a title", lambda _: "a text", lambda: "a text")
RECORDED = Recorded((), {"state": "and s3cretsecret"})


@contextmanager
def silent() -> Iterator[str]:
    """The address of a service that takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"json://127.0.0.1:{server.getsockname()[1]}/{TOKEN}"


def closed_port() -> str:
    with silent() as address:
        return address


def terminal(err: io.StringIO | None = None) -> Terminal:
    return Terminal(io.StringIO(), err or io.StringIO(), (False, False), live=False)


def notify(addresses: str, on: NotifyOn = NotifyOn.CHANGES) -> NotifyOptions:
    return NotifyOptions(on, {"ALGOSYNC_NOTIFY": addresses})


def end(told: Terminal, exit_code: int) -> None:
    for write in told.endings:
        write(exit_code)


C, F, A = NotifyOn.CHANGES, NotifyOn.FAILURES, NotifyOn.ALWAYS


@pytest.mark.parametrize(
    ("exit_code", "changed", "told_on"),
    [(0, False, {A}), (0, True, {A, C}), (2, True, {A, C}), (1, False, {A, C, F}), (3, False, {A, C, F}), (4, True, {A, C, F})],
)
def test_a_message_is_sent_if_there_is_something_to_tell(exit_code: int, changed: bool, told_on: set[NotifyOn]) -> None:
    assert {on for on in NotifyOn if is_due(on, exit_code, changed=changed)} == told_on


def test_every_address_gets_the_news_of_the_command() -> None:
    told = terminal()
    told.hide("s3cretsecret")
    with receiving() as one, receiving() as two:
        with notified("plan", notify(f"{one.address}  {two.address}"), told):
            told.news.extend(news_of(Planned(PLAN, {})))
            told.news.append(News(lambda: RECORDED, changed=False))
        assert one.got == []
        end(told, 0)
        assert len(one.got) == len(two.got) == 1
    assert one.got[0]["title"] == "algosync plan: done"
    assert "to add" in one.got[0]["message"]
    assert one.got[0]["message"].startswith("### ")
    assert "- State: `and ***`" in one.got[0]["message"]


def test_an_error_is_news() -> None:
    told = terminal()
    with receiving() as server:
        with pytest.raises(Denied), notified("drift", notify(server.address, NotifyOn.FAILURES), told):
            raise Denied("the key is invalid", hint="set DESTINATION_API_KEY")
        end(told, 1)
    assert [got["title"] for got in server.got] == ["algosync drift: failed (exit 1)"]
    assert "Error: the key is invalid" in server.got[0]["message"]


@pytest.mark.parametrize(("exit_code", "kind"), [(0, "success"), (2, "warning"), (1, "failure"), (3, "failure"), (64, "failure")])
def test_services_show_how_the_command_ended(exit_code: int, kind: str) -> None:
    told = terminal()
    with receiving() as server:
        with notified("drift", notify(server.address, A), told):
            told.news.append(News(lambda: RECORDED, changed=False))
        end(told, exit_code)
    assert [got["type"] for got in server.got] == [kind]


@pytest.mark.parametrize(("on", "exit_code"), [(C, 0), (F, 0), (F, 2), (A, 130), (C, 143)])
def test_nothing_to_tell_and_a_signal_send_nothing(on: NotifyOn, exit_code: int) -> None:
    told = terminal()
    with receiving() as server:
        with notified("apply", notify(server.address, on), told):
            told.news.append(News(lambda: RECORDED, changed=False))
        end(told, exit_code)
    assert server.got == []


def test_a_long_text_is_cut_and_says_so() -> None:
    told = terminal()
    with receiving() as server:
        with notified("apply", notify(server.address), told):
            told.news.append(News(lambda: Planned(LONG, {}), changed=True))
        end(told, 0)
    message = server.got[0]["message"]
    assert 10_000 < len(message) <= 15_000
    assert "entries left out: there is no room." in message


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("discord://1234567890/abcdefghijk", 2000),
        ("tgram://123456789:abcdefg_hijklmnop/12315544", 4096),
        ("workflows://host:443/workflow/signature", 1000),
        ("ntfy://topic", 7800),
        (f"twilio://AC{'a' * 32}:{'b' * 32}@12223334444/12223334444", 160),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", 35_000),
    ],
)
def test_a_message_fits_its_service(address: str, most: int) -> None:
    """Also with two subjects, and with the title, which some services count."""
    from apprise import Apprise

    (service,) = Apprise(address)
    assert service.body_maxlen == most
    subjects: list[Subject] = [Planned(LONG, {}), Failed(Denied("no"), {})]
    message = Message("algosync plan: done", partial(_text, subjects, "title", terminal()), str)
    text = message.text_for(service)
    assert 0 < len(text) + len(message.title) < most
    assert most < 500 or "left out" in text
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("differs", [True, False])
def test_the_drift_of_several_workflows_is_news(differs: bool) -> None:
    finding = Finding(ONE, Drift.CHANGED if differs else Drift.UNMANAGED)
    parts = (Drifted(PLAN.header, (), {}), Drifted(PLAN.header, (finding,), {}))
    told = terminal()
    with receiving() as server:
        with notified("drift", notify(server.address), told):
            told.news.extend(news_of(DriftedAll("local", parts, {})))
        end(told, 2 if differs else 0)
    assert len(server.got) == differs
    assert not differs or "algorithm.One" in server.got[0]["message"]


def test_a_run_is_told_as_the_markdown_of_its_report() -> None:
    """Also where no report is asked for."""
    told = terminal()
    with receiving() as server:
        with notified("apply", notify(server.address), told):
            RunReport.of("apply", {"-": "text"}, told).write(PLAN, Report(), 0, None)
        end(told, 0)
    assert server.got[0]["title"] == "algosync apply: done"
    assert server.got[0]["message"].startswith("### ✅ algosync apply: `w`")
    assert "+ algorithm.One is recorded" in server.got[0]["message"]


@pytest.mark.parametrize("options", [None, notify(""), notify("  ")])
def test_without_addresses_nothing_is_prepared(options: NotifyOptions | None) -> None:
    told = terminal()
    with notified("plan", options, told):
        pass
    assert told.endings == []


def test_services_that_refuse_hang_or_do_not_exist_are_warnings_and_the_others_get_the_message() -> None:
    with receiving() as server, receiving(500) as failing, silent() as hanging:
        assert send(MESSAGE, [server.address], within=60) == []  # the library loads its services now, which may take seconds
        addresses = [closed_port(), hanging, failing.address, "nosuch://x", TOKEN, server.address]
        started = time.monotonic()
        warnings = send(MESSAGE, addresses, within=2.0)
        assert time.monotonic() - started < 30  # apprise alone would wait longer only for a service that drips
    assert [got["message"] for got in server.got] == ["a text"] * 2
    refused = "did not get the message: the service cannot be reached, or refused it"
    assert warnings == [
        f"address 1 of ALGOSYNC_NOTIFY (json) {refused}",
        "address 2 of ALGOSYNC_NOTIFY (json) did not get the message: no answer within 2 s",
        f"address 3 of ALGOSYNC_NOTIFY (form) {refused}",
        "address 4 of ALGOSYNC_NOTIFY (nosuch) did not get the message: apprise knows no such address",
        "address 5 of ALGOSYNC_NOTIFY did not get the message: apprise knows no such address",
    ]


def test_a_message_that_cannot_be_sent_is_a_warning_only() -> None:
    err = io.StringIO()
    told = terminal(err)
    with notified("apply", notify(closed_port()), told):
        told.news.append(News(lambda: RECORDED, changed=True))
    end(told, 0)
    assert err.getvalue().startswith("Warning: address 1 of ALGOSYNC_NOTIFY (json) did not get the message: ")
    assert told.lost == []
    assert TOKEN not in err.getvalue()


def test_no_address_is_logged_or_printed(capfd: pytest.CaptureFixture[str]) -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with receiving() as server:
            send(MESSAGE, [server.address, closed_port(), f"slack://{TOKEN}"])
        logging.getLogger("afterwards").warning("logged again")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert lines.getvalue() == "logged again\n"
    assert capfd.readouterr() == ("", "")


def test_a_missing_extra_is_a_warning_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (warning,) = send(MESSAGE, [closed_port()])
    assert warning.endswith("the library apprise is not installed: pip install 'algosync[notify]'")


def test_addresses_and_their_tokens_are_hidden_in_every_output() -> None:
    out = io.StringIO()
    told = Terminal(out, io.StringIO(), (False, False), live=False)
    addresses = f"slack://{TOKEN}/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ mailto://me:pa%24word@example.com json://127.0.0.1:9/a"
    hide_addresses({"ALGOSYNC_NOTIFY": addresses}, told)
    told.result(f"{addresses} {TOKEN} A1BRTD4JD TIiajkdnlazkcOXrIdevi7FQ pa$word")
    told.result("127.0.0.1 example.com")
    shown, kept = out.getvalue().splitlines()
    assert set(shown.split()) == {"***"}
    assert kept == "127.0.0.1 example.com"


def test_the_options_of_a_command_do_not_show_the_addresses() -> None:
    assert TOKEN not in repr(notify(f"slack://{TOKEN}"))


def test_the_library_is_imported_only_to_send() -> None:
    """The command line starts without it."""
    import subprocess

    script = (
        "import sys, algosync.cli.main, algosync.cli.commands.apply, algosync.cli.commands.drift; print('apprise' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


def test_another_error_than_ours_has_a_message_too() -> None:
    told = terminal()
    with receiving() as server:
        with pytest.raises(ZeroDivisionError), notified("test", notify(server.address), told):
            raise ZeroDivisionError
        end(told, 1)
    assert [(got["title"], got["message"]) for got in server.got] == [("algosync test: failed (exit 1)",) * 2]
    assert not issubclass(ZeroDivisionError, AlgosyncError)
