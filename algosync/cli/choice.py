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
    state: str = "state"
    variables: tuple[str, ...] = ()
    variable_files: tuple[Path, ...] = ()
    parallelism: int = 8
    build_timeout: int = 1800
    request_timeout: int = 120
    insecure_http: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @property
    def local_home(self) -> Path:
        """The folder of the local clusters: the state's own folder, or `state` if the state is not kept in one."""
        scheme, separator, path = self.state.rpartition("://")
        return Path(path if not separator or scheme == "file" else "state")
