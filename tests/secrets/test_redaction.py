"""Redaction finds secrets in every encoding, also in truncated texts; similar texts are unchanged."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import time
from urllib.parse import unquote

import pytest
from disguises import DISGUISES
from hypothesis import given
from hypothesis import strategies as st

from algosync.cli.terminal import Terminal
from algosync.core.redaction import Redactor, Word
from algosync.core.resource import Json
from algosync.core.text import printable

KEYS = {
    "plain": "simQk3vX9aLw0ZsR7tYb",
    "base64-like": "Zm9v/Ym+FyA1b2/c3Q+uV==",
    "awkward": "p/+&\"='<%\\x#?: 9",
    "eight": "k8/aZ+3q",
    "not-ascii": "pässwörd→𝄞 ok",
}


def left_of(secret: str, text: str) -> bool:
    """Whether six characters of the secret are still readable after decoding."""
    parts = {secret[place : place + 6] for place in range(len(secret) - 5)}
    readings = [text, unquote(text), unquote(unquote(text)), html.unescape(html.unescape(text)), text.replace("\\", "")]
    numbers = (digits[: len(digits) // 2 * 2] for digits in re.findall(r"(?i)[0-9a-f]{12,}", text))
    readings.extend(bytes.fromhex(digits).decode(errors="replace") for digits in numbers)
    for place, word in ((place, word) for word in re.findall(r"[\w+/-]{8,}", text) for place in range(4)):
        octets = base64.b64decode(
            word[place : len(word) - (len(word) - place) % 4], altchars=b"-_" if set(word) & {"-", "_"} else None
        )
        readings.append(octets.decode(errors="replace"))
    return any(part in reading for part in parts for reading in readings)


@pytest.mark.parametrize("disguise", DISGUISES)
def test_the_check_finds_the_rest_of_a_secret(disguise: str) -> None:
    # Decodings that this check does not know.
    if not disguise.startswith(("json-thrice", "ascii", "repr-bytes", "url-quoted-plus")):
        assert left_of(KEYS["base64-like"], DISGUISES[disguise](KEYS["base64-like"]))


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("key", KEYS)
def test_a_secret_is_redacted_in_every_encoding(key: str, disguise: str) -> None:
    redactor = Redactor()
    redactor.hide(KEYS[key])
    text = f"before {DISGUISES[disguise](KEYS[key])} behind"
    shown = redactor.redact(text)
    assert shown.count("***") == 1
    assert shown.startswith("before ")
    assert shown.endswith(" behind")
    assert not left_of(KEYS[key], shown)


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_truncated_secret_is_redacted_in_every_encoding(disguise: str) -> None:
    key = KEYS["awkward"]
    redactor = Redactor()
    redactor.hide(key)
    whole = DISGUISES[disguise](key)
    for length in range(len(whole) + 8):
        shown = redactor.redact(printable(f"it says {whole} and goes on", length))
        assert not left_of(key, shown), shown


@pytest.mark.parametrize("mark", ["…", "..."])
@pytest.mark.parametrize("length", range(5, 20))
def test_nothing_is_left_of_a_truncated_secret(mark: str, length: int) -> None:
    redactor = Redactor()
    redactor.hide(KEYS["plain"])
    assert redactor.redact(f"key={KEYS['plain'][:length]}{mark} more") == f"key=***{mark} more"


def test_text_with_the_same_beginning_is_unchanged() -> None:
    redactor = Redactor()
    redactor.hide(KEYS["plain"])
    for text in (KEYS["plain"][:4] + "…", KEYS["plain"][:10] + " …", KEYS["plain"][:10] + "x…", KEYS["plain"][:10]):
        assert redactor.redact(text) == text


@pytest.mark.parametrize("text", ["tested", "attesting", "test1", "1test", "tes", "TEST", "contest…"])
def test_short_secrets_are_not_redacted_inside_words(text: str) -> None:
    redactor = Redactor()
    redactor.hide("test")
    redactor.hide("yes")
    assert redactor.redact(f"yes {text}") == f"yes {text}"


@pytest.mark.parametrize(
    "text",
    ["{}", "({})", "key={}&x", '"{}"', "user:{}@host", "x\\n{}", "%3A{}%40", "\\x1b{}", "\\u202e{}.", "\x1b[31m{}\x1b[0m", "_{}_"],
)
def test_short_secrets_are_redacted_as_words(text: str) -> None:
    redactor = Redactor()
    redactor.hide("hunter2")
    assert redactor.redact(text.format("hunter2")) == text.format("***")


@pytest.mark.parametrize("disguise", ["base64", "base64-of-user-and-key", "base64-shifted", "hex"])
def test_encoded_short_secrets_are_redacted(disguise: str) -> None:
    redactor = Redactor()
    redactor.hide("hunter2")
    assert "***" in redactor.redact(DISGUISES[disguise]("hunter2"))


def test_each_line_of_a_secret_is_redacted() -> None:
    redactor = Redactor()
    redactor.hide("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n")
    assert redactor.redact("it begins with MIIEvQIBADANBgkq") == "it begins with ***"
    assert redactor.redact("x -----BEGIN KEY-----\nMIIEvQIBADANBgkq\n y") == "x *** y"


def test_the_longer_of_two_secrets_is_redacted_first() -> None:
    redactor = Redactor()
    redactor.hide("abcdefgh")
    redactor.hide("abcdefghijkl")
    assert redactor.redact("abcdefghijkl abcdefgh") == "*** ***"


def test_json_values_keep_their_shape() -> None:
    redactor = Redactor()
    redactor.hide("hunter22")
    value: Json = {"hunter22": ["hunter22", 1, True, None, {"a": "x hunter22"}], "n": 2.5}
    assert redactor.redacted(value) == {"hunter22": ["***", 1, True, None, {"a": "x ***"}], "n": 2.5}


def test_the_words_of_a_document_stay() -> None:
    redactor = Redactor()
    redactor.hide("create")
    assert redactor.redacted({"create": [Word("create"), "create"]}) == {"create": ["create", "***"]}


def test_a_digest_must_not_be_shown_if_a_secret_is_anywhere_in_its_text() -> None:
    redactor = Redactor()
    assert not redactor.holds("1234")
    redactor.hide("1234")
    secrets: list[Json] = ["1234", "x1234y", '{"pin":"1234"}', "0x31323334", {"a": ["b", {"pin-1234": 1}]}]
    for value in secrets:
        assert redactor.holds(value), value
    others: list[Json] = ["123", "4321", 1234, None, {"a": [True, 1.5]}]
    for value in others:
        assert not redactor.holds(value), value


@given(st.text(min_size=8, max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_secret_in_any_text(secret: str, before: str, behind: str) -> None:
    redactor = Redactor()
    redactor.hide(secret)
    assert secret not in redactor.redact(before + secret + behind).replace("***", "")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40))
def test_any_secret_as_a_document_shows_it(secret: str) -> None:
    stream = io.StringIO()
    terminal = Terminal(stream, stream, (False, False), live=False)
    terminal.hide(secret)
    terminal.document({"a": json.dumps(secret), "b": [secret]})
    shown = json.loads(stream.getvalue())
    assert shown["b"] == ["***"]
    assert shown["a"] == '"***"'


def test_near_matches_are_fast() -> None:
    """Megabytes of near matches in seconds of CPU time, which other processes do not affect."""
    redactor = Redactor()
    for key in KEYS.values():
        redactor.hide(key)
    started = time.process_time()
    for text in ("simQk3vX9aLw0ZsR7tY", "\\" * 20, "…", "p/+&", "%25" * 5, "&amp;" * 5, "lorem ipsum "):
        redactor.redact(text * (300_000 // len(text)))
    assert time.process_time() - started < 6
