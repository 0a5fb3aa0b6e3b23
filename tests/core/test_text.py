"""Text: control characters are escaped; sizes and durations are short."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.secret import Secret
from algosync.core.text import duration, harmless, harmless_text, latency, middle_cut, plural, printable, printable_lines, size


@given(st.text())
def test_printable_text_is_one_harmless_line(text: str) -> None:
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029\u202e\u200b\ufeff" for c in printable(text))


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_harmless_text_is_left_alone(text: str) -> None:
    assert printable(text) == text


PAINTS = ("\x1b[0m", "\x1b[1m", "\x1b[32;1m", "\x1b[3", "2m", "\x1b")
COMMANDS = ("::", ":", "##[", "#", "section_start:")
PIECES = (*PAINTS, *COMMANDS, "\n", "\t", "é", "\u202e", "a b")


@given(st.lists(st.sampled_from(PIECES)).map("".join), st.booleans())
def test_the_fast_way_for_whole_texts_is_that_of_each_line(text: str, coloured: bool) -> None:
    assert harmless_text(text, coloured=coloured) == "\n".join(harmless(line, coloured=coloured) for line in text.split("\n"))


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


def test_latencies() -> None:
    shown = ["0 ms", "0.5 ms", "2.5 ms", "9.9 ms", "10 ms", "738 ms", "999 ms", "1.00 s", "61.00 s"]
    assert [latency(s) for s in (0, 0.0005, 0.0025, 0.0099, 0.00999, 0.738, 0.9991, 0.9999, 61)] == shown


@pytest.mark.parametrize("limit", [3, 4, 10, 11])
def test_a_text_is_cut_in_its_middle(limit: int) -> None:
    assert middle_cut("ab", 3) == "ab"
    assert middle_cut("x" * limit, limit) == "x" * limit
    cut = middle_cut("a" * 50 + "b" * 50, limit)
    assert len(cut) <= limit
    assert (cut[0], cut[-1], cut.count("…"), "ab" in cut) == ("a", "b", 1, False)


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
