"""Pattern: a regular expression of the workflow, found anywhere in a text."""

from __future__ import annotations

import re
import warnings

__all__ = ["is_literal", "pattern_fault"]

_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")


def pattern_fault(pattern: str) -> str:
    """Why it cannot be read, or empty. Python's warnings about future meanings are no faults, and are not shown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error) or "it is nested too deep"
    return ""


def is_literal(pattern: str) -> bool:
    """Whether it has no special character, so that finding it takes linear time."""
    return not _SPECIAL.search(pattern)
