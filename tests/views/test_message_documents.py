"""Messages that programs read: the JSON arrives as it was written, and follows the schemas."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from documents import check_document
from fakes.receiver import Receiver, receiving
from samples import HOSTILE, META, PLAN, SUBJECTS, subjects_with

from algosync.cli.notify.news import News
from algosync.cli.notify.notifying import _LONGEST_DOCUMENT, notified
from algosync.cli.notify.options import NotifyOn, NotifyOptions
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.error import Denied
from algosync.core.redaction import Redactor
from algosync.core.resource import Json
from algosync.views import FORMATS
from algosync.views.subject import Failed, Planned, Subject

FAILED = Failed(Denied("no s3cretsecret"), {**META, "command": "plan", "exit_code": 1})
MANY = tuple(replace(PLAN.changes[0], address=Address("data", "One", f"file-{number:05}")) for number in range(3000))


def sent(server: Receiver, *subjects: Subject, query: str = "") -> Mapping[str, str]:
    """The message about these subjects that the server got."""
    told = Terminal(io.StringIO(), io.StringIO(), (False, False), live=False)
    told.hide("s3cretsecret")
    options = NotifyOptions(NotifyOn.ALWAYS, {"ALGOSYNC_NOTIFY": server.json_address + query})
    with notified("plan", options, told):
        told.news.extend(map(news, subjects))
    for write in told.endings:
        write(1)
    (message,) = server.got
    return message


def news(subject: Subject) -> News:
    return News(lambda: subject, changed=True)


def document(subject: Subject) -> Json:
    value: Json = json.loads(FORMATS["json"](subject, Redactor()))
    return value


@pytest.mark.parametrize("which", SUBJECTS)
def test_a_program_gets_the_json_of_the_report(which: str) -> None:
    with receiving() as server:
        message = sent(server, SUBJECTS[which])
    assert (message["title"], message["type"]) == ("algosync plan: failed (exit 1)", "failure")
    got = json.loads(message["message"])
    check_document(which, got)
    assert got == document(SUBJECTS[which])


@pytest.mark.parametrize("query", ["", "?format=html&overflow=split&emojis=yes", "?format=markdown&overflow=truncate"])
def test_nothing_on_the_way_changes_cuts_or_splits_it(query: str) -> None:
    """Longer than what the service takes at once by its own account (32,768), and with texts that conversions would change."""
    header = replace(PLAN.header, owner=":smile: <b>&amp; \\n **x**")
    long = Planned(replace(PLAN, header=header, changes=MANY[:200]), {**META, "workflow": "w"})
    with receiving() as server:
        text = sent(server, long, query=query)["message"]
    assert len(text) > 40_000
    assert json.loads(text) == document(long)


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_arrive_as_one_document_a_line(hostile: str) -> None:
    subjects = subjects_with(hostile)
    with receiving() as server:
        lines = sent(server, *subjects.values())["message"].split("\n")
    for (which, subject), line in zip(subjects.items(), lines, strict=True):
        check_document(which, json.loads(line))
        assert json.loads(line) == document(subject)


def test_several_reports_are_several_lines_without_secrets() -> None:
    with receiving() as server:
        first, second = sent(server, Planned(PLAN, {**META, "workflow": "w"}), FAILED)["message"].splitlines()
    check_document("plan", json.loads(first))
    check_document("diagnostics", json.loads(second))
    assert json.loads(second)["diagnostics"][0]["summary"] == "no ***"


def test_a_report_that_is_too_long_is_a_notice() -> None:
    meta: dict[str, Json] = {**META, "workflow": "w s3cretsecret", "state": "state/x.json", "exit_code": 2}
    with receiving() as server:
        notice = json.loads(sent(server, Planned(replace(PLAN, changes=MANY), meta))["message"])
    check_document("notice", notice)
    assert notice["meta"] == meta | {"workflow": "w ***"}
    assert notice["left_out"]["limit"] == _LONGEST_DOCUMENT < notice["left_out"]["characters"]


def test_a_command_without_a_report_is_a_notice() -> None:
    with receiving() as server:
        notice = json.loads(sent(server)["message"])
    check_document("notice", notice)
    assert (notice["meta"]["command"], notice["meta"]["exit_code"], notice["left_out"]) == ("plan", 1, None)
