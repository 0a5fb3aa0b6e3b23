"""Check `required_version`: which versions of algosync a file is written for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync import __version__
from algosync.workflow.fault import quote
from algosync.workflow.node import MapNode, Scalar
from algosync.workflow.section import text_of

if TYPE_CHECKING:
    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node

__all__ = ["require_version"]

_KEY = "required_version"


def require_version(root: Node, faults: Faults, version: str = __version__) -> None:
    """Raises UnreadableError if the file requires another version of algosync.

    It is checked first: a file for a newer version may have keys that this one does not know, and their faults would mislead. A
    development version counts as the release that it precedes.
    """
    found = root.entries.get(_KEY) if isinstance(root, MapNode) else None
    if found is None or (isinstance(found, Scalar) and found.kind == "null"):
        return
    node = text_of(found, _KEY, faults)
    if node is None:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    try:
        wanted = SpecifierSet(node.text)
    except InvalidSpecifier:
        hint = 'write it as in Python packages, for instance ">=0.4" or ">=0.4,<1"'
        faults.add(node, _KEY, "version-specifier", f"{quote(node.text)} is not a version specifier", hint)
        return
    if not wanted.contains(Version(version).base_version, prereleases=True):
        message = f"this file requires algosync {node.text}, and this is {version}"
        faults.stop(node, "required-version", message, "install a version that fits; nothing was contacted")
