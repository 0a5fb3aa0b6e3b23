"""How a cluster was started last: a folder's cluster stays as it was until it is told otherwise."""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from algosync.emulator.variants import DEFAULT_VARIANTS, Variants, recorded

ADDRESS_FILE = "cluster.json"


@dataclass(frozen=True, slots=True)
class LastStart:
    """`tls`: over HTTPS, with a certificate of its own authority. One that was given is to be given each time."""

    tls: bool = False
    variants: Variants = DEFAULT_VARIANTS


def last_start(root: Path) -> LastStart:
    """That of the cluster in this folder; the usual one where there was none, or its file is damaged."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        document = json.loads((root / ADDRESS_FILE).read_text())
        return LastStart(isinstance(document.get("ca_cert"), str), recorded(document.get("stances")))
    return LastStart()
