"""Errors of nested calls: text, once, the innermost first, whatever an algorithm puts into its message."""

from __future__ import annotations

import json

import pytest
from Algorithmia.errors import AlgorithmException
from hypothesis import given
from hypothesis import strategies as st

from algosync.cluster.answer import _test_failed
from algosync.cluster.nested_error import unnested


def document(message: str, trace: str = "") -> str:
    return json.dumps({"error": {"message": message, "error_type": "AlgorithmError", **({"stacktrace": trace} if trace else {})}})


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("boom", "boom"),
        ("it's {not} a document", "it's {not} a document"),
        (document("boom"), "boom"),
        (f"API call failed: {document('boom')}", "boom; which caused: API call failed"),
        (f"Inner: {document('Deep: ' + document('boom'))}", "boom; which caused: Deep; which caused: Inner"),
        (f"Same: {document('Same: ' + document('boom'))}", "boom; which caused: Same"),
        (json.dumps({"error": "boom"}), "boom"),
        (f"{{}} then {document('boom')} and more", "boom; which caused: {} then and more"),
        (str(KeyError("name")), "'name'"),
        (str(AlgorithmException("boom", "Traceback (most recent call last):\n  line")), "boom"),
        (str(AlgorithmException(str(AlgorithmException("boom")))), "'boom'"),
        (str(AlgorithmException(f"Inner: {document('boom')}")), "boom; which caused: Inner"),
        (json.dumps({"error": {"message": 5}}), '{"error": {"message": 5}}'),
        (document("boom")[:-5], document("boom")[:-5]),
        ("", ""),
        ("'\\U99999999'", "'\\U99999999'"),
    ],
)
def test_the_innermost_message_comes_first_and_each_comes_once(message: str, shown: str) -> None:
    assert unnested(message).message == shown


def test_the_traces_come_in_the_same_order() -> None:
    deep = str(AlgorithmException("boom", "Traceback (most recent call last):\n  deep"))
    outer = f"Outer: {document(deep, 'middle')}"
    assert unnested(outer).traces == ("Traceback (most recent call last):\n  deep", "middle")


def test_levels_length_and_depth_are_bounded() -> None:
    message = "boom"
    for level in range(14):
        message = f"L{level}: {document(message)}" if len(message) < 8000 else message
    assert len(unnested(message).message) <= len(message)
    long = f"{'x' * 30_000}{document('boom')}"
    assert unnested(long).message == long
    assert unnested("{" * 20_000).message == "{" * 20_000
    assert unnested('{"a":' * 4_000).message
    assert unnested("'" * 20_000).message
    assert unnested("'" + "\\'" * 9_999).message


def test_a_failed_test_shows_the_nested_error_once() -> None:
    message = f"Inner: {document('boom', 'inner trace')}"
    failed = _test_failed({"message": message, "stacktrace": f"Traceback\n  line\nApiError: {message}"}, {})
    assert failed.message == "boom; which caused: Inner"
    assert failed.trace == "inner trace\nTraceback\n  line\nApiError: (the error above)"


@given(st.text(alphabet="{}\"':\\error,message xU0", max_size=200))
def test_any_text_gives_a_text(message: str) -> None:
    assert isinstance(unnested(message).message, str)
