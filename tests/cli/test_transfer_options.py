"""The options about transfers: which sizes and rates they take, and which files are read once."""

from __future__ import annotations

import io
import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from algosync.cli.options import CompareOptions
from algosync.cli.terminal import Terminal
from algosync.cli.transferring.byte_count import byte_rate
from algosync.cli.transferring.once_only import OnceOnly
from algosync.cli.transferring.options import cache_limit, rate_of
from algosync.cluster.address import parse
from algosync.cluster.caching_transfers import CachingTransfers
from algosync.cluster.connection import connect
from algosync.cluster.data import DataStore
from algosync.cluster.directory import Directory
from algosync.cluster.transfers import LocalTransfers, Transfers
from algosync.core.credential import credential
from algosync.core.error import UsageError
from algosync.core.workflow import AlgorithmSpec, DataFile, Workflow
from algosync.net import Net

OPTIONS = CompareOptions(environ={})
SHARED = DataFile("data://.my/models/shared.bin", "shared.bin")
OWN = DataFile("data://.my/models/own.bin", "own.bin")
CLUSTER = connect(parse("https://source.example.com", "SOURCE"), credential("key", "KEY"), Net()).data  # it is never asked


def transfers(options: CompareOptions, *files: DataFile, store: DataStore | None = CLUSTER) -> tuple[Transfers, str]:
    """What carries out the transfers of two algorithms that both have these files, and what was told."""
    told = io.StringIO()
    algorithms = tuple(AlgorithmSpec(name, "python3", data_files=files) for name in ("First", "Second"))
    with ExitStack() as stack:
        once = OnceOnly(options, Terminal(io.StringIO(), told, (False, False), live=False), stack)
        return once.transfers(LocalTransfers(), store, Workflow("w", "/", algorithms), lambda _: "key"), told.getvalue()


@pytest.mark.parametrize(
    ("text", "rate"),
    [("10M", 10 << 20), ("10MiB", 10 << 20), ("1.5G", 1.5 * 2**30), ("700k", 700 << 10), ("2MB/s", 2e6), ("9 MiB", 9 << 20)],
)
def test_rates_are_those_of_rclone(text: str, rate: float) -> None:
    assert byte_rate(text, "--bwlimit") == rate
    assert rate_of(replace(OPTIONS, bwlimit=text)) == rate


@pytest.mark.parametrize("text", ["10", "M", "-1M", "1e9M", "10Mbit", "off", "0x1M", "\u0661M"])
def test_other_rates_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a rate"):
        replace(OPTIONS, bwlimit=text)


def test_a_rate_that_is_too_low_for_the_transfers_is_refused() -> None:
    assert replace(OPTIONS, bwlimit="32k", parallelism=2, transfers=1).bwlimit == "32k"
    with pytest.raises(UsageError, match="too low for 3 transfers at the same time, which need 16 KiB/s each"):
        replace(OPTIONS, bwlimit="32k", parallelism=2, transfers=3)
    with pytest.raises(UsageError, match="too low"):
        replace(OPTIONS, bwlimit="0M")


def test_no_rate_is_no_limit() -> None:
    assert rate_of(OPTIONS) is None


def test_workers_have_no_rate() -> None:
    with pytest.raises(UsageError, match="does not limit the workers"):
        replace(OPTIONS, bwlimit="10M", executor="dask://localhost:8786")


def test_sizes_of_the_cache() -> None:
    assert cache_limit(OPTIONS) == 10 << 30
    for text in ("", "0", "many", "-1GiB"):
        with pytest.raises(UsageError, match="--cache-size"):
            replace(OPTIONS, cache_size=text)


def test_files_of_several_algorithms_are_read_once_without_an_option() -> None:
    assert isinstance(transfers(OPTIONS, SHARED)[0], CachingTransfers)


def test_other_files_are_cached_on_demand_only() -> None:
    assert isinstance(transfers(OPTIONS)[0], LocalTransfers)
    assert isinstance(transfers(replace(OPTIONS, cache=True))[0], CachingTransfers)


def test_a_folder_needs_no_cache(tmp_path: Path) -> None:
    assert isinstance(transfers(replace(OPTIONS, cache=True), SHARED, store=Directory(tmp_path))[0], LocalTransfers)


def test_workers_have_no_cache() -> None:
    used, told = transfers(replace(OPTIONS, cache=True, executor="dask://localhost:8786"), SHARED)
    assert isinstance(used, LocalTransfers)
    assert told == "--cache is not used: it is on this machine, and the workers of --executor move the files.\n"


@pytest.mark.parametrize("is_link", [False, True])
def test_folders_of_killed_commands_are_removed(is_link: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But no others, and none in another folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    runs = tmp_path / "algosync" / "runs"
    killed, running = "0" * 16, "1" * 16
    for name in (killed, running, "thesis"):
        (runs / name).mkdir(parents=True)
        if name != running:
            os.utime(runs / name, (0, 0))
    if is_link:
        runs.rename(tmp_path / "documents")
        runs.symlink_to(tmp_path / "documents")
    transfers(OPTIONS, SHARED)
    left = {path.name for path in runs.iterdir()}
    assert left == ({killed, running, "thesis"} if is_link else {running, "thesis"})
