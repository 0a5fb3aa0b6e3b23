"""What a key permits, and what a request needs (facts: `PLATFORM.md` 1.2; reads of management need no more than those of data)."""

import re
from dataclasses import dataclass, fields

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
DATA = re.compile(r"/v1/(data|connector)(/|$)")
INSIDE = re.compile(r"/v1/(data|connector|algo)(/|$)")
"""What an algorithm can ask for, for whoever calls it: no management, no git, no secrets, no pages (`PLATFORM.md` 6)."""

SPECIAL = re.compile(r"/v1/(data|connector/data)/\.(session|algo)/")
"""What is the running algorithm's own, whatever the key of its call permits."""

ORDINARY = re.compile(r"/v1/(data|hostedData|connector|algo|algorithms)(/|$)|/(git|page)/")
"""What a key of the administration is no good for."""

ADMINISTRATION = re.compile(
    r"/webapi/|/v1/admin/|/v1/algorithm-environments/edge/(environments/available|environment-specifications/[^/]+(/syncs.*)?)$"
)
"""What only such a key opens."""

ACCOUNTS = re.compile(r"/v1/(users|organizations)(/|$)")
"""What everybody may read, as far as it concerns them, and only the administration may change."""

ALGORITHM = re.compile(r"/v1/algorithms/[^/]+(/[^/]+)?/?")
"""One algorithm. Of all ordinary routes, its deletion is the one that administrators have to be able to use: what is public, its
owner cannot delete."""


@dataclass(frozen=True, slots=True)
class Rights:
    """`write`: change data, or with `management` algorithms. `call`: run algorithms. `management`: change them, use git.

    `read`: data and algorithms, which every key may but those of the `administration`: of accounts and installed environments.
    """

    write: bool = True
    call: bool = True
    management: bool = True
    read: bool = True
    administration: bool = False

    def cover(self, needed: "Rights") -> bool:
        """Whether everything that is needed is there."""
        return not self.lack(needed)

    def lack(self, needed: "Rights") -> list[str]:
        """What is needed and not there, by name."""
        return [each.name for each in fields(Rights) if getattr(needed, each.name) and not getattr(self, each.name)]

    def permit(self, method: str, path: str, query: str) -> bool:
        """Whether a key of these rights may make the request."""
        forced = self.administration and method == "DELETE" and ALGORITHM.fullmatch(path) is not None
        return forced or self.cover(needed(method, path, query))

    def permit_inside(self, method: str, path: str, query: str) -> bool:
        """Whether an algorithm may make the request that was called with a key of these rights."""
        return INSIDE.match(path) is not None and (SPECIAL.match(path) is not None or self.permit(method, path, query))


EVERYTHING = Rights()
"""That an ordinary key can permit."""

READING = Rights(write=False, call=False, management=False)
NOTHING = Rights(write=False, call=False, management=False, read=False)
ADMINISTERING = Rights(write=False, call=False, management=False, read=False, administration=True)


def needed(method: str, path: str, query: str) -> Rights:
    """The rights that a request needs of its key, beside being known."""
    if path.startswith("/git/"):
        return Rights(write=path.endswith("/git-receive-pack") or "git-receive-pack" in query, call=False)
    if ADMINISTRATION.match(path) or (method in CHANGING and ACCOUNTS.match(path)):
        return ADMINISTERING
    if method not in CHANGING:
        return READING if ORDINARY.match(path) else NOTHING
    if path.startswith("/v1/algo/"):
        return Rights(write=False, management=False)
    return Rights(call=False, management=DATA.match(path) is None)
