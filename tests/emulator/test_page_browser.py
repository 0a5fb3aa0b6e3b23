"""The pages in a real browser, on a phone and on a desk, after a rehearsal by whoever means harm."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Emulator
from page_browser import PROGRAM, Browser, browser
from page_seeds import HOSTILE, page, rehearse

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium (Debian's package chromium)")

SIZES = [(390, 844), (1280, 800)]
PICTURES = os.environ.get("PAGE_PICTURES")
"""A folder for pictures of what was seen, for who wants to look."""


@pytest.fixture
def tab(site: Emulator, tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "profile", site.key) as opened:
        yield opened


def test_on_a_phone_and_on_a_desk(site: Emulator, tab: Browser) -> None:
    rehearse(site)
    paths = ["/page/", *reached(site)]
    assert len(paths) == 8
    before = len(site.log())
    for path in paths:
        for width, height in SIZES:
            tab.open(site.address + path, width, height, dark=width < 600)
            # A phone would make its window wider, a desk would scroll.
            wide = tab.value("scrollTo(1e6, 0), [innerWidth, scrollX]")
            assert (path, wide) == (path, [width, 0])
            assert (path, tab.dialogs, tab.requests) == (path, [], [site.address + path])
            assert tab.value("document.scripts.length + document.images.length") == 0
            # The style has been applied: its hash is right.
            assert tab.value("getComputedStyle(document.querySelector('ul, dl')).paddingLeft") == "0px"
            take(tab, path, width)
    # No icon either, which no event tells of.
    assert {line["path"] for line in site.log()[before:]} == set(paths)
    assert tab.asked == ["Local cluster: any user name, an API key as the password"]
    tab.open(site.address + "/page/calls", *SIZES[0])
    heights = tab.value("[...document.querySelectorAll('.id')].map(each => each.getClientRects().length * each.offsetHeight)")
    assert (len(heights) >= 2, len(set(heights)), heights[0] < 30) == (True, 1, True), "ids are in one line"
    assert HOSTILE in tab.value("document.body.innerText")


def reached(site: Emulator) -> list[str]:
    """One page of each sort, found by its links as people do."""
    found = [link.partition("#")[0] for link in page(site, "/page/").links]
    inside = [link.partition("#")[0] for path in [*found, "/page/data"] for link in page(site, path).links]
    return list(dict.fromkeys(link for link in [*found, *inside] if link != "/page/"))


def take(tab: Browser, path: str, width: int) -> None:
    if PICTURES:
        tab.picture(Path(PICTURES) / f"{path.strip('/').replace('/', '-')[:60]}-{width}.png")
