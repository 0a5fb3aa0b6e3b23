"""The settings of the last start, which are the defaults of the next one."""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from algosync.emulator.variants import DEFAULT_VARIANTS, Variants, recorded

ADDRESS = "cluster.json"


@dataclass(frozen=True, slots=True)
class LastStart:
    """`tls` means HTTPS with a certificate of the cluster's own authority. A certificate of the user's is not remembered.

    `port` is 0 if there was no start.
    """

    port: int = 0
    tls: bool = False
    variants: Variants = DEFAULT_VARIANTS


def last_start(root: Path) -> LastStart:
    """The last start of the cluster in this folder. Returns the defaults if there was none, or if its file is damaged."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        document = json.loads((root / ADDRESS).read_text())
        port = urlsplit(document.get("address", "")).port or 0
        return LastStart(port, isinstance(document.get("ca_cert"), str), recorded(document.get("stances")))
    return LastStart()
