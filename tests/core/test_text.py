"""Text: control characters are escaped; sizes and durations are short."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.secret import Secret
from algosync.core.text import duration, plural, printable, printable_lines, size


@given(st.text())
def test_printable_text_is_one_harmless_line(text: str) -> None:
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029\u202e\u200b\ufeff" for c in printable(text))


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_harmless_text_is_left_alone(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb", "a\\x0ab"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_limits_and_lines() -> None:
    assert printable("abcdef", 4) == "abc…"
    assert printable_lines("a\tb\n\x1b]8;;x\x07c\nd", last=2) == ["\\x1b]8;;x\\x07c", "d"]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (212_000_000, "212.0 MB"), (999_960, "1.0 MB"), (10**15, "1000.0 TB")],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_durations_and_plurals() -> None:
    assert [duration(s) for s in (0.04, 9.94, 12.4, 185)] == ["0.0s", "9.9s", "12s", "3m05s"]
    assert (plural(1, "file"), plural(2, "file")) == ("1 file", "2 files")


def test_a_secret_is_not_shown_by_repr_or_str() -> None:
    secret = Secret("simABC/+=")
    assert [str(secret), repr(secret), f"{secret}", f"{secret!r:>5}", str([secret])] == ["***", "***", "***", "  ***", "[***]"]
    assert secret.reveal() == "simABC/+="
    assert secret == Secret("simABC/+=")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
