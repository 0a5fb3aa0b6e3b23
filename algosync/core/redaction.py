"""Redaction: replaces secrets in texts, in every encoding that a text from elsewhere may have.

It finds a secret as it is; quoted for a URL, in part or in full; escaped for JSON, Python or HTML, also more than once; in hex;
and in base64 at each of the three alignments, so that it finds the `user:key` of a Basic header.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html.entities import codepoint2name
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from algosync.core.resource import Json

__all__ = ["MASK", "Redactor", "Word"]

MASK = "***"
_SHORTEST = 4  # characters; shorter secrets are not hidden: replacing them would damage every number
_WORD = 8  # characters; shorter secrets are hidden only as whole words: they may be part of other words
_REMNANT = 5  # characters; a longer beginning of a secret before a cut is hidden too
_CUT = re.compile(r"(…|\.\.\.)")  # the end of a text that `printable` or a server cut
_ESCAPE = 12  # characters of the longest escape, which a cut may have split
# The end of an escape is not part of the word after it: `\nkey`, `%3Akey`, `\x1b[31mkey`.
_ALONE_BEFORE = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=%[0-9A-Fa-f]{2})|(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-fA-F]{4})|(?<=[0-9]m))"
_ALONE_BEHIND = r"(?![A-Za-z0-9])"
_Ways: TypeAlias = tuple[str, ...]  # patterns, one for each way to write a character
_Form: TypeAlias = tuple[_Ways, ...]  # a secret in one encoding, character by character


class Word(str):
    """A text that a document always has at this place, such as the name of an action. It is never treated as a secret."""

    __slots__ = ()


class Redactor:
    """Hides secrets. One of less than 8 characters is hidden only as a whole word, one of less than 4 only as a whole value."""

    __slots__ = ("_derived", "_forms", "_heads", "_inside", "_parts", "_whole")

    def __init__(self) -> None:
        self._derived: set[str] = set()
        self._forms: set[_Form] = set()
        self._parts: set[str] = set()
        self._inside: re.Pattern[str] | None = None
        self._whole: re.Pattern[str] | None = None
        self._heads: Sequence[tuple[re.Pattern[str], Sequence[Sequence[re.Pattern[str]]]]] = ()

    def hide(self, secret: str) -> None:
        """Adds a secret, and each of its lines, because texts are shown line by line."""
        before = len(self._forms)
        for part in {secret, *secret.splitlines()} - self._parts:
            if len(part) >= _SHORTEST:
                self._parts.add(part)
                self._inside = None
                self._forms.update(_forms(part))
        if len(self._forms) == before:
            return
        # The longest first: if one secret is the beginning of another, the rest of the other must not stay.
        ordered = sorted(self._forms, key=lambda form: (-len(form), form))
        self._whole = re.compile("|".join(map(_pattern, ordered)))
        self._heads = [
            (re.compile(_pattern(form[:_REMNANT])), [[re.compile(way) for way in ways] for ways in form[_REMNANT:]])
            for form in ordered
        ]

    def hide_value(self, value: str) -> None:
        """Adds a text that is secret as a whole value: as it is, or quoted for JSON. Its parts may be anything."""
        self._derived.update((value, json.dumps(value), json.dumps(value, ensure_ascii=False)))

    def may_hold(self, text: str) -> bool:
        """Whether a text, or a value whose JSON the text is, may contain a secret. False is certain, and True is not.

        Asked for a document as a whole, it takes a fraction of the time of asking for each text in it.
        """
        return self.holds(text) or any(value in text for value in self._derived) or self.redact(text) != text

    def redact(self, text: str) -> str:
        """The text with `***` for each secret, and for the beginning of a secret before `…`, where a text was cut."""
        if text in self._derived:
            return MASK
        if self._whole is None:
            return text
        pieces = _CUT.split(self._whole.sub(MASK, text))  # texts, and the ends between them
        pieces[:-1:2] = map(self._without_remnant, pieces[:-1:2])
        return "".join(pieces)

    def redacted(self, value: Json) -> Json:
        """A JSON value in which texts are redacted. Names of members, words of a document and numbers stay."""
        match value:
            case Word():
                return value
            case str():
                return self.redact(value)
            case Mapping():
                return {str(name): self.redacted(item) for name, item in value.items()}
            case Sequence():
                return [self.redacted(item) for item in value]
            case _:
                return value

    def holds(self, value: Json) -> bool:
        """Whether a text of a JSON value contains a secret, also inside of a word. A digest of such a value must not be shown."""
        if self._inside is None:
            forms = (form for part in sorted(self._parts) for form in _forms(part, alone=False))
            self._inside = re.compile("|".join(map(_pattern, forms)) or "(?!)")
        match value:
            case str():
                return value in self._derived or self._inside.search(value) is not None
            case Mapping():
                return any(self.holds(item) for item in (*value, *value.values()))
            case Sequence():
                return any(map(self.holds, value))
            case _:
                return False

    def _without_remnant(self, piece: str) -> str:
        if len(piece) < _REMNANT:
            return piece
        end = len(piece)
        ends = {end, *(place for place in range(max(end - _ESCAPE, 0), end) if piece[place] in "\\%&")}
        heads = ((found, rest) for head, rest in self._heads for found in head.finditer(piece))
        places = [found.start() for found, rest in heads if _reaches(ends, rest, piece, found.end())]
        return piece[: min(places)] + MASK if places else piece


def _reaches(ends: set[int], rest: Iterable[Sequence[re.Pattern[str]]], text: str, place: int) -> bool:
    """Whether the text from `place` to one of the ends holds the next characters. An end may be the start of a split escape."""
    places = {place}
    for ways in rest:
        if places & ends:
            break
        places = {found.end() for place in places for way in ways if (found := way.match(text, place))}
    return bool(places & ends)


def _pattern(form: _Form) -> str:
    return "".join(ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})" for ways in form)


def _forms(secret: str, *, alone: bool = True) -> Iterable[_Form]:
    """The encodings of a secret. A short one is found only as a whole word if `alone`."""
    data = secret.encode("utf-8", "surrogatepass")
    plain = list(map(_ways, secret))
    if alone and len(secret) < _WORD:
        plain[0] = tuple(_ALONE_BEFORE + way for way in plain[0])
        plain[-1] = tuple(way + _ALONE_BEHIND for way in plain[-1])
    yield tuple(plain)
    yield tuple((_digit(digit),) for digit in data.hex())
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data).decode()
        # Only the characters that depend on the secret alone; those at both ends also depend on its neighbours.
        settled = text[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6]
        if len(settled) > _REMNANT:
            yield tuple(_BASE64.get(character, (character,)) for character in settled)


def _ways(character: str) -> _Ways:
    """The ways to write one character. ASCII letters and digits are never escaped."""
    if character.isascii() and character.isalnum():
        return (character,)
    number, octets = ord(character), character.encode("utf-8", "surrogatepass")
    found = [
        rf"\\{{0,8}}{re.escape(character)}",
        "".join(rf"%(?:25){{0,4}}{_hex(octet, 2)}" for octet in octets),
        "".join(rf"\\{{1,8}}x{_hex(octet, 2)}" for octet in octets),
        "".join(rf"\\{{1,8}}u{_hex(unit, 4)}" for unit in _utf16(character)),
        rf"\\{{1,8}}U{_hex(number, 8)}",
        rf"&(?:amp;){{0,4}}#(?:0{{0,8}}{number}|[xX]0{{0,8}}{_hex(number, 1)});",
    ]
    if character == "\\":  # each escaping doubles it; some may belong to the next character
        found[:1] = [r"\\" * count for count in (8, 4, 2, 1)]
    if number < 0x100:
        found.append(rf"\\{{1,8}}x{_hex(number, 2)}")
    if name := codepoint2name.get(number):
        found.append(rf"&(?:amp;){{0,4}}{name};")
    if other := _OTHERS.get(character):
        found.append(other)
    return tuple(dict.fromkeys(found))


def _utf16(character: str) -> Iterable[int]:
    encoded = character.encode("utf-16-be", "surrogatepass")
    return (int.from_bytes(encoded[place : place + 2], "big") for place in range(0, len(encoded), 2))


def _hex(number: int, digits: int) -> str:
    return "".join(map(_digit, f"{number:0{digits}x}"))


def _digit(digit: str) -> str:
    return f"[{digit}{digit.upper()}]" if digit.isalpha() else digit


_OTHERS = {"\n": r"\\{1,8}n", "\r": r"\\{1,8}r", "\t": r"\\{1,8}t", "\b": r"\\{1,8}b", "\f": r"\\{1,8}f", " ": r"\+"}
# Both alphabets of base64, quoted or not.
_BASE64 = {"+": ("-", *_ways("+")), "/": ("_", *_ways("/"))}
