"""Finds keys in URLs. Browser histories, proxies and logs would keep them."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from algosync.emulator.records.keys import KEY_LENGTH

Known = Callable[[str], bool]
"""A function that tells whether a text is a key of this cluster."""

NAMES = frozenset({"key", "apikey", "adminkey", "simplekey", "token", "accesstoken", "auth", "authorization", "password"})
"""Names of query parameters for keys, in lower case and without punctuation."""

LOOKS = re.compile(rf"((simple|bearer)[ +])?(sim[a-z0-9]{{{KEY_LENGTH - 3}}}|eyJ[\w-]+\.[\w-]+\.[\w-]+)", re.IGNORECASE)
"""Values that are refused for their shape alone. Markers of listings are longer."""

SHAPES = (
    re.compile(rf"(?=(sim[A-Za-z0-9]{{{KEY_LENGTH - 3}}}))"),
    re.compile(r"(?<![\w-])(eyJ[\w-]+\.[\w-]+\.[\w-]+)"),
)
BASE64 = re.compile(r"(?=([A-Za-z0-9+/]{43}=))")
"""Shapes of keys inside other text. Names of data may have these shapes too, so each match is looked up."""

MOST_LOOKS = 50
"""A URL with more words of these shapes is refused: it would be a search for keys."""

REMOVED = "(removed: it held a key)"


def _key_shaped(text: str) -> set[str]:
    """All parts of an unescaped text that have the shape of a key."""
    found = {word for shape in SHAPES for word in shape.findall(text)}
    return found.union(BASE64.findall(text)) if "=" in text else found


def key_in_path(path: str, known: Known) -> bool:
    """Whether a path contains a `known` key, escaped or not."""
    words = _key_shaped(unquote(path)) if len(path) >= KEY_LENGTH else ()
    return len(words) > MOST_LOOKS or any(map(known, words))


def key_in_query(query: str, known: Known) -> bool:
    """Whether a query contains a key, by the name of a parameter, by the shape of a value, or because it is `known`."""
    for parameter in query.split("&") if query else ():
        name, _, value = (unquote(part) for part in parameter.partition("="))
        if re.sub(r"[^a-z]", "", name.lower()) in NAMES:
            return True
        # A parameter may be only a key. A Base64 key ends in `=`.
        if any(LOOKS.fullmatch(text) for text in (value, name, unquote(parameter))):
            return True
    return key_in_path(query, known)


def shown(path: str, query: str, known: Known) -> str:
    """Path and query for the log, with keys replaced by a note."""
    query = REMOVED if key_in_query(query, known) else query
    return (f"/{REMOVED}" if key_in_path(path, known) else path) + (f"?{query}" if query else "")
