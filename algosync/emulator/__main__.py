"""`python -m algosync.emulator ROOT`: serve a local cluster in the foreground."""

import argparse
import os
import sys
from pathlib import Path

from algosync.emulator.server.last_start import last_start
from algosync.emulator.variants import add_options, chosen


def _environments() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "algosync" / "environments"


def main() -> int:
    """Serve until stopped. Returns 1, with one line on stderr, if the server cannot start."""
    arguments = _parser().parse_args()
    from algosync.emulator.server.process import ServeOptions, serve
    from algosync.emulator.server.start_files import StartError

    last = last_start(arguments.root)
    if arguments.tls is None:
        arguments.tls = last.tls and arguments.certificate is None
    given = {name: value for name, value in vars(arguments).items() if name in ServeOptions.__slots__}
    try:
        serve(ServeOptions(**given, variants=chosen(arguments, last.variants)))
    except StartError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("algosync.emulator", description="Serve a local Algorithmia cluster on loopback.")
    parser.add_argument("root", type=Path, metavar="ROOT", help="the folder of the cluster: data, key, logs")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--user", default="local", help="the name of the user who owns the cluster (default: local)")
    parser.add_argument(
        "--until-unlocked", type=Path, metavar="FILE", help="stop as soon as no process holds a shared lock on FILE any more"
    )
    parser.add_argument(
        "--environments",
        type=Path,
        metavar="DIR",
        default=_environments(),
        help="the folder of Python environments, which clusters share",
    )
    parser.add_argument(
        "--tls",
        action=argparse.BooleanOptionalAction,
        help="serve HTTPS, with a certificate of the cluster's own authority (default: as at the last start)",
    )
    parser.add_argument(
        "--certificate", type=Path, metavar="FILE", help="serve HTTPS with this certificate and its key, both as PEM"
    )
    parser.add_argument("--faults", type=Path, metavar="FILE", help="inject the faults that this JSON file describes")
    add_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
