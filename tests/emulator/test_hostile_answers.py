"""Results that no reply can represent, and inputs that nobody reads. They are errors of the algorithm, not of the server."""

from pathlib import Path

import pytest
from emulated import Emulator, until

NESTS = """
def apply(input):
    found = []
    for _ in range(input):
        found = [found]
    return found
"""

FORGES = """
import os, stat
def apply(input):
    for descriptor in range(3, 16):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"1 " + input.encode() + b"\\n")
        except OSError:
            pass
    return "honest"
"""

DOCUMENTS = [
    *("[]", "null", "1", '"text"', "{}", "[" * 100_000, "[" * 980 + "]" * 980, '{"result": ' + "[" * 980 + "]" * 980 + "}"),
    *(
        '{"error": []}',
        '{"error": {"message": {"a": 1}}}',
        '{"error": {"message": ' + "[" * 980 + "]" * 980 + "}}",
        '{"error": {}}',
    ),
    *(
        '{"error": {"error_type": 1}}',
        '{"error": {"message": null}}',
        '{"metadata": []}',
        '{"result": "\\ud800"}',
        '{"result": NaN}',
    ),
    *('{"result": "x", "metadata": {"content_type": "binary"}}', '{"result": 1, "metadata": {"content_type": "text"}}'),
    *('{"result": ' + "[" * 980 + "]" * 980 + ', "metadata": {"content_type": "text"}}', '{"result": ' + "9" * 5000 + "}"),
]


@pytest.mark.parametrize("depth", [500, *range(900, 1010, 15), 1100])
def test_a_deeply_nested_result_is_returned_or_an_error(site: Emulator, nests: str, depth: int) -> None:
    for query in ("", "?output=raw"):
        reply = site.request("POST", f"/v1/algo/{nests}{query}", str(depth), {"Content-Type": "application/json"})
        if depth == 500:
            assert reply.body.startswith(b'{"result":[[[' if not query else b"[[[")
        assert reply.status in ((200, 400) if query else (200,)), depth


@pytest.mark.parametrize("depth", [900, 940, 960, 970, 980, 985, 990, 995, 1000, 1100])
def test_a_deeply_nested_input_is_accepted_or_refused(site: Emulator, nests: str, depth: int) -> None:
    """The input is no number either, so the algorithm fails, and the list of errors has the beginning of the input."""
    body = b"[" * depth + b"]" * depth
    reply = site.request("POST", f"/v1/algo/{nests}", body, {"Content-Type": "application/json"})
    assert reply.status in (200, 400)
    assert set(reply.json) <= {"error", "metadata"}
    assert site.call(nests, 0)["result"] == []


@pytest.fixture(scope="module")
def nests(site: Emulator) -> str:
    return site.deploy("Nests", NESTS)


@pytest.fixture(scope="module")
def forges(site: Emulator) -> str:
    return site.deploy("Answers", FORGES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document[:40])
def test_no_answer_of_a_runner_is_an_error_of_the_server(site: Emulator, forges: str, document: str) -> None:
    for query in ("", "?output=raw"):
        reply = site.request("POST", f"/v1/algo/{forges}{query}", document.encode(), {"Content-Type": "text/plain"})
        assert reply.status in ((200, 400) if query else (200,))


def test_an_unread_input_ends_with_the_timeout(site: Emulator, tmp_path: Path) -> None:
    """Two megabytes exceed any pipe's buffer. A stopped worker reads none of them."""
    code = r"""
import os, signal, subprocess, sys
def apply(input):
    if input.startswith("/"):
        wait = f"import os, time\nwhile not os.path.exists({input!r}): time.sleep(0.01)\n"
        subprocess.Popen([sys.executable, "-c", f"{wait}os.kill({os.getpid()}, {signal.SIGSTOP})"])
        return os.getpid()
    return input[:3]
"""
    reference, answered = site.deploy("Stopped", code), tmp_path / "answered"
    pid = site.call(reference, str(answered))["result"]
    answered.touch()
    until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T"))
    assert site.call(reference, "x" * 2_000_000, "?timeout=1")["error"]["error_type"] == "TimeoutError"
    assert site.call(reference, "x" * 2_000_000)["result"] == "xxx"
