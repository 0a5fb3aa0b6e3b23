"""Files of trusted certificate authorities that environment variables name."""

import os
from pathlib import Path

BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""The variables. Their file replaces a program's own authorities, so TLS fails in programs if the file is missing."""

EXTRA = "extra.pem"
"""The authorities that were trusted before, plus the cluster's own."""

SHARED = "shared.pem"
"""The cluster's bundle, plus the authority of a second local cluster that the shell uses."""

FILES = ("ca.pem", "bundle.pem", EXTRA, SHARED)
"""Names of the files for clients, in a cluster's folder `tls`."""

_LOCK = "server.lock"  # in every cluster's folder, also after a reset


def of_local_cluster(file: Path) -> bool:
    """Whether the path is that of a local cluster's CA file. The file need not exist."""
    if file.name not in FILES or file.parts[-2:-1] != ("tls",):
        return False
    return file.parts[-4:-3] == ("local",) or (file.parents[1] / _LOCK).exists()


def named() -> dict[str, str]:
    """The variables of this process whose file exists, with its path. Some programs also accept a folder."""
    found = {name: os.environ.get(name, "") for name in BUNDLES}
    return {name: value for name, value in found.items() if value and os.path.exists(value)}


def keep(root: Path) -> None:
    """Copy CA files of other local clusters into the cluster's folder `root`, and let the variables name the copies.

    A reset of the other cluster would remove its files. Raises `OSError` if a copy cannot be written.
    """
    for name, value in named().items():
        file = Path(value).resolve()
        if of_local_cluster(file) and file.parent != root / "tls":
            try:
                known = file.read_bytes()
            except OSError:
                # The other cluster was reset meanwhile.
                continue
            copy = root / "trusted" / f"{name}.pem"
            copy.parent.mkdir(mode=0o700, exist_ok=True)
            copy.write_bytes(known)
            os.environ[name] = str(copy)
