"""The rights of a key, and the rights that a request needs (PLATFORM.md §1.2)."""

import re
from dataclasses import dataclass, fields

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
DATA = re.compile(r"/v1/(data|connector)(/|$)")
INSIDE = re.compile(r"/v1/(data|connector|algo)(/|$)")
"""Paths that a running algorithm may request: no management, git, secrets or pages (PLATFORM.md §6)."""

SPECIAL = re.compile(r"/v1/(data|connector/data)/\.(session|algo)/")
"""Data of the running algorithm itself, which it may use with any key of its caller."""

ORDINARY = re.compile(r"/v1/(data|hostedData|connector|algo|algorithms)(/|$)|/(git|page)/")
"""Paths that a key for administration may not use."""

ADMINISTRATION = re.compile(
    r"/webapi/|/v1/admin/|/v1/algorithm-environments/edge/(environments/available|environment-specifications/[^/]+(/syncs.*)?)$"
)
"""Paths that only a key for administration may use."""

ACCOUNTS = re.compile(r"/v1/(users|organizations)(/|$)")
"""Accounts. Users may read those that concern them; only a key for administration may change them."""

ALGORITHM = re.compile(r"/v1/algorithms/[^/]+(/[^/]+)?/?")
"""One algorithm. Administrators may delete it, because an owner cannot delete a public one."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Rights of a key, or those that a request needs.

    - `write`: change data, and together with `management` also algorithms.
    - `call`: call algorithms.
    - `management`: change algorithms, and use git.
    - `read`: read data and algorithms. All keys have it except those for administration.
    - `administration`: change accounts and installed environments.
    """

    write: bool = True
    call: bool = True
    management: bool = True
    read: bool = True
    administration: bool = False

    def missing(self, needed: "Rights") -> list[str]:
        """The names of the needed rights that are missing."""
        return [each.name for each in fields(Rights) if getattr(needed, each.name) and not getattr(self, each.name)]

    def permit(self, method: str, path: str, query: str) -> bool:
        """Whether a key with these rights may send the request."""
        forced = self.administration and method == "DELETE" and ALGORITHM.fullmatch(path) is not None
        return forced or not self.missing(needed(method, path, query))

    def permit_inside(self, method: str, path: str, query: str) -> bool:
        """Whether an algorithm that was called with a key of these rights may send the request."""
        return INSIDE.match(path) is not None and (SPECIAL.match(path) is not None or self.permit(method, path, query))


EVERYTHING = Rights()
"""All rights of an ordinary key."""

READING = Rights(write=False, call=False, management=False)
NOTHING = Rights(write=False, call=False, management=False, read=False)
ADMINISTERING = Rights(write=False, call=False, management=False, read=False, administration=True)


def needed(method: str, path: str, query: str) -> Rights:
    """The rights that the key of a request needs."""
    if path.startswith("/git/"):
        return Rights(write=path.endswith("/git-receive-pack") or "git-receive-pack" in query, call=False)
    if ADMINISTRATION.match(path) or (method in CHANGING and ACCOUNTS.match(path)):
        return ADMINISTERING
    if method not in CHANGING:
        return READING if ORDINARY.match(path) else NOTHING
    if path.startswith("/v1/algo/"):
        return Rights(write=False, management=False)
    return Rights(call=False, management=DATA.match(path) is None)
