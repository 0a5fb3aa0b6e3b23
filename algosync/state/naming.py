"""Naming: the name of the state of a workflow, a destination and an owner.

Names are readable if that is safe. Two different triples never have the same name, not even on a file system that ignores case: a
digest distinguishes what the readable form cannot.
"""

from __future__ import annotations

import hashlib
import re

__all__ = ["journal_name", "state_name"]

_DIGEST = r"-[0-9a-f]{8}"
_PLAIN = re.compile(rf"(?!.*{_DIGEST}$)[a-z0-9][a-z0-9._-]{{0,59}}")
_LOCAL = re.compile(r"(local)(?::([a-z0-9][a-z0-9-]{0,59}))?")
_CLUSTER = re.compile(rf"local-[a-z0-9][a-z0-9-]{{0,39}}{_DIGEST}")
_HTTPS = re.compile(r"https://(?!local$|local:)([a-z0-9][a-z0-9.-]{0,59})(?::([0-9]{1,5}))?")
_UNSAFE = re.compile(r"[^A-Za-z0-9.]+")


def state_name(workflow: str, destination: str, owner: str) -> str:
    """For example `hello_world@api.x.com_8443~jane.json`.

    `destination`: a canonical address, or `local-IDENTITY` for a local cluster with this identity. `local` and `local:NAME` name
    the local clusters of older versions, which had no identity.
    """
    return f"{_plain(workflow)}@{_destination(destination)}~{_plain(owner)}.json"


def journal_name(where: str) -> str:
    """The file name of the journal of a state that is not on this machine. `where`: as of its backend."""
    readable = _UNSAFE.sub("_", where.rpartition("/")[2]).strip("._")[:100]
    return f"{readable}-{hashlib.sha256(where.encode()).hexdigest()[:16]}.journal"


def _plain(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _digested(text)


def _destination(text: str) -> str:
    if _CLUSTER.fullmatch(text):
        return text
    match = _LOCAL.fullmatch(text) or _HTTPS.fullmatch(text)
    if match is None or re.search(rf"{_DIGEST}$", match[0]):
        return _digested(text)
    return match[1] if match[2] is None else f"{match[1]}_{match[2]}"


def _digested(text: str) -> str:
    readable = _UNSAFE.sub("_", text).strip("._")[:40]
    return f"{readable}-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:8]}"
