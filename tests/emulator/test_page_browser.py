"""The pages in a real browser, as on a phone and on a desktop, after a rehearsal with hostile values."""

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
"""The folder for screenshots."""


@pytest.fixture
def tab(site: Emulator, tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "profile", site.key) as opened:
        yield opened


def test_pages_on_a_phone_and_on_a_desktop(site: Emulator, tab: Browser) -> None:
    rehearse(site)
    paths = ["/page/", *one_of_each_kind(site)]
    assert len(paths) == 10
    before = len(site.log())
    for path in paths:
        for width, height in SIZES:
            tab.open(site.address + path, width, height, dark=width < 600)
            # A phone would widen its window, and a desktop browser would scroll.
            wide = tab.value("scrollTo(1e6, 0), [innerWidth, scrollX]")
            assert (path, wide) == (path, [width, 0])
            assert (path, tab.dialogs, tab.requests) == (path, [], [site.address + path])
            assert tab.value("document.scripts.length + document.images.length") == 0
            # The style is applied, so its hash is right.
            assert tab.value("getComputedStyle(document.body).marginTop") == "0px"
            save_picture(tab, path, width)
    # No favicon was requested either. No event reports those.
    assert {line["path"] for line in site.log()[before:]} == set(paths)
    assert tab.asked == ["Local cluster: any user name, an API key as the password"]
    tab.open(site.address + "/page/calls", *SIZES[0])
    heights = tab.value("[...document.querySelectorAll('.id')].map(each => each.getClientRects().length * each.offsetHeight)")
    assert (len(heights) >= 2, len(set(heights)), heights[0] < 30) == (True, 1, True), "an id takes more than one line"
    assert HOSTILE in tab.value("document.body.innerText")


def one_of_each_kind(site: Emulator) -> list[str]:
    """At least one page of each kind, found by links."""
    found = [link.partition("#")[0] for link in page(site, "/page/").links]
    inside = [link.partition("#")[0] for path in [*found, "/page/data"] for link in page(site, path).links]
    (collection,) = {link for link in inside if link.startswith("/page/data/")}
    file = next(link for link in page(site, collection).links if link.startswith(collection + "/"))
    return list(dict.fromkeys(link for link in [*found, *inside, file] if link != "/page/"))


def save_picture(tab: Browser, path: str, width: int) -> None:
    if PICTURES:
        tab.picture(Path(PICTURES) / f"{path.strip('/').replace('/', '-')[:60]}-{width}.png")
