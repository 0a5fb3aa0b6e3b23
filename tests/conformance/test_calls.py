"""Calls, their inputs, outputs and failures (PLATFORM.md §6)."""

import base64
import socket

import pytest
from clients import Library
from replies import Answer
from site_under_test import Algorithm, Site

BYTES = bytes(range(256))
MIB = 1024 * 1024
DEADLINE = 300


def post(site: Site, algorithm: Algorithm, body: str | bytes, content_type: str, query: str = "") -> Answer:
    return site.curl("POST", algorithm.call + query, body, {"Content-Type": content_type})


def test_json_input(site: Site, odd: Algorithm) -> None:
    reply = post(site, odd, '[1, {"a": null}]', "application/json")
    assert (reply.status, reply.at("result"), reply.at("metadata", "content_type")) == (200, [1, {"a": None}], "json")


@pytest.mark.parametrize("content_type", ["text/plain", "application/text", "text/plain; charset=utf-8"])
def test_text_input(site: Site, odd: Algorithm, content_type: str) -> None:
    reply = post(site, odd, '{"a": "☎"}', content_type)
    assert (reply.status, reply.at("result"), reply.at("metadata", "content_type")) == (200, '{"a": "☎"}', "text")


def test_binary_input(site: Site, odd: Algorithm) -> None:
    reply = post(site, odd, BYTES, "application/octet-stream")
    expected = (200, base64.b64encode(BYTES).decode(), "binary")
    assert (reply.status, reply.at("result"), reply.at("metadata", "content_type")) == expected


def test_unknown_content_type(site: Site, odd: Algorithm) -> None:
    reply = post(site, odd, "x", "image/png")
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (415, True)


@pytest.mark.parametrize("text", ["{", "NaN", "[1, Infinity]", '{"a": -Infinity}'])
def test_invalid_json(site: Site, odd: Algorithm, text: str) -> None:
    """NaN is not JSON either, although Python's parser accepts it."""
    reply = post(site, odd, text, "application/json")
    assert (reply.status, reply.at("error", "error_type")) == (400, "ParsingError")


@pytest.mark.parametrize("value", ["'text'", "None", "[1, 2.5, {'a': True}]", "{'deep': {'er': []}}"])
def test_library_calls(odd: Algorithm, site: Site, library: Library, value: str) -> None:
    reply = library.ask(f"client.algo('{odd.path}/{odd.commit}').pipe({value}).result == {value} and 'the same'")
    assert reply.value == "the same"


def test_library_sends_and_gets_bytes(site: Site, odd: Algorithm, library: Library) -> None:
    reply = library.ask(f"client.algo('{odd.path}/{odd.commit}').pipe(bytearray(range(256))).result")
    assert reply.value == BYTES.decode("latin-1")


def test_metadata(site: Site, odd: Algorithm, library: Library) -> None:
    reply = library.ask(f"client.algo('{odd.path}/{odd.commit}').pipe('x').metadata")
    assert (reply.names() >= {"content_type", "duration"}, reply.at("content_type")) == (True, "text")
    assert (isinstance(reply.at("duration"), float), "stdout" in reply.names()) == (True, False)


def test_metadata_has_a_request_id(site: Site, odd: Algorithm) -> None:
    reply = site.run(odd, 1)
    assert (reply.status, str(reply.at("metadata", "request_id"))[:4]) == (200, "req-")


@pytest.mark.parametrize("said", ["True", "true", "TRUE"])
def test_stdout(site: Site, odd: Algorithm, said: str) -> None:
    reply = site.run(odd, {"do": "print", "with": "spoken"}, f"?stdout={said}")
    assert reply.at("metadata", "stdout") == "spoken\nfrom a child\n"


@pytest.mark.parametrize("said", ["False", "false"])
def test_stdout_is_not_requested(site: Site, odd: Algorithm, said: str) -> None:
    reply = site.run(odd, {"do": "print", "with": "spoken"}, f"?stdout={said}")
    assert (reply.at("result"), "stdout" in reply.names("metadata")) == ("spoken", False)


def test_stdout_is_for_the_owner_only(site: Site, speaker: Algorithm) -> None:
    reply = site.curl("POST", f"/v1/algo/{speaker.path}?stdout=true", "1", {"Content-Type": "application/json"}, site.other)
    assert (reply.at("result"), "stdout" in reply.names("metadata")) == (1, False)


def test_library_asks_for_stdout(site: Site, odd: Algorithm, library: Library) -> None:
    called = f"client.algo('{odd.path}/{odd.commit}').set_options(stdout=True)"
    reply = library.ask(called + ".pipe({'do': 'print', 'with': 'spoken'}).metadata.stdout")
    assert reply.value == "spoken\nfrom a child\n"


@pytest.mark.parametrize(
    ("what", "body", "content_type"),
    [("text", b"text", "text/plain"), ("bytes", BYTES, "application/octet-stream"), ("value", b"[1]", "application/json")],
)
def test_raw_output(site: Site, odd: Algorithm, what: str, body: bytes, content_type: str) -> None:
    asked: object = {"text": "text", "bytes": {"do": "bytes"}, "value": [1]}[what]
    reply = site.run(odd, asked, "?output=raw")
    assert (reply.status, reply.body, reply.headers.get("content-type", "").partition(";")[0]) == (200, body, content_type)


def test_raw_output_of_a_failure(site: Site, odd: Algorithm) -> None:
    reply = site.run(odd, {"do": "raise", "with": "spoken"}, "?output=raw")
    assert (reply.status, reply.body) == (400, b"spoken")


def test_library_asks_for_raw_output(site: Site, odd: Algorithm, library: Library) -> None:
    reply = library.ask(f"client.algo('{odd.path}/{odd.commit}').set_options(output=OutputType.raw).pipe('text')")
    assert reply.value == "text"


def test_void_output(site: Site, odd: Algorithm) -> None:
    reply = site.run(odd, 1, "?output=void")
    assert (reply.status, reply.at("async"), str(reply.at("request_id"))[:4]) == (200, "void", "req-")


def test_library_asks_for_void_output(site: Site, odd: Algorithm, library: Library) -> None:
    reply = library.ask(f"client.algo('{odd.path}/{odd.commit}').set_options(output=OutputType.void).pipe('text')")
    assert (reply.error, str(reply.at("request_id"))[:4]) == ("", "req-")


def test_failure(site: Site, odd: Algorithm) -> None:
    reply = site.run(odd, {"do": "raise", "with": "spoken"})
    assert (reply.status, reply.at("error", "message"), reply.at("error", "error_type")) == (200, "spoken", "AlgorithmError")
    assert ("ValueError: spoken" in str(reply.at("error", "stacktrace")), reply.names()) == (True, {"error", "metadata"})
    assert isinstance(reply.at("metadata", "duration"), float)


def test_library_raises_failure(site: Site, odd: Algorithm, library: Library) -> None:
    reply = library.ask(f"client.algo('{odd.path}/{odd.commit}').pipe({{'do': 'raise', 'with': 'spoken'}})")
    assert (reply.error, "spoken" in reply.message) == ("AlgorithmException", True)


def test_stack_trace_needs_visible_source(site: Site, speaker: Algorithm) -> None:
    path = f"/v1/algo/{speaker.path}"
    replies = [site.curl("POST", path, '"no"', {"Content-Type": "application/json"}, key) for key in (site.curl.key, site.other)]
    assert [reply.at("error", "message") for reply in replies] == ["no number"] * 2
    assert ["no number" in str(reply.at("error", "stacktrace")) for reply in replies] == [True, False]


def test_not_found(site: Site) -> None:
    reply = site.curl("POST", f"/v1/algo/{site.user}/None", "1", {"Content-Type": "application/json"})
    assert (reply.status, reply.at("error", "message")) == (404, f"algorithm algo://{site.user}/None not found")


def test_library_reports_a_missing_algorithm(site: Site, odd: Algorithm, library: Library) -> None:
    """2.0.5 shows the status only. 1.7.10 reads the body of any status."""
    there = library.ask(f"client.algo('{odd.path}/{odd.commit}').pipe(1).result")
    reply = library.ask(f"client.algo('{site.user}/None').pipe(1)")
    shown = {"Exception": "<Response [404]>", "AlgorithmException": f"algorithm algo://{site.user}/None not found"}
    assert (there.value, shown.get(reply.error, "(nothing)") in reply.message) == (1, True)


def test_timeout(site: Site, odd: Algorithm) -> None:
    """The error says that the time is over. Child processes of the algorithm end too: one holds a connection, which is closed."""
    warm = site.run(odd, 1)
    assert warm.at("result") == 1
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE)
        reply = site.run(odd, {"do": "child", "with": server.getsockname()[1]}, "?timeout=5")
        assert (reply.status, reply.at("error", "error_type")) == (200, "TimeoutError")
        assert "timed out" in str(reply.at("error", "message")), reply
        with server.accept()[0] as held:
            held.settimeout(DEADLINE)
            assert held.recv(1) == b""


def test_timeout_above_the_maximum(site: Site, odd: Algorithm) -> None:
    """The request is accepted. The suite cannot wait 3000 s to see the limit."""
    reply = site.run(odd, 1, "?timeout=99999")
    assert (reply.status, reply.at("result")) == (200, 1)


def test_my_is_not_an_owner(site: Site, hello: Algorithm) -> None:
    """There is no evidence about `.my` here. An algorithm that works without it works on every cluster."""
    reply = site.curl("POST", f"/v1/algo/.my/{hello.name}/{hello.commit}", "1", {"Content-Type": "application/json"})
    assert (reply.status, reply.at("error", "message")) == (404, f"algorithm algo://.my/{hello.name}/{hello.commit} not found")


def test_timing(site: Site, odd: Algorithm) -> None:
    reply = site.run(odd, 1, "?timing=1")
    assert (reply.status, reply.names("metadata", "timing")) == (200, {"running", "total"})


def test_unknown_query_is_harmless(site: Site, odd: Algorithm) -> None:
    reply = site.run(odd, 1, "?anything=else")
    assert (reply.status, reply.at("result")) == (200, 1)


@pytest.mark.parametrize(("size", "status"), [(10 * MIB, 200), (10 * MIB + 1, 413)])
def test_input_limit(site: Site, odd: Algorithm, size: int, status: int) -> None:
    """Exactly the maximum size is accepted, one byte more is not."""
    around = b'{"do": "length", "with": "%s"}'
    length = size - len(around % b"")
    reply = post(site, odd, around % (b"x" * length), "application/json")
    expected = (200, length, None) if status == 200 else (413, None, "TooLargeError")
    assert (reply.status, reply.at("result"), reply.at("error", "error_type")) == expected


@pytest.mark.parametrize(("size", "kept"), [(15 * MIB - 1024, True), (15 * MIB, False)])
def test_output_limit(site: Site, odd: Algorithm, size: int, kept: bool) -> None:
    """The limit applies to the reply, which is little larger than the result."""
    reply = site.run(odd, {"do": "big", "with": size})
    expected = (size, None) if kept else (0, "TooLargeError")
    assert (len(reply.at("result") or ""), reply.at("error", "error_type")) == expected
    assert reply.status in ((200,) if kept else (200, 413))


def test_result_that_is_not_json(site: Site, odd: Algorithm) -> None:
    reply = site.run(odd, {"do": "set"})
    assert (reply.status, isinstance(reply.at("error", "message"), str), reply.at("result")) == (200, True, None)


@pytest.mark.parametrize(("what", "code"), [("exit", 3), ("die", 4)])
def test_process_that_exits(site: Site, odd: Algorithm, what: str, code: int) -> None:
    reply = site.run(odd, {"do": what, "with": code})
    assert (reply.status, reply.at("error", "error_type"), str(code) in str(reply.at("error", "message"))) == (
        200,
        "SystemExit",
        True,
    )
    after = site.run(odd, 1)
    assert after.at("result") == 1


def test_none_result(site: Site, odd: Algorithm) -> None:
    reply = site.run(odd, {"do": "none"})
    assert (reply.status, reply.names(), reply.at("result")) == (200, {"result", "metadata"}, None)


@pytest.fixture(scope="session")
def speaker(site: Site) -> Algorithm:
    """A public algorithm with closed source, which prints, and accepts numbers only."""
    source = (
        "def apply(input):\n    print(input)\n    if not isinstance(input, int):\n"
        "        raise ValueError('no number')\n    return input\n"
    )
    return site.published(site.built(source), "public")
