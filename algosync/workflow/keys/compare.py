"""Read the key `compare` of an algorithm: what its answers are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.core.workflow import SourceAlgorithm
from algosync.workflow.fault import quote
from algosync.workflow.uri import algorithm_uri_fault

if TYPE_CHECKING:
    from algosync.workflow.section import Section

__all__ = ["read_compare"]


def read_compare(section: Section) -> SourceAlgorithm | None:
    """Return the algorithm at the source. None: the key is missing, or invalid, which is reported."""
    compare = section.section("compare", ("source",))
    uri = compare.text("source", required=True) if compare else None
    if compare is None or uri is None:
        return None
    if wrong := algorithm_uri_fault(uri.text):
        compare.report("source", "invalid-uri", f"{quote(uri.text)}: {wrong}", "for example algo://quality/Greeter")
        return None
    return SourceAlgorithm(*uri.text.removeprefix("algo://").split("/"))
