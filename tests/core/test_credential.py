"""Credentials: sent exactly as given, or refused without being shown."""

from __future__ import annotations

import base64
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.credential import Credential, credential
from algosync.core.error import UsageError
from algosync.core.secret import Secret

KEY = "simA1b2C3/+=%"


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


JWT = f"{encoded({'alg': 'RS256'})}.{encoded({'sub': 'jane'})}.c2lnbmF0dXJl"

TAKEN = {
    "key": (KEY, f"Simple {KEY}"),
    "marks": ("".join(c for c in string.punctuation), f"Simple {string.punctuation}"),
    "simple": (f"Simple {KEY}", f"Simple {KEY}"),
    "simple-in-small-letters": (f"simple {KEY}", f"Simple {KEY}"),
    "bearer": (f"Bearer {KEY}", f"Bearer {KEY}"),
    "jwt": (JWT, f"Bearer {JWT}"),
    "bearer-jwt": (f"Bearer {JWT}", f"Bearer {JWT}"),
    "simple-jwt": (f"Simple {JWT}", f"Simple {JWT}"),
    "three-parts": ("aaaa.bbbb.cccc", "Simple aaaa.bbbb.cccc"),
    "two-parts": (JWT.rpartition(".")[0], f"Simple {JWT.rpartition('.')[0]}"),
    "no-alg": (f"{encoded({'typ': 'JWT'})}.e30.c2ln", f"Simple {encoded({'typ': 'JWT'})}.e30.c2ln"),
    "no-object": (f"{encoded(['alg'])}.e30.c2ln", f"Simple {encoded(['alg'])}.e30.c2ln"),
    "too-deep-for-json": (f"{'W1tb' * 1500}.e30.c2ln", f"Simple {'W1tb' * 1500}.e30.c2ln"),
    "scheme-alone": ("Bearer", "Simple Bearer"),
    "one-character": ("x", "Simple x"),
    "longest": ("k" * 8192, f"Simple {'k' * 8192}"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_an_accepted_credential_is_sent_unchanged(name: str) -> None:
    text, header = TAKEN[name]
    assert credential(text, "X").header() == header


ENDS = "X_API_KEY begins or ends with a space or line break"
ODD = "X_API_KEY holds spaces or characters that no key has"

REFUSED = {
    "unset": ("", "X_API_KEY is not set"),
    "newline-at-the-end": (f"{KEY}\n", ENDS),
    "carriage-return-at-the-end": (f"{KEY}\r\n", ENDS),
    "space-before": (f" {KEY}", ENDS),
    "tab-behind": (f"{KEY}\t", ENDS),
    "no-break-space": (f"{KEY}\xa0", ENDS),
    "only-a-space": (" ", ENDS),
    "nothing-behind-simple": ("Simple ", "X_API_KEY is not set"),
    "newline-behind-bearer": (f"Bearer {KEY}\n", ENDS),
    "two-spaces-behind-simple": (f"Simple  {KEY}", ENDS),
    "newline-inside": (f"{KEY}\nX-Evil: 1", ODD),
    "carriage-return-inside": (f"{KEY}\r{KEY}", ODD),
    "another-scheme": (f"Basic {KEY}", ODD),
    "space-inside": (f"{KEY} {KEY}", ODD),
    "nul": (f"{KEY}\0", ODD),
    "escape": (f"{KEY}\x1b[2J", ODD),
    "delete": (f"{KEY}\x7f", ODD),
    "umlaut": (f"{KEY}ü", ODD),
    "cyrillic": (f"{KEY}\u0430", ODD),
    "zero-width": (f"\u200b{KEY}", ODD),
    "byte-order-mark": (f"\ufeff{KEY}", ODD),
    "not-utf-8": (f"{KEY}\udcff", ODD),
    "ten-kilobytes": (KEY * 800, "X_API_KEY is longer than any key: 10400 characters"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_credential_is_named_and_never_shown(name: str) -> None:
    text, message = REFUSED[name]
    with pytest.raises(UsageError) as caught:
        credential(text, "X_API_KEY")
    assert caught.value.message == message
    assert KEY not in f"{caught.value.message} {caught.value.hint} {caught.value!r} {caught.value.__context__!r}"


def test_git_gets_the_user_and_the_bare_key() -> None:
    for text in (KEY, f"Simple {KEY}", f"Bearer {KEY}"):
        scheme, _, pair = credential(text, "X").basic("jané").partition(" ")
        assert (scheme, base64.b64decode(pair)) == ("Basic", f"jané:{KEY}".encode())
    with pytest.raises(ValueError, match="colon") as caught:
        credential(KEY, "X").basic("jane:x")
    assert KEY not in str(caught.value)


def test_a_credential_is_not_shown_by_repr_or_str() -> None:
    made = credential(f"Bearer {KEY}", "X")
    assert made == Credential(Secret(KEY), "Bearer")
    assert repr(made) == "Credential(secret=***, scheme='Bearer')"


@given(st.text())
def test_every_text_is_sent_exactly_or_refused(text: str) -> None:
    try:
        header = credential(text, "X").header()
    except UsageError:
        return
    assert header.isascii()
    assert header.isprintable()
    assert header.split(" ")[1] == (text.split(" ")[1] if " " in text else text)
