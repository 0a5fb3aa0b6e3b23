"""Values for requests that try to break a server. All of them have broken some server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Header = tuple[bytes, bytes]

SEGMENT_WORDS = r"""
    .. . ..%2f..%2fbeside %2e%2e ..%5c..%5c ..\..\beside %252e%252e%252f %c0%ae%c0%ae%c0%af ~ %2f %00 a%00b %ff%fe %ed%a0%80
    %F0%9F%98%80 %e2%80%ae %0d%0aX-Evil:%201 %zz % %u002e * - --help $(id) ';DROP%20TABLE%20keys;-- {owner} {{7*7}} 0 -1 NaN 1e9
    .my .session .algo temp perm local other latest latestPrivate 1.0.0 x.git con nul. 00000000-0000-0000-0000-000000000000 ..;
    %2e%2e;x file: algo: data: etc%2fpasswd cluster.json ; ? #
"""
SEGMENTS = [
    *SEGMENT_WORDS.split(),
    *("a" * 300, "%41" * 300, "a" * 5000, "9" * 40, "0" * 40),
]
"""Values for paths."""

PREFIXES = ["http://evil.example", "/", "//evil.example", "*", "", "/./", "/x/..", "\\"]
SEPARATORS = ["%2f", "%252f", "//", "/./", "/%2e%2e/", "\\", "%5c"]

PARAMETER_WORDS = """
    marker limit acl force published callable timeout output stdout timing service since until after nonce versions id x
"""
PARAMETERS = PARAMETER_WORDS.split()

TEXT_WORDS = """
    0 -1 1 1000 1001 1e400 nan inf true True null raw void %00 %ff %ed%a0%80 YQ== YQ ____ /etc/passwd ..%2f 2020-01-01T00:00:00Z
    9999-99-99 git-upload-pack git-receive-pack %F0%9F%98%80 0x10 \u0661 1_0 +5 %20 a&a=b [] {}
"""
TEXTS = [
    *TEXT_WORDS.split(),
    *("", "9" * 25, "a" * 4000),
]
"""Values for queries."""

NUMBERS: list[Any] = [0, -1, -0.0, 2**63, -(2**63) - 1, 10**400, 1e308, float("nan"), float("inf")]
STRINGS = ["", "\0", "\ud800", "a\udfffb", "x" * 5000, "\u202e", "\n", "é" * 40, "1; --", "0" * 40]
NAME_WORDS = """
    ../../beside/kept Name local public private major algo://.my/* user://* %00 00000000-0000-0000-0000-000000000000
"""
CONTAINERS: list[Any] = [[], {}, [[]], {"": {}}, [None, 1, "x"], {"a": {"b": {"c": [1]}}}]
VALUES = [None, True, False, *NUMBERS, *STRINGS, *NAME_WORDS.split(), *CONTAINERS]
"""Values for JSON."""

DOCUMENTS = [b"null", b"[]", b"0", b'"x"', b"NaN", b"-", b'{"name":1,"name":2}', b'{"a":' + b"9" * 5000 + b"}"]
PACKETS = [b"0000", b"0001", b"0003", b"0004", b"fff0", b"zzzz", b"0009done\n", b"-001"]

KINDS = [
    *b"""application/json text/plain text/json application/octet-stream application/text multipart/form-data
    application/x-www-form-urlencoded */* ;;; \xff/\xfe application/json;charset=utf-16 application/x-git-upload-pack-request
    application/x-git-receive-pack-request""".split(),
    *(b"", b"a" * 3000),
]
HEADERS: list[Header] = [
    *((b"Content-Type", kind) for kind in KINDS),
    *((b"Accept", kind) for kind in KINDS[:6]),
    *((b"Content-Encoding", value) for value in (b"gzip", b"x-gzip", b"deflate", b"identity", b"br, gzip")),
    *((b"Range", value) for value in (b"bytes=0-0", b"bytes=" + b"0-," * 500, b"bytes=9-1", b"lines=1")),
    *((b"Authorization", value) for value in (b"Simple x", b"Basic ====", b"\xff\xff", b"Basic " + b"A" * 3000)),
    *((b"Host", value) for value in (b"evil.example", b"", b"localhost", b"127.0.0.1:1", b"\xff")),
    *((b"Origin", value) for value in (b"null", b"http://evil.example", b"")),
    *((b"Git-Protocol", value) for value in (b"version=2", b"version=1", b"\xff")),
    *((b"Connection", value) for value in (b"close", b"keep-alive", b"upgrade", b"Content-Length")),
    *((b"Upgrade", value) for value in (b"websocket", b"h2c")),
    *((b"Expect", value) for value in (b"100-continue", b"the-unexpected")),
    *((b"X-Odd", value) for value in (b"a" * 9000, b"a" * 40000, b"\x80\x81\xff")),
    (b"X-HTTP-Method-Override", b"DELETE"),
    (b"X-Forwarded-Proto", b"https"),
    (b"Cookie", b"session=1"),
    (b"If-None-Match", b"*"),
    (b"If-Modified-Since", b"nonsense"),
]
METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "X" * 50]
UNKNOWN_KEYS = [
    None,
    *(b"", b"Simple sim0000000000000000000000000", b"simx", b"Bearer x.y.z", b"Basic bG9jYWw6eA==", b"Basic %%%", b"\xff\xfe"),
]

FRAMINGS: list[Callable[[bytes], tuple[list[Header], bytes]]] = [
    lambda body: ([(b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")], body),
    lambda body: ([(b"Content-Length", b"-1")], body),
    lambda body: ([(b"Content-Length", b"1"), (b"Content-Length", b"2")], body),
    lambda body: ([(b"Content-Length", b"1, 1")], body),
    lambda body: ([(b"Content-Length", b"+5")], body),
    lambda body: ([(b"Content-Length", b"0x5")], body),
    lambda body: ([(b"Content-Length", b"9" * 19)], body),
    lambda body: ([(b"Content-Length", b"9" * 30)], body),
    lambda body: ([(b"Content-Length", b"%d" % (len(body) + 10))], body),
    lambda body: ([(b"Transfer-Encoding", b"chunked")], b"FFFFFFFFFFFFFFFFFFFFFFFF\r\n" + body),
    lambda body: ([(b"Transfer-Encoding", b"chunked")], b"-5\r\n" + body + b"\r\n0\r\n\r\n"),
    lambda body: ([(b"Transfer-Encoding", b"chunked")], b"5;" + b"x" * 9000 + b"\r\n" + body),
    lambda body: ([(b"Transfer-Encoding", b"chunked")], b"3\r\nabcdef\r\n0\r\n\r\n" + body),
    lambda body: ([(b"Transfer-Encoding", b"chunked")], b"%x\r\n%b" % (len(body) + 1, body)),
    lambda body: ([(b"Transfer-Encoding", b"gzip, chunked")], b"0\r\n\r\n"),
    lambda body: ([(b"Transfer-Encoding", b"\x0bchunked")], b"0\r\n\r\n"),
    lambda body: ([(b" Content-Length", b"5")], body),
    lambda body: ([(b"A\r\n B", b"folded")], body),
    lambda body: ([(b"\x00", b"\x00")], body),
]
"""Framing of messages whose end is unknown or wrong."""
