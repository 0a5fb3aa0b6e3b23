"""Trees as hypothesis makes them."""

from __future__ import annotations

from hypothesis import strategies as st

from algosync.core.tree import Blob

NAMES = st.sampled_from(["src", "a", "b", "a.b", "a-b", "lib", ".adk", "algorithmia.conf", "Hello.py", "requirements.txt", "ü"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
BLOBS = st.builds(Blob, st.sampled_from([b"", b"1", b"<user>", b"\0<user>"]), st.booleans())
RAW = st.dictionaries(PATHS, BLOBS, max_size=8)


def _consistent(tree: dict[str, Blob]) -> bool:
    return not any(other.startswith(f"{path}/") for path in tree for other in tree)


TREES = RAW.filter(_consistent)
