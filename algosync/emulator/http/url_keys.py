"""Keys in a URL, where histories, proxies and logs would keep them."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from algosync.emulator.records.keys import KEY_LENGTH

Known = Callable[[str], bool]
"""Whether a text is somebody's key."""

NAMES = frozenset({"key", "apikey", "adminkey", "simplekey", "token", "accesstoken", "auth", "authorization", "password"})
"""Parameters that only a key would be the value of, in lower case and without signs."""

LOOKS = re.compile(rf"((simple|bearer)[ +])?(sim[a-z0-9]{{{KEY_LENGTH - 3}}}|eyJ[\w-]+\.[\w-]+\.[\w-]+)", re.IGNORECASE)
"""Whole values that are known by their looks alone. Markers of listings are random texts too, and longer ones."""

SHAPES = (
    re.compile(rf"(?=(sim[A-Za-z0-9]{{{KEY_LENGTH - 3}}}))"),
    re.compile(r"(?<![\w-])(eyJ[\w-]+\.[\w-]+\.[\w-]+)"),
)
BASE64 = re.compile(r"(?=([A-Za-z0-9+/]{43}=))")
"""What may be a key within anything: whether it is one, only a look tells. Names of data may have these shapes."""

MOST_LOOKS = 50
"""A URL of more such words is there to have them looked up."""

REMOVED = "(removed: it held a key)"


def shaped(text: str) -> set[str]:
    """The words of a text, its escapes resolved, that may be keys, wherever they stand."""
    found = {word for shape in SHAPES for word in shape.findall(text)}
    return found.union(BASE64.findall(text)) if "=" in text else found


def key_in_path(path: str, known: Known) -> bool:
    """Whether there is a key that is `known` in a path, escaped or not."""
    words = shaped(unquote(path)) if len(path) >= KEY_LENGTH else ()
    return len(words) > MOST_LOOKS or any(map(known, words))


def key_in_query(query: str, known: Known) -> bool:
    """Whether there is a key in a query: by its parameter's name, by the looks of its value, or because it is `known`."""
    for parameter in query.split("&") if query else ():
        name, _, value = (unquote(part) for part in parameter.partition("="))
        if re.sub(r"[^a-z]", "", name.lower()) in NAMES:
            return True
        # A parameter may be nothing but a key, with a `=` of its own at the end.
        if any(LOOKS.fullmatch(text) for text in (value, name, unquote(parameter))):
            return True
    return key_in_path(query, known)


def shown(path: str, query: str, known: Known) -> str:
    """Path and query as a log may have them."""
    query = REMOVED if key_in_query(query, known) else query
    return (f"/{REMOVED}" if key_in_path(path, known) else path) + (f"?{query}" if query else "")
