"""Detects keys in URLs. Histories, proxies and logs keep URLs, so a key must not be in one."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from algosync.emulator.records.keys import KEY_LENGTH

Known = Callable[[str], bool]
"""Tells whether a text is a user's key."""

NAMES = frozenset({"key", "apikey", "adminkey", "simplekey", "token", "accesstoken", "auth", "authorization", "password"})
"""Names of query parameters for keys, in lower case and without punctuation."""

FORMATS = re.compile(rf"((simple|bearer)[ +])?(sim[a-z0-9]{{{KEY_LENGTH - 3}}}|eyJ[\w-]+\.[\w-]+\.[\w-]+)", re.IGNORECASE)
"""Values in the format of a key, known or not. Markers of listings are random texts too, but longer."""

EMBEDDED = (
    re.compile(rf"(?=(sim[A-Za-z0-9]{{{KEY_LENGTH - 3}}}))"),
    re.compile(r"(?<![\w-])(eyJ[\w-]+\.[\w-]+\.[\w-]+)"),
)
BASE64 = re.compile(r"(?=([A-Za-z0-9+/]{43}=))")
"""Substrings that may be keys. Only a look-up tells, since names of data files may have these formats."""

MAX_LOOKUPS = 50
"""Maximum number of look-ups for one URL. One with more candidates is treated as if it held a key."""

REMOVED = "(removed: it held a key)"


def candidates(text: str) -> set[str]:
    """All substrings of an unescaped text that may be keys."""
    found = {word for pattern in EMBEDDED for word in pattern.findall(text)}
    return found.union(BASE64.findall(text)) if "=" in text else found


def key_in_path(path: str, known: Known) -> bool:
    """Whether a path contains a key that is `known`, percent-encoded or not."""
    words = candidates(unquote(path)) if len(path) >= KEY_LENGTH else ()
    return len(words) > MAX_LOOKUPS or any(map(known, words))


def key_in_query(query: str, known: Known) -> bool:
    """Whether a query contains a key, by the name of a parameter, the format of a value, or because it is `known`."""
    for parameter in query.split("&") if query else ():
        name, _, value = (unquote(part) for part in parameter.partition("="))
        if re.sub(r"[^a-z]", "", name.lower()) in NAMES:
            return True
        # The parameter may be a bare key that ends in `=`.
        if any(FORMATS.fullmatch(text) for text in (value, name, unquote(parameter))):
            return True
    return key_in_path(query, known)


def shown(path: str, query: str, known: Known) -> str:
    """Path and query for a log, without keys."""
    query = REMOVED if key_in_query(query, known) else query
    return (f"/{REMOVED}" if key_in_path(path, known) else path) + (f"?{query}" if query else "")
