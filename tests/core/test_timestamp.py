"""Times of servers: the same moment in every form, on every version of Python."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from algosync.core.environment import Environment, choose
from algosync.core.timestamp import read_http_date, read_iso_time

MOMENT = datetime(2024, 2, 29, 13, 30, tzinfo=timezone.utc)
SAME = """
2024-02-29T13:30:00Z
2024-02-29T13:30:00.0Z
2024-02-29T13:30:00.000000000Z
2024-02-29T13:30:00,00Z
2024-02-29t13:30:00z
2024-02-29 13:30:00Z
2024-02-29 13:30:00 +00:00
2024-02-29T13:30Z
2024-02-29T13.5Z
2024-02-29T13:30:00+00:00
2024-02-29T13:30:00-00:00
2024-02-29T15:30:00+02:00
2024-02-29T15:30:00+0200
2024-02-29T15:30:00+02
2024-02-29T08:00:00-05:30
2024-02-29T08:00:00\u221205:30
20240229T133000Z
20240229T1330Z
20240229T153000+0200
2024-060T13:30:00Z
2024060T133000Z
2024-W09-4T13:30:00Z
2024W094T133000Z
""".strip().splitlines()
NONE = """
yesterday
2024-02-29
13:30:00Z
2024-02-29T13:30:00
2023-02-29T13:30:00Z
2024-13-01T13:30:00Z
2023-366T00:00:00Z
2024-W54-1T00:00:00Z
2024-02-29T25:00:00Z
2024-02-29T24:00:01Z
2024-02-29T13:60:00Z
2024-02-29T13:30:00+24:00
0001-01-01T00:00:00+01:00
9999-12-31T23:59:59-01:00
""".strip().splitlines()


@pytest.mark.parametrize("text", SAME)
def test_every_form_of_iso_8601_is_the_same_moment(text: str) -> None:
    assert read_iso_time(text) == MOMENT


@pytest.mark.parametrize("text", ["", *NONE, "2024-02-29T13:30:00Z" * 2, "\u0662024-02-29T13:30:00Z"])
def test_what_is_no_moment_is_none(text: str) -> None:
    assert read_iso_time(text) is None


def test_fractions_the_end_of_a_day_and_leap_seconds() -> None:
    assert read_iso_time("2024-02-29T13:30:00.1234567Z") == MOMENT.replace(microsecond=123457)
    assert read_iso_time("2024-02-29T24:00:00Z") == datetime(2024, 3, 1, tzinfo=timezone.utc)
    assert read_iso_time("2016-12-31T23:59:60Z") == datetime(2017, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        "Thu, 29 Feb 2024 13:30:00 GMT",
        "Thursday, 29-Feb-24 13:30:00 GMT",
        "Thu Feb 29 13:30:00 2024",
        "Thu, 29 Feb 2024 13:30:00 -0000",
        "Thu, 29 Feb 2024 15:30:00 +0200",
    ],
)
def test_the_three_forms_of_http_dates(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert read_http_date(text) == MOMENT


@pytest.mark.parametrize("text", ["", "soon", "Thu, 99 Feb 2024 13:30:00 GMT", "2024-02-29T13:30:00Z"])
def test_an_invalid_http_date_is_none(text: str) -> None:
    assert read_http_date(text) is None


def test_the_newest_environment_is_found_by_time_and_not_by_text() -> None:
    offered = [
        Environment("old", "Python 3.8", "2024-02-29T23:30:00+10:00"),
        Environment("new", "Python 3.8", "2024-02-29T14:00:00Z"),
        Environment("unknown", "Python 3.8", "later"),
    ]
    assert choose("python3", offered, None).id == "new"
