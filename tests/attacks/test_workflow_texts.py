"""Hostile workflow files: refused with the right location, or read correctly, digit by digit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzzing import bounded

from algosync import workflow
from algosync.core.error import WorkflowError


def faults(folder: Path, name: str, text: str | bytes) -> list[tuple[int, int, str]]:
    """Return line, column and code of each fault. Refusing is fast, and no message contains control characters."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(WorkflowError) as caught, bounded(name):
        workflow.load(path, {})
    assert all(fault.message.isprintable() for fault in caught.value.faults)
    return [(fault.line, fault.column, fault.code) for fault in caught.value.faults]


def in_yaml(payload: str) -> str:
    """Return a workflow whose payload starts on line 5, column 5."""
    return f"algorithms:\n- name: A\n  language: python3\n  test_payload:\n    {payload}\n"


def in_json(payload: str) -> str:
    """Return a workflow whose payload starts on line 3, column 2."""
    return f'{{"algorithms": [{{"name": "A", "language": "python3",\n"test_payload":\n {payload}}}]}}'


def laughs(template: str) -> str:
    """Nine lines that expand to 10⁹ values."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"] if "<<" not in template else ["a: &a {k: v}"]
    lines += [f"{b}: &{b} " + template.format(", ".join([f"*{a}"] * 10)) for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    return "\n".join(lines) + "\n"


NUL, ESCAPE, CSI, NEXT_LINE = "\x00", "\x1b", "\x9b", "\x85"
WIDE = "0x" + "f" * 5000

YAML = [
    pytest.param(in_yaml("&x [*x]"), [(5, 9, "alias-cycle")], id="alias-in-itself"),
    pytest.param(in_yaml("&x {<<: *x}"), [(5, 13, "alias-cycle")], id="merge-of-itself"),
    pytest.param(in_yaml("*x"), [(5, 5, "unknown-alias")], id="alias-of-nothing"),
    pytest.param(in_yaml("{<<: 1}"), [(5, 10, "merge")], id="merge-of-a-number"),
    pytest.param(laughs("[{}]"), [(7, 8, "too-large")], id="billion-laughs"),
    pytest.param(laughs("{{<<: [{}]}}"), [(7, 29, "too-large")], id="billion-laughs-by-merge"),
    pytest.param(
        "a: &a " + "x" * 1_000_000 + "\nb: [" + "*a, " * 100 + "]", [(2, 269, "too-large")], id="million-letters-hundredfold"
    ),
    pytest.param(in_yaml("!!python/object/apply:os.system [id]"), [(5, 5, "tag")], id="tag-that-calls"),
    pytest.param(in_yaml("!!binary aGk="), [(5, 5, "tag")], id="tag-binary"),
    pytest.param(in_yaml("!!float 1"), [(5, 5, "tag")], id="tag-float"),
    pytest.param(in_yaml("!own {a: 1}"), [(5, 5, "tag")], id="tag-of-ones-own"),
    pytest.param(in_yaml("[" * 98 + "]" * 98), [(5, 102, "too-deep")], id="just-too-deep"),
    pytest.param("[" * 100_000, [(1, 101, "too-deep")], id="deep-lists"),
    pytest.param("- " * 100_000, [(1, 201, "too-deep")], id="deep-blocks"),
    pytest.param("{a: " * 100_000, [(1, 401, "too-deep")], id="deep-maps"),
    pytest.param("? " * 100_000, [(1, 201, "too-deep")], id="deep-keys"),
    pytest.param(in_yaml("1") + "---\n" + in_yaml("2"), [(6, 1, "second-document")], id="two-documents"),
    pytest.param(in_yaml("{1: a}"), [(5, 6, "key-not-text")], id="key-number"),
    pytest.param(in_yaml("{null: a, ~: b}"), [(5, 6, "key-not-text"), (5, 15, "key-not-text")], id="key-null"),
    pytest.param(in_yaml("{true: a}"), [(5, 6, "key-not-text")], id="key-boolean"),
    pytest.param(in_yaml("{[a]: b}"), [(5, 6, "key-not-text")], id="key-list"),
    pytest.param(in_yaml("{014: b}"), [(5, 6, "number-ambiguous")], id="key-ambiguous"),
    pytest.param(in_yaml("{a: 1, a: 2}"), [(5, 12, "duplicate-key")], id="duplicate-key"),
    pytest.param(in_yaml('{a: 1, "\\x61": 2}'), [(5, 12, "duplicate-key")], id="duplicate-key-escaped"),
    pytest.param(b"\xef\xbb\xbf" + in_yaml("1").encode(), [(1, 1, "encoding")], id="byte-order-mark"),
    pytest.param(in_yaml("1").encode("utf-16"), [(1, 1, "encoding")], id="utf-16"),
    pytest.param(in_yaml("é").encode("latin-1"), [(5, 5, "encoding")], id="latin-1"),
    pytest.param(b"a: \xc0\xaf", [(1, 4, "encoding")], id="overlong-utf-8"),
    pytest.param(b"a: \xed\xa0\x80", [(1, 4, "encoding")], id="surrogate-in-utf-8"),
    pytest.param(in_yaml(f"a{NUL}b"), [(5, 6, "control-character")], id="nul"),
    pytest.param(in_yaml(f"'{ESCAPE}[31m'"), [(5, 6, "control-character")], id="escape"),
    pytest.param(in_yaml(f"a{CSI}31m"), [(5, 6, "control-character")], id="c1-control"),
    pytest.param(in_yaml(f"'a{NEXT_LINE}b'"), [(5, 7, "control-character")], id="next-line"),
    pytest.param(in_yaml("a\u2028b"), [(5, 6, "control-character")], id="line-separator"),
    pytest.param("algorithms:\n\t- name: A", [(2, 1, "syntax")], id="tab-as-indentation"),
    pytest.param("%YAML 3.0\n---\na: 1", [(1, 1, "syntax")], id="version-of-the-future"),
    pytest.param("%TAG ! tag:x,2000:\n---\n!a b", [(3, 1, "tag"), (3, 1, "type")], id="tag-directive"),
    pytest.param("", [(1, 1, "empty")], id="empty"),
    pytest.param("# nothing\n", [(1, 1, "empty")], id="comment-only"),
    pytest.param(in_yaml("014"), [(5, 5, "number-ambiguous")], id="octal-or-decimal"),
    pytest.param(in_yaml("[007, -08, 00.5]"), [(5, c, "number-ambiguous") for c in (6, 11, 16)], id="leading-zeros"),
    pytest.param(in_yaml("[.inf, -.INF, .nan]"), [(5, c, "number-not-json") for c in (6, 12, 19)], id="not-finite"),
    pytest.param(in_yaml(WIDE), [(5, 5, "number-not-json")], id="hexadecimal-of-5000-digits"),
]

JSON = [
    pytest.param("", [(1, 1, "empty")], id="empty"),
    pytest.param("[" * 100_000, [(1, 102, "too-deep")], id="deep-lists"),
    pytest.param('{"a":' * 100_000, [(1, 506, "too-deep")], id="deep-maps"),
    pytest.param(in_json('{"a": 1, "a": 2}'), [(3, 11, "duplicate-key")], id="duplicate-key"),
    pytest.param(in_json('{"a": 1, "\\u0061": 2}'), [(3, 11, "duplicate-key")], id="duplicate-key-escaped"),
    pytest.param(in_json("NaN"), [(3, 2, "number-not-json")], id="nan"),
    pytest.param(in_json("[Infinity, -Infinity]"), [(3, 3, "number-not-json"), (3, 13, "number-not-json")], id="infinity"),
    pytest.param(in_json('"\\ud800"'), [(3, 2, "lone-surrogate")], id="high-surrogate"),
    pytest.param(in_json('"\\udc00\\ud800"'), [(3, 2, "lone-surrogate")], id="surrogates-turned-around"),
    pytest.param(in_json('{"\\udfff": 1}'), [(3, 3, "lone-surrogate")], id="surrogate-in-a-key"),
    pytest.param(in_json("014"), [(3, 2, "syntax")], id="leading-zero"),
    pytest.param(in_json("0x1F"), [(3, 2, "syntax")], id="hexadecimal"),
    pytest.param(in_json("1_000"), [(3, 2, "syntax")], id="underscore"),
    pytest.param(in_json("+1"), [(3, 2, "syntax")], id="plus"),
    pytest.param(in_json("[.5]"), [(3, 3, "syntax")], id="no-digit-before-the-point"),
    pytest.param(in_json("[1.]"), [(3, 3, "syntax")], id="no-digit-behind-the-point"),
    pytest.param(in_json("\u0661"), [(3, 2, "syntax")], id="digit-of-another-script"),
    pytest.param(in_json("'a'"), [(3, 2, "syntax")], id="single-quotes"),
    pytest.param(in_json("// a\n1"), [(3, 2, "syntax")], id="comment"),
    pytest.param(in_json("[1,]"), [(3, 4, "syntax")], id="trailing-comma"),
    pytest.param(in_json("[1,,2]"), [(3, 5, "syntax")], id="two-commas"),
    pytest.param(in_json("1") + " {}", [(3, 7, "syntax")], id="two-documents"),
    pytest.param(in_json("1") + NUL, [(3, 6, "syntax")], id="nul-at-the-end"),
    pytest.param(in_json(f'"a{NUL}"'), [(3, 4, "syntax")], id="nul-in-a-text"),
    pytest.param(in_json('"a\tb"'), [(3, 4, "syntax")], id="tab-in-a-text"),
    pytest.param(in_json('"a\nb"'), [(3, 4, "syntax")], id="line-break-in-a-text"),
    pytest.param(in_json('"\\x41"'), [(3, 3, "syntax")], id="escape-of-another-language"),
    pytest.param(in_json("[1")[:-3], [(3, 4, "syntax")], id="cut-off"),
    pytest.param(b"\xef\xbb\xbf" + in_json("1").encode(), [(1, 1, "encoding")], id="byte-order-mark"),
    pytest.param("\u00a0" + in_json("1"), [(1, 1, "syntax")], id="no-break-space"),
]

FILES = '{{"algorithms": [{{"name": "A", "language": "x", "data_files": [\n{}]}}]}}'


def files(*names: str) -> str:
    entries = (json.dumps({"source": f"data://.my/c/f{number}", "name": name}) for number, name in enumerate(names))
    return FILES.format(",\n".join(entries))


NAMES = [
    pytest.param(files("a.pb", "a.pb"), [(3, 1, "duplicate-data-file")], id="twice"),
    pytest.param(files("a.pb", "A.pb"), [(3, 1, "duplicate-data-file")], id="differ-by-case"),
    pytest.param(files("caf\u00e9", "cafe\u0301"), [(3, 1, "duplicate-data-file")], id="differ-by-normal-form"),
    pytest.param(files("CAFE\u0301", "caf\u00e9"), [(3, 1, "duplicate-data-file")], id="differ-by-case-and-normal-form"),
    pytest.param(files("ab", "a\u200bb"), [(3, 1, "duplicate-data-file")], id="differ-by-zero-width-space"),
    pytest.param(FILES.format('"data://.my/a/m.pb",\n"data://.my/b/m.pb"'), [(3, 1, "duplicate-data-file")], id="one-basename"),
    pytest.param(files(".."), [(2, 39, "invalid-name")], id="dots"),
    pytest.param(files("a/b"), [(2, 39, "invalid-name")], id="slash"),
    pytest.param(files("a\\b"), [(2, 39, "invalid-name")], id="backslash"),
    pytest.param(files("a\n"), [(2, 39, "invalid-name")], id="line-break"),
    pytest.param(files(f"a{ESCAPE}]8;;x"), [(2, 39, "invalid-name")], id="terminal-link"),
    pytest.param(files("a\u202egnp.exe"), [(2, 39, "invalid-name")], id="turned-around"),
    pytest.param(files("a "), [(2, 39, "invalid-name")], id="space-at-the-end"),
    pytest.param(files("é" * 128), [(2, 39, "invalid-name")], id="256-bytes"),
    pytest.param(FILES.format('"data://.my/../x"'), [(2, 1, "invalid-uri")], id="collection-of-dots"),
    pytest.param(FILES.format('"data://.my/a/b/c"'), [(2, 1, "invalid-uri")], id="folder-in-a-collection"),
    pytest.param(FILES.format('"file:///etc/passwd"'), [(2, 1, "invalid-uri")], id="data-file-from-this-machine"),
    pytest.param(
        '{"algorithms": [{"name": "Hello", "language": "x"},\n{"name": "HELLO", "language": "x"}]}',
        [(2, 10, "duplicate-algorithm")],
        id="algorithms-differ-by-case",
    ),
    pytest.param('{"algorithms": [{"name": "H\u0435llo", "language": "x"}]}', [(1, 26, "invalid-name")], id="algorithm-homograph"),
    pytest.param('{"algorithms": [{"name": "A\\n", "language": "x"}]}', [(1, 26, "invalid-name")], id="algorithm-with-line-break"),
    pytest.param('{"algorithms": [{"name": "__init__", "language": "x"}]}', [(1, 26, "invalid-name")], id="algorithm-dunder"),
    pytest.param(
        '{"algorithms": [{"name": "A", "language": "x"}], "test_info": {"entrypoint": "A", "tests": [\n'
        '{"name": "t", "payload": 1},\n{"name": "t", "payload": 2}]}}',
        [(3, 10, "duplicate-test")],
        id="tests-of-one-name",
    ),
]

ALIKE = [
    *("0", "1", "-1", "1.0", "-0.0", "-0", "1.10", "0.1e-7", "1E5", "1e999", "-1e999", "12345678901234567890.123"),
    *("9" * 5000, "0." + "3" * 5000, '"\\u0000"', '"014"', '"no"'),
]
SENT_YAML = [
    *((text, json.dumps(text)) for text in ("no", "No", "off", "on", "y", "1:20", "190:20:30", "1_000", "0b11", "1__0", "2_")),
    *(
        (text, json.dumps(text))
        for text in ("2020-01-01", "2001-12-14t21:59:43.10-05:00", "012:30", "08.12.2020", "=", "0o8", "0O14")
    ),
    *(("0o14", "12"), ("0x1F", "31"), (".5", "0.5"), ("1.", "1.0"), ("+1", "1"), ("True", "true"), ("~", "null"), ("", "null")),
]


@pytest.mark.parametrize(("text", "expected"), YAML)
def test_hostile_yaml(tmp_path: Path, text: str | bytes, expected: list[tuple[int, int, str]]) -> None:
    assert faults(tmp_path, "w.yaml", text) == expected


@pytest.mark.parametrize(("text", "expected"), JSON)
def test_hostile_json(tmp_path: Path, text: str | bytes, expected: list[tuple[int, int, str]]) -> None:
    assert faults(tmp_path, "w.json", text) == expected


@pytest.mark.parametrize(("text", "expected"), NAMES)
def test_hostile_names(tmp_path: Path, text: str, expected: list[tuple[int, int, str]]) -> None:
    assert faults(tmp_path, "w.json", text) == expected


def payload(folder: Path, name: str, text: str) -> str | None:
    (folder / name).write_text(text)
    return workflow.load(folder / name, {}).algorithms[0].test_payload


@pytest.mark.parametrize("text", ALIKE, ids=lambda text: text[:24])
@pytest.mark.parametrize(("name", "place"), [("w.yaml", in_yaml), ("w.json", in_json)], ids=["yaml", "json"])
def test_payloads_are_sent_as_written(tmp_path: Path, name: str, place: Callable[[str], str], text: str) -> None:
    assert payload(tmp_path, name, place(text)) == text


@pytest.mark.parametrize(("text", "sent"), SENT_YAML, ids=[text or "nothing" for text, _ in SENT_YAML])
def test_yaml_is_read_as_yaml_1_2(tmp_path: Path, text: str, sent: str) -> None:
    assert payload(tmp_path, "w.yaml", in_yaml(text)) == sent


@pytest.mark.parametrize("name", ["w.yaml", "w.json"])
def test_a_long_text_is_fast(tmp_path: Path, name: str) -> None:
    text = "x" * 2_000_000
    with bounded(name):
        assert payload(tmp_path, name, in_json(f'"{text}"')) == f'"{text}"'
