"""A site of several workflows: its files, its index, and what hostile names do to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from page_browser import browser
from samples import HELLO, HOSTILE, META, PLAN
from test_page import SCRIPTS, SIZES, Parsed, save

from algosync.core.error import AlgosyncError
from algosync.core.planning.change import Drift, Finding
from algosync.core.redaction import Redactor
from algosync.core.resource import Json
from algosync.views.formats.site import INDEX, site
from algosync.views.subject import Drifted, DriftedAll, Failed

NAMES = (
    *HOSTILE,
    *SCRIPTS,
    "../../etc/passwd",
    "index",
    "index.html",
    "INDEX",
    "w" * 1000,
    "W" * 1000,
    "é",
    "è",
    "",
    ".",
    "/",
    "con",
)
NIGHT = "2026-03-03T02:00:00+00:00"


def drifted(name: str, *findings: Finding) -> Drifted:
    meta: Mapping[str, Json] = {**META, "timestamp": NIGHT, "workflow": name, "exit_code": 2 if findings else 0}
    return Drifted(replace(PLAN.header, workflow=name), findings, meta)


def finding(first_seen: str = "", drift: Drift = Drift.CHANGED) -> Finding:
    return Finding(HELLO, drift, first_seen=first_seen)


def broken(name: str, message: str = "boom") -> Failed:
    return Failed(AlgosyncError(message), {**META, "command": "drift", "workflow": name, "exit_code": 1})


def site_of(*parts: Drifted | Failed, redactor: Redactor | None = None) -> dict[str, str]:
    meta: Mapping[str, Json] = {"timestamp": NIGHT, "algosync_version": "1", "exit_code": 2}
    return dict(site(DriftedAll("https://api.b.com", parts, meta), redactor or Redactor()))


def links(page: str) -> list[str]:
    return [value or "" for name, value in Parsed(page).attributes if name == "href" and value != "data:,"]


def test_names_of_files_are_safe_and_distinct() -> None:
    parts = [part for name in NAMES for part in (drifted(name),)]
    files = site_of(*parts)
    assert len(files) == len(NAMES) + 1
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*\.html", name) for name in files)
    assert max(map(len, files)) < 100
    assert len({name.lower() for name in files}) == len(files)
    assert sorted(links(files[INDEX])) == sorted(files.keys() - {INDEX}), "relative, and to each page"
    assert all(links(text)[0] == INDEX for name, text in files.items() if name != INDEX)


def test_a_workflow_keeps_its_file_whatever_the_others_are() -> None:
    alone, among = site_of(drifted("w (w.yaml)")), site_of(drifted("a"), broken("b"), drifted("w (w.yaml)", finding()))
    (name,) = alone.keys() - {INDEX}
    assert name in among


def test_the_index_comes_last_and_lists_the_worst_first() -> None:
    files = site_of(
        drifted("clean"),
        drifted("one", finding(NIGHT)),
        drifted("old", finding("2026-03-01T02:00:00+00:00")),
        drifted("three", *[finding(NIGHT)] * 3),
        drifted("noted", finding("2026-01-01T02:00:00+00:00", Drift.UNMANAGED)),
        broken("broken"),
    )
    assert list(files)[-1] == INDEX
    named = re.findall(r'html">([a-z]+)</a>', files[INDEX])
    assert named[:4] == ["broken", "three", "old", "one"]
    text = " ".join(Parsed(files[INDEX]).text.split())
    assert "6 workflows: 3 with drift, 2 without drift, 1 with errors. Findings: 5 changed." in text
    assert "2026-03-01 02:00 (2 days ago)" in text
    assert "2026-01-01" not in text, "what is no drift has no age"
    assert "Error: boom" in text


def test_a_workflow_of_which_only_something_is_unknown_is_counted_as_unknown() -> None:
    unknown = finding(drift=Drift.UNKNOWN)
    parts = (drifted("both", finding(), unknown), drifted("unknown", unknown), drifted("clean"))
    text = " ".join(Parsed(site_of(*parts)[INDEX]).text.split())
    assert "3 workflows: 1 with drift, 1 unknown, 1 without drift. Findings: 1 changed, 2 unknown." in text
    assert "workflows unknown: 1" in text


@pytest.mark.parametrize("hostile", [*HOSTILE, *SCRIPTS], ids=range(len(HOSTILE) + len(SCRIPTS)))
def test_hostile_names_change_no_structure(hostile: str) -> None:
    texts, plain = (site_of(drifted(name, finding()), broken(f"{name}2", name))[INDEX] for name in (hostile, "x"))
    assert Parsed(texts).tags == Parsed(plain).tags
    assert [name for name, _ in Parsed(texts).attributes] == [name for name, _ in Parsed(plain).attributes]
    assert "script" not in Parsed(texts).tags


def test_a_secret_is_in_no_name_and_two_that_are_hidden_have_two_files() -> None:
    redactor = Redactor()
    for secret in ("s3cretsecret", "0thersecret"):
        redactor.hide(secret)
    files = site_of(drifted("w s3cretsecret"), drifted("w 0thersecret", finding()), redactor=redactor)
    assert len(files) == 3
    assert "secret" not in "".join((*files, *files.values()))


@pytest.mark.needs("chromium")
def test_the_site_in_a_browser(tmp_path: Path) -> None:
    many = [drifted(f"workflow {n} (workflows/{n}.yaml)", *[finding(NIGHT)] * (n % 3)) for n in range(300)]
    hostile = [part for name in (*NAMES, "w" * 1_000_000) for part in (drifted(name, finding(NIGHT)), broken(f"{name} 2", name))]
    with browser(tmp_path / "profile", "") as tab:
        for title, parts in (("many", many), ("hostile", hostile), ("none", ())):
            folder = tmp_path / title
            folder.mkdir()
            for name, text in site_of(*parts).items():
                (folder / name).write_text(text)
            for size in SIZES:
                for dark in (False, True):
                    tab.open((folder / INDEX).as_uri(), *size, dark=dark)
                    assert tab.value("scrollTo(1e6, 0), [innerWidth, scrollX]") == [size[0], 0]
                    assert (tab.dialogs, tab.requests) == ([], [(folder / INDEX).as_uri()])
                    assert tab.value("document.scripts.length + document.images.length") == 0
                    back = tab.value("getComputedStyle(document.body).backgroundColor")
                    assert back == ("rgb(18, 22, 27)" if dark else "rgb(255, 255, 255)"), (
                        "the style is applied, so its hash is right"
                    )
                    save(tab, f"site-{title}-{size[0]}-{'dark' if dark else 'light'}")
        tab.open((tmp_path / "many" / INDEX).as_uri(), *SIZES[0])
        target = tab.value("document.querySelector('a').href")
        tab.open(target, *SIZES[0])
        assert "All workflows" in tab.value("document.querySelector('a').textContent")
