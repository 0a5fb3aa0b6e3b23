"""The encodings in which a secret can appear in a text, made by the usual libraries."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

__all__ = ["DISGUISES"]


def _lower_hex(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "".join(f"%{octet:02x}" for octet in c.encode()) for c in text)


def _base64(before: bytes, alphabet: Callable[[bytes], bytes]) -> Callable[[str], str]:
    return lambda text: alphabet(before + text.encode() + b":rest").decode()


DISGUISES: Mapping[str, Callable[[str], str]] = {
    "raw": str,
    "url-quoted": quote,
    "url-quoted-all": lambda text: quote(text, safe=""),
    "url-quoted-plus": quote_plus,
    "url-quoted-lower": _lower_hex,
    "url-quoted-twice": lambda text: quote(quote(text, safe=""), safe=""),
    "json": lambda text: json.dumps({"message": text}),
    "json-utf8": lambda text: json.dumps([text], ensure_ascii=False),
    "json-twice": lambda text: json.dumps(json.dumps([text])),
    "json-thrice": lambda text: json.dumps(json.dumps(json.dumps(text))),
    "json-slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "html": html.escape,
    "html-twice": lambda text: html.escape(html.escape(text)),
    "html-numbers": lambda text: "".join(c if c.isalnum() else f"&#{ord(c)};" for c in text),
    "html-hex": lambda text: "".join(c if c.isalnum() else f"&#x{ord(c):02X};" for c in text),
    "repr": lambda text: f"Headers({text!r})",
    "repr-bytes": lambda text: f"send: {text.encode()!r}",
    "ascii": ascii,
    "hex": lambda text: text.encode().hex(),
    "hex-upper": lambda text: text.encode().hex().upper(),
    "base64": _base64(b"", base64.b64encode),
    "base64-of-user-and-key": _base64(b"user:", base64.b64encode),
    "base64-shifted": _base64(b"a:", base64.b64encode),
    "base64-url": _base64(b"", base64.urlsafe_b64encode),
    "base64-url-of-user-and-key": _base64(b"user:", base64.urlsafe_b64encode),
    "base64-url-shifted": _base64(b"a:", base64.urlsafe_b64encode),
    "base64-in-url": lambda text: quote(base64.b64encode(b"user:" + text.encode()), safe=""),
}
