"""The options about transfers that several commands share. `algosync.cli.options` puts them into its groups."""

from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.help import RARE
from algosync.core.error import UsageError
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.options import ClusterOptions

__all__ = ["BandwidthLimit", "Cache", "CacheSize", "Executor", "cache_limit", "rate_of"]

_LEAST = 16 << 10  # bytes a second of one transfer; servers and proxies close connections that are slower

Executor = Annotated[
    str,
    typer.Option(
        metavar="WHERE",
        help="What carries out transfers and reads files of clusters: threads, or the workers of a Dask cluster, as in "
        "dask://HOST:PORT or tls://HOST:PORT.",
        rich_help_panel=RARE,
    ),
]
Cache = Annotated[
    bool,
    typer.Option(
        "--cache",
        help="Keep what is read from the source in the user's cache, so that another destination costs no second download.",
        rich_help_panel=RARE,
    ),
]
CacheSize = Annotated[
    str,
    typer.Option(
        metavar="SIZE", help="How large the cache may become; what was not used for the longest time leaves.", rich_help_panel=RARE
    ),
]
BandwidthLimit = Annotated[
    str,
    typer.Option(
        metavar="RATE",
        help="Move at most so many bytes a second in each direction, such as 10M: all transfers and verifications together.",
        show_default=False,
        rich_help_panel=RARE,
    ),
]


def cache_limit(options: "ClusterOptions") -> int:
    """Bytes. UsageError: it is no size, or 0."""
    from algosync.cli.transferring.byte_count import byte_count

    limit = byte_count(options.cache_size, "--cache-size")
    if not limit:
        raise UsageError("--cache-size 0: nothing fits", hint="leave out --cache to use no cache")
    return limit


def rate_of(options: "ClusterOptions") -> float | None:
    """Bytes a second. None: there is no limit. UsageError: it is no rate, or too low for the transfers at the same time."""
    if not options.bwlimit:
        return None
    from algosync.cli.transferring.byte_count import byte_rate

    rate = byte_rate(options.bwlimit, "--bwlimit")
    if options.executor != "threads":
        raise UsageError("--bwlimit does not limit the workers of --executor", hint="use one of the two options")
    transfers = max(options.transfers, options.parallelism)
    if rate < _LEAST * transfers:
        problem = f"too low for {transfers} transfers at the same time, which need 16 KiB/s each"
        hint = f"at least {16 * transfers}KiB, or smaller numbers for --transfers and --parallelism"
        raise UsageError(f"--bwlimit {printable(options.bwlimit, 80)}: {problem}", hint=hint)
    return rate
