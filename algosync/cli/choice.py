"""Choice: the options as they were given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Choice"]


@dataclass(frozen=True, slots=True)
class Choice:
    """`workflow` and `destination` may be empty; the environment then decides. Timeouts are in seconds."""

    workflow: str | None
    destination: str = ""
    state: Path = Path("state")
    variables: tuple[str, ...] = ()
    variable_files: tuple[Path, ...] = ()
    parallelism: int = 8
    build_timeout: int = 1800
    request_timeout: int = 120
    insecure_http: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
