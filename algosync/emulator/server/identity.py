"""The identity of a cluster: a name of its own, which stays the same at every address and over a reset."""

import contextlib
import re
import secrets
from pathlib import Path

from algosync.emulator.processes import untrusted_file

IDENTITY = "identity"
"""The file in the cluster's folder."""

_FORM = re.compile(r"[a-z0-9][a-z0-9-]{0,39}-[0-9a-f]{8}")
_LONGEST = 200  # bytes


def identity(root: Path) -> str | None:
    """The identity of the cluster in this folder, such as `staging-1a2b3c4d`. None: it has none yet, or the file is damaged."""
    with contextlib.suppress(OSError, ValueError):
        found = untrusted_file.read(root / IDENTITY, _LONGEST).decode("ascii").strip()
        return found if _FORM.fullmatch(found) else None
    return None


def identity_for_start(root: Path) -> str:
    """The same. Creates a missing one from the folder's name and a random number. Raises `OSError` if it cannot be written."""
    found = identity(root)
    if found is None:
        name = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")[:40].strip("-") or "cluster"
        found = f"{name}-{secrets.token_hex(4)}"
        untrusted_file.write(root / IDENTITY, f"{found}\n".encode())
    return found
