"""Keys in the query of a URL, where histories, proxies and logs would keep them."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from algosync.emulator.keys import KEY_LENGTH

NAMES = frozenset({"key", "apikey", "adminkey", "simplekey", "token", "accesstoken", "auth", "authorization", "password"})
"""Parameters that only a key would be the value of, in lower case and without signs."""

LOOKS = re.compile(rf"((simple|bearer)[ +])?(sim[a-z0-9]{{{KEY_LENGTH - 3}}}|eyJ[\w-]+\.[\w-]+\.[\w-]+)", re.IGNORECASE)
"""Whole values that are known by their looks alone. Markers of listings are random texts too, and longer ones."""

REMOVED = "(removed: it held a key)"


def holds_key(query: str, known: Callable[[str], bool] = lambda _: False) -> bool:
    """Whether there is a key in a query: by its parameter's name, by its looks, or because it is `known`."""
    for parameter in query.split("&"):
        name, _, value = (unquote(part) for part in parameter.partition("="))
        if re.sub(r"[^a-z]", "", name.lower()) in NAMES:
            return True
        # A parameter may be nothing but a key, with a `=` of its own at the end.
        texts = (value, name, unquote(parameter))
        if any(LOOKS.fullmatch(text) or (len(text) >= KEY_LENGTH and known(text)) for text in texts):
            return True
    return False


def shown(query: str) -> str:
    """The query as a log may have it."""
    return REMOVED if query and holds_key(query) else query
