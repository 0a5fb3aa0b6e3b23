"""Environments: find the runtime of a cluster that a workflow's `language` means.

Ids differ between clusters and change when an environment is synced again. So a workflow gives a display name or one of the
shorthands in this table, which are the names of the original tool.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import cache

from algosync.core.error import SourceError
from algosync.core.lean import dataclass
from algosync.core.text import printable

__all__ = ["SHORTHANDS", "Environment", "choose", "shown"]

SHORTHANDS = {
    "python2": r"Python 2\.\d+",
    "python3": r"Python 3\.\d+",
    "pytorch": r".*\bPyTorch\b.*",
    "tensorflow-2.3": r".*\bTensorFlow\b.*\b2\.3\b.*",
    "tensorflow-1.14": r".*\bTensorFlow\b.*\b1\.14\b.*",
}

_NO_TIME = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Environment:
    """A runtime as the cluster lists it. `created_at` is the cluster's own text, in any form of ISO 8601."""

    id: str
    display_name: str
    created_at: str = ""


def choose(language: str, offered: Sequence[Environment], current: str | None, recorded: str | None = None) -> Environment:
    """Return the environment that `language` means on this cluster: the newest match of a shorthand, or the exact display name.

    An algorithm keeps its environment if that still matches: first the one that we set (`recorded`, a display name), then the one
    it runs on (`current`, an id), which somebody else may have set. Raises SourceError if no environment matches.
    """
    pattern = SHORTHANDS.get(language)
    candidates = [e for e in offered if (re.fullmatch(pattern, e.display_name) if pattern else e.display_name == language)]
    if not candidates:
        raise SourceError(f"the destination has no environment for {printable(language)!r}", hint=_hint(language, offered))
    kept = [e for e in candidates if e.display_name == recorded] or [e for e in candidates if e.id == current]
    return max(kept or candidates, key=_version_key)


def shown(environment_id: str | None, offered: Sequence[Environment]) -> str | None:
    """Return the display name of an id, or the id itself if the cluster no longer lists it."""
    return next((e.display_name for e in offered if e.id == environment_id), environment_id)


@cache
def _version_key(environment: Environment) -> tuple[list[int], bool, datetime, str]:
    """Sort key: Python version, then framework version, then creation time; an invalid time counts as the oldest."""
    from algosync.core.timestamp import read_iso_time  # a workflow's reader needs the shorthands only, and has to start fast

    numbers = [int(number) for number in re.findall(r"\d+", environment.display_name)]
    created = read_iso_time(environment.created_at)
    return numbers, created is not None, created or _NO_TIME, environment.created_at


def _hint(language: str, offered: Sequence[Environment]) -> str:
    names = sorted({e.display_name for e in offered})
    listed = ", ".join(printable(name, 80) for name in names) or "none at all"
    near = difflib.get_close_matches(language, names, 1, 0.5)
    guess = f"did you mean {printable(near[0], 80)!r}? " if near else ""
    return f"{guess}it offers: {listed}"
