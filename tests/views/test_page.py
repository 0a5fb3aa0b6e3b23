"""The format `html`: read by a parser, and shown by a real browser as on a phone and on a desktop."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from page_browser import Browser, browser
from samples import HELLO, HOSTILE, META, PLAN, SUBJECTS, run_of, runs, subjects_with

from algosync.core.address import Address
from algosync.core.error import AlgosyncError
from algosync.core.planning.change import Drift, Finding
from algosync.core.redaction import Redactor
from algosync.core.resource import Resource
from algosync.views import FORMATS
from algosync.views.subject import Drifted, Failed, Recorded, Subject

SIZES = [(390, 844), (1280, 800)]
PICTURES = os.environ.get("PAGE_PICTURES")
"""The folder for screenshots."""
SCRIPTS = (
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    '"><img src=https://x.example/i onerror=alert(1)>',
    "' onclick='alert(1)",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</pre></details><iframe src=//x.example>",
)
ATTRIBUTES = {
    "aria-label", "aria-labelledby", "charset", "class", "content", "cx", "cy", "d", "height", "href", "http-equiv", "id", "lang",
    "name", "open", "r", "rel", "role", "scope", "viewbox", "width", "x", "x1", "x2", "y", "y1", "y2",
}  # fmt: skip


class Parsed(HTMLParser):
    """The tags of a page in order, the attributes of all, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.text += data


def page(subject: Subject) -> str:
    return FORMATS["html"](subject, Redactor())


def findings(number: int, text: str = "a name of usual length") -> Drifted:
    """A drift report with this number of findings, of every kind."""
    found = []
    for place in range(number):
        address = Address("data", f"Algorithm{place % 7}", f"{text} {place}")
        before, after = Resource(address, {"label": text * 9}, size=3), Resource(address, {"label": text * 8}, size=4)
        found.append(Finding(address, list(Drift)[place % len(Drift)], before, after, reason=text))
    return Drifted(PLAN.header, tuple(found), META)


@pytest.mark.parametrize("which", SUBJECTS)
def test_it_has_no_script_and_loads_nothing(which: str) -> None:
    text = page(SUBJECTS[which])
    parsed = Parsed(text)
    assert not {"script", "iframe", "object", "embed", "form", "img", "a href"} & set(parsed.tags)
    assert {name for name, _ in parsed.attributes} <= ATTRIBUTES
    assert {value for name, value in parsed.attributes if name == "href" and value and not value.startswith("#")} == {"data:,"}
    ids = [value for name, value in parsed.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    (policy,) = [value for name, value in parsed.attributes if name == "content" and value and "-src" in value]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")


@pytest.mark.parametrize("hostile", [*HOSTILE, *SCRIPTS], ids=range(len(HOSTILE) + len(SCRIPTS)))
def test_hostile_texts_change_no_structure(hostile: str) -> None:
    for which, subject in subjects_with(hostile).items():
        parsed, plain = Parsed(page(subject)), Parsed(page(subjects_with("x")[which]))
        assert parsed.tags == plain.tags
        assert [name for name, _ in parsed.attributes] == [name for name, _ in plain.attributes]


def test_texts_are_shown_as_they_are() -> None:
    for script in SCRIPTS:
        assert script in Parsed(page(subjects_with(script)["drift"])).text


def test_a_distribution_has_a_bar_for_each_bucket() -> None:
    parsed = Parsed(page(run_of("t", calls=60)))
    assert parsed.tags.count("svg") == 2
    assert parsed.tags.count("rect") >= 20
    assert "61 calls: half of them in 305 ms, 95 % in 570 ms" in parsed.text
    places = [float(value or "") for name, value in parsed.attributes if name == "x"]
    assert min(places) >= 0
    assert max(places) < 480


def test_times_have_a_unit_and_a_gate_its_metric_line_and_slices() -> None:
    text = re.sub(r"(<[^>]+>|\s)+", " ", page(SUBJECTS["run"]))
    assert "p50 10 ms p95 10 ms" in text
    assert "first call 500 ms" in text
    assert "metric accuracy value 0.95 interval 95 0.94 to 0.96 published value 0.93 cases 1200 at least 0.9" in text
    assert "w.pb w.pb 0.875 (200 cases)" in text


def picture(number: int) -> Element:
    """The history as a parser of XML reads it."""
    text = page(Drifted(PLAN.header, (), META, history=runs(number)))
    return fromstring(re.findall("<svg.*?</svg>", text, re.DOTALL)[0])


@pytest.mark.parametrize("number", [1, 2, 40, 500])
def test_the_history_is_a_picture_and_a_table(number: int) -> None:
    shown = min(number, 40)
    last = runs(number)[-shown:]
    svg = picture(number)
    left, top, width, height = map(float, svg.attrib["viewBox"].split())
    bars = svg.findall("rect")
    for bar in bars:
        x, y, wide, high = (float(bar.attrib[name]) for name in ("x", "y", "width", "height"))
        assert (x, y) >= (left, top)
        assert (x + wide, y + high) <= (width, height)
    for kind, codes in (("circle", {0}), ("path[@class='warn']", {2, 3}), ("path[@class='cross']", {1, 4})):
        assert len(svg.findall(kind)) == sum(run.exit_code in codes for run in last), "each result has its own shape"
    for kind, name in (("warn", "findings"), ("bad", "tests_failed")):
        assert len(svg.findall(f"rect[@class='{kind}']")) == sum(name in run.counts for run in last)
    assert svg.attrib["aria-labelledby"].split() == [svg.find(tag).attrib["id"] for tag in ("title", "desc")]  # type: ignore[union-attr]
    assert f"{shown} run" in (svg.findtext("desc") or "")
    parsed = Parsed(page(Drifted(PLAN.header, (), META, history=runs(number))))
    assert (parsed.tags.count("tr"), parsed.tags.count("th")) == (shown + 1, 6)
    assert (f"the last 40 of {number} runs" in parsed.text) == (number > shown)


def test_a_bar_is_as_high_as_its_number_and_tells_it() -> None:
    bars = picture(40).findall("rect[@class='warn']")
    told = [re.search(r"(\d+) findings?,", bar.findtext("title") or "") for bar in bars]
    numbers = [int(each[1]) for each in told if each]
    assert numbers == [run.counts["findings"] for run in runs(40) if "findings" in run.counts]
    heights = [float(bar.attrib["height"]) for bar in bars]
    assert [round(height) for height in heights] == [max(round(28 * number / 12), 3) if number else 1 for number in numbers]


def test_without_a_history_nothing_is_said_of_it() -> None:
    text = page(Drifted(PLAN.header, (), META))
    assert "<svg" not in text
    assert "History" not in text


def test_what_failed_is_open() -> None:
    assert page(findings(0)).count("<details open>") == 0
    assert page(findings(700)).count("<details open>") == 10


def test_an_error_and_a_state_are_pages() -> None:
    assert "boom" in Parsed(page(Failed(AlgosyncError("boom"), {**META, "command": "apply"}))).text
    assert "Nothing is recorded." in Parsed(page(Recorded((), META))).text
    assert HELLO.algorithm in page(SUBJECTS["run"])


# In a browser.


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "profile", "") as opened:
        yield opened


def opened(tab: Browser, path: Path, subject: Subject, size: tuple[int, int], *, dark: bool) -> None:
    path.write_text(page(subject))
    tab.open(path.as_uri(), *size, dark=dark)


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("number", [0, 10, 5000])
def test_pages_on_a_phone_and_on_a_desktop(tab: Browser, tmp_path: Path, number: int) -> None:
    for size in SIZES:
        for dark in (False, True):
            opened(tab, tmp_path / "page.html", findings(number), size, dark=dark)
            assert_harmless(tab, tmp_path / "page.html", size[0])
            back = tab.value("getComputedStyle(document.body).backgroundColor")
            assert back == ("rgb(18, 22, 27)" if dark else "rgb(255, 255, 255)"), "the style is applied, so its hash is right"
            save(tab, f"drift-{number}-{size[0]}-{'dark' if dark else 'light'}")


@pytest.mark.needs("chromium")
def test_runs_on_a_phone_and_on_a_desktop(tab: Browser, tmp_path: Path) -> None:
    for size in SIZES:
        for which, subject in {**SUBJECTS, "many": run_of("a name", calls=60)}.items():
            opened(tab, tmp_path / "page.html", subject, size, dark=size[0] < 600)
            tab.value("document.querySelectorAll('details').forEach(each => each.open = true), 0")
            assert_harmless(tab, tmp_path / "page.html", size[0])
            save(tab, f"{which}-{size[0]}")


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("number", [0, 1, 5, 500])
def test_a_history_on_a_phone_and_on_a_desktop(tab: Browser, tmp_path: Path, number: int) -> None:
    for size in SIZES:
        for dark in (False, True):
            subject = Drifted(PLAN.header, findings(3).findings, META, history=runs(number))
            opened(tab, tmp_path / "page.html", subject, size, dark=dark)
            tab.value("document.querySelectorAll('details').forEach(each => each.open = true), 0")
            assert_harmless(tab, tmp_path / "page.html", size[0])
            wide = tab.value(
                "Math.max(0, ...Array.from(document.querySelectorAll('table, svg'), e => e.getBoundingClientRect().right))"
            )
            assert wide <= size[0]
            save(tab, f"history-{number}-{size[0]}-{'dark' if dark else 'light'}")


@pytest.mark.needs("chromium")
def test_hostile_texts_run_no_script(tab: Browser, tmp_path: Path) -> None:
    for hostile in (*HOSTILE, *SCRIPTS, "w" * 1_000_000):
        for subject in subjects_with(hostile).values():
            opened(tab, tmp_path / "page.html", subject, SIZES[0], dark=False)
            tab.value("document.querySelectorAll('details').forEach(each => each.open = true), 0")
            assert_harmless(tab, tmp_path / "page.html", SIZES[0][0])


@pytest.mark.needs("chromium")
def test_the_keyboard_opens_details(tab: Browser, tmp_path: Path) -> None:
    opened(tab, tmp_path / "page.html", findings(10), SIZES[1], dark=False)
    tags = []
    for _ in range(12):
        press(tab, "Tab", 9)
        tags.append(tab.value("document.activeElement.tagName"))
    assert tags == ["A", *["SUMMARY"] * 10, tags[-1]]
    tab.value("document.querySelector('details:not([open]) > summary').focus(), 0")
    assert tab.value("document.activeElement.parentElement.open") is False
    press(tab, "Enter", 13, "\r")
    assert tab.value("document.activeElement.parentElement.open") is True


def press(tab: Browser, key: str, code: int, text: str = "") -> None:
    common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
    tab.do("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
    tab.do("Input.dispatchKeyEvent", type="keyUp", **common)


def assert_harmless(tab: Browser, path: Path, width: int) -> None:
    # A phone would widen its window, and a desktop browser would scroll.
    assert tab.value("scrollTo(1e6, 0), [innerWidth, scrollX]") == [width, 0]
    assert (tab.dialogs, tab.requests) == ([], [path.as_uri()])
    assert tab.value("document.scripts.length + document.images.length") == 0


def save(tab: Browser, name: str) -> None:
    if PICTURES:
        tab.value("scrollTo(0, 0)")
        tab.picture(Path(PICTURES) / f"{name}.png")
