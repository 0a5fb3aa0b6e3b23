"""What a key permits, and what a request needs (facts: `platform.md` 1.2; reads of management need no right: a choice)."""

import re
from dataclasses import dataclass

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
DATA = re.compile(r"/v1/(data|connector)(/|$)")


@dataclass(frozen=True, slots=True)
class Rights:
    """`write`: change data, or with `management` algorithms. `call`: run algorithms. `management`: change them, use git."""

    write: bool = True
    call: bool = True
    management: bool = True

    def cover(self, needed: "Rights") -> bool:
        """Whether everything that is needed is there."""
        return (self.write or not needed.write) and (self.call or not needed.call) and (self.management or not needed.management)


EVERYTHING = Rights()
NOTHING = Rights(write=False, call=False, management=False)


def needed(method: str, path: str, query: str) -> Rights:
    """The rights that a request needs of its key, beside being known."""
    if path.startswith("/git/"):
        return Rights(write=path.endswith("/git-receive-pack") or "git-receive-pack" in query, call=False)
    if method not in CHANGING:
        return NOTHING
    if path.startswith("/v1/algo/"):
        return Rights(write=False, management=False)
    return Rights(call=False, management=DATA.match(path) is None)
