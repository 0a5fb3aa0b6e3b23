"""Mutated requests that have caused faults before."""

import pytest
from dulwich.protocol import pkt_line
from emulated import Emulator
from mutated import basic

ZERO = b"0" * 40


@pytest.mark.parametrize("evil", ["%0d%0aX-Evil:%201", "%0aX", "a%00b", "%1b[31m", "%7f", "%F0%9F%98%80"])
def test_an_error_header_that_quotes_the_request(site: Emulator, evil: str) -> None:
    refused = site.request("HEAD", f"/v1/connector/{evil}/file")
    assert (refused.status, "x-evil" in refused.headers) == (400, False)
    assert refused.headers["x-error-message"].startswith("unsupported connector ")
    assert refused.headers["x-error-message"].isprintable()


@pytest.fixture(scope="module")
def pushed(site: Emulator) -> str:
    site.create("Found")
    return "/git/local/Found.git"


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("receive-pack", pkt_line(ZERO + b" " + ZERO + b" refs/heads/x\0report-status\0") + b"0000"),
        ("receive-pack", pkt_line(b"\xff\xfe") + b"0000"),
        ("upload-pack", b"0004" * 3),
        ("upload-pack", pkt_line(b"\x9b\xff nonsense") + b"0000"),
        ("upload-pack", pkt_line(b"want " + b"\xff" * 40 + b" side-band-64k thin-pack ofs-delta") + b"0000"),
        ("upload-pack", pkt_line(b"want " + ZERO + b" side-band-64k thin-pack ofs-delta") + pkt_line(b"have x") + b"0009done\n"),
    ],
)
def test_invalid_requests_of_git(site: Emulator, pushed: str, service: str, body: bytes) -> None:
    headers = {"Authorization": basic("local", site.key).decode(), "Content-Type": f"application/x-git-{service}-request"}
    refused = site.request("POST", f"{pushed}/git-{service}", body, headers)
    assert (refused.status, refused.json["error"]["message"].partition(":")[0]) == (400, "Not git's protocol")
