"""Which certificate authorities programs are told to trust, by files that variables name: those that will be there."""

import os
from pathlib import Path

BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""The variables. What they name replaces what is trusted otherwise: without the file, programs cannot speak TLS at all."""

EXTRA = "extra.pem"
"""What somebody trusted before, and a cluster's authority."""

FILES = ("ca.pem", "bundle.pem", EXTRA)
"""Those that clients of a cluster are told of, in its folder `tls`."""


def of_local_cluster(file: Path) -> bool:
    """Whether it is in the folder of a local cluster, be that gone or not."""
    return file.name in FILES and file.parts[-4:-3] == ("local",) and file.parts[-2] == "tls"


def named() -> dict[str, str]:
    """What the variables of this process name and is there: a file, or for some programs a folder."""
    found = {name: os.environ.get(name, "") for name in BUNDLES}
    return {name: value for name, value in found.items() if value and os.path.exists(value)}


def keep(root: Path) -> None:
    """From now on this process has copies, in the cluster's folder `root`, of what variables name of another local cluster.

    That one may be reset, and what the machine trusts besides is in its files as well. OSError: there is no room for them.
    """
    for name, value in named().items():
        file = Path(value).resolve()
        if of_local_cluster(file) and file.parent != root / "tls":
            try:
                known = file.read_bytes()
            except OSError:
                # It is being reset: as if it were not there.
                continue
            copy = root / "trusted" / f"{name}.pem"
            copy.parent.mkdir(mode=0o700, exist_ok=True)
            copy.write_bytes(known)
            os.environ[name] = str(copy)
