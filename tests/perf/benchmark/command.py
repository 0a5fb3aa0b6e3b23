"""The command: `python tests/perf/benchmark --rows looking,startup`."""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from benchmark.records import keep, keep_ratios, worse
from benchmark.report import table
from benchmark.result import Bench, Result
from benchmark.rows.applying import applying
from benchmark.rows.dask import dask
from benchmark.rows.documents import documents
from benchmark.rows.looking import looking
from benchmark.rows.startup import startup
from benchmark.rows.transfers import relay, small_files

__all__ = ["main", "measured"]

ROWS: dict[str, Callable[[Bench], Iterator[Result]]] = {
    "startup": startup,
    "looking": looking,
    "applying": applying,
    "documents": documents,
    "small-files": small_files,
    "relay": relay,
    "dask": dask,
}
MEMORY = Path("/dev/shm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows that are asked for, and show them as a table."""
    parser = _parser()
    options = parser.parse_args(arguments)
    rows = options.rows.split(",")
    if unknown := set(rows) - set(ROWS):
        parser.error(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    with _place(options.scratch) as folder:
        bench = Bench(folder, options.rounds, options.size == "small", options.peers, options.once, options.sizes)
        finished = {row: results for row in rows if (results := _whole(row, bench)) is not None}
    results = [result for row in finished.values() for result in row]
    print(f"\n{about(bench)}\n\n{table(results)}")
    if options.write:
        keep_ratios(results) if bench.small else keep(results, about(bench))
    faults = worse(results) if options.check else {}
    for name, fault in faults.items():
        print(f"worse: {name}: {fault}", file=sys.stderr)
    return 1 if faults or len(finished) < len(rows) else 0


@contextmanager
def _place(scratch: Path | None) -> Iterator[Path]:
    """The folder to work in: the given one, or a new one, in memory if the machine has such a place."""
    if scratch is not None:
        yield scratch
        return
    parent = str(MEMORY) if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=parent, prefix="algosync-benchmark-") as folder:
        yield Path(folder)


def _whole(row: str, bench: Bench) -> list[Result] | None:
    """The results of one row; None if a command of it has failed, which is told. Other rows are measured nevertheless."""
    try:
        return list(measured(row, bench))
    except RuntimeError as error:
        print(f"{row}: {error}", file=sys.stderr, flush=True)
        return None


def measured(row: str, bench: Bench) -> Iterator[Result]:
    """The results of one row, each told when it is there."""
    for result in ROWS[row](bench):
        print(f"{result.name}: {result.ratio:.2f} x {result.peer}", file=sys.stderr, flush=True)
        yield result


def about(bench: Bench) -> str:
    """When it was measured, the machine, and the versions of both sides, in one line."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Linux {platform.release().partition('-')[0]}"
    versions = [f"{name} {version(name)}" for name in ("algosync", "algorithmia", "urllib3", "pyyaml")]
    for name, arguments in (("rclone", "version"), ("octodns-sync", "--version"), ("dvc", "--version")):
        if found := bench.peer(name):
            told = subprocess.run([found, arguments], capture_output=True, text=True, check=False).stdout
            number = re.search(r"\d+\.\d+[.\d]*", told)
            versions.append(f"{name} {number[0]}" if number else name)
    return f"{now}, {machine}, Python {platform.python_version()}, {', '.join(versions)}, {bench.rounds} rounds"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python tests/perf/benchmark", description="Measure algosync beside its peers.")
    parser.add_argument("--rows", default=",".join(ROWS), help=f"which rows, separated by commas: {', '.join(ROWS)}; default: all")
    parser.add_argument("--size", choices=("small", "full"), default="full", help="small takes a minute in all; default: full")
    parser.add_argument("--rounds", type=int, default=5, help="rounds after the warm-up; default: 5")
    parser.add_argument("--once", action="store_true", help="also the largest sizes, which are measured once")
    numbers = "numbers of algorithms or files, instead of the usual ones"
    parser.add_argument("--sizes", type=_numbers, default=[], metavar="N,N", help=numbers)
    parser.add_argument("--peers", type=Path, action="append", default=[], metavar="DIR", help="a folder with programs of peers")
    parser.add_argument("--write", action="store_true", help="update tests/perf/results: table and plot, or the ratios if small")
    parser.add_argument("--check", action="store_true", help="with --size small: fail if a ratio is twice the recorded one")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="keep prepared folders here for the next run; best in memory")
    return parser


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]
