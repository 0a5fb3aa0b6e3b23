"""Limits on resources of an algorithm. A call that exceeds them does not affect the next one."""

import itertools
import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from emulated import Emulator, alive, until

from algosync.emulator.processes import leash

GREEDY = """
import mmap, os, resource, subprocess, sys, threading, time
NAMES = ("CORE", "FSIZE", "NOFILE", "NPROC", "DATA")
def print_for_ever():
    while True:
        os.write(1, b"x" * 1048576)
def apply(input):
    if input == "limits":
        return {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in NAMES}
    if input == "memory":
        kept = []
        while True:
            # Never touched: it counts, but takes nothing from the machine that runs the test.
            kept.append(mmap.mmap(-1, 2 ** 30, mmap.MAP_PRIVATE))
    if input == "descriptors":
        kept = []
        while True:
            kept.append(open(os.devnull))
    if input == "file":
        with open(os.path.join(os.environ["TMPDIR"], "sparse"), "wb") as file:
            file.truncate(resource.getrlimit(resource.RLIMIT_FSIZE)[0] + 1)
    if input == "more":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if input == "print":
        print_for_ever()
    if input == "print later":
        threading.Thread(target=print_for_ever, daemon=True).start()
    if input == "family":
        child = subprocess.Popen([sys.executable, "-c", TREE, os.environ["TMPDIR"] + "/pids"])
        child.wait()
    return input
TREE = '''
import os, subprocess, sys, signal, time
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\\\n")
if len(sys.argv) < 4:
    subprocess.Popen([sys.executable, *sys.orig_argv[1:], "deeper"], start_new_session=True)
signal.pause()
'''
"""


@pytest.fixture(scope="module")
def greedy(site: Emulator) -> str:
    return site.deploy("Greedy", GREEDY)


def test_the_limits_of_a_worker(site: Emulator, greedy: str) -> None:
    memory = int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * leash.MEMORY_SHARE)
    wanted = {
        "CORE": 0,
        "FSIZE": leash.MAX_FILE,
        "NOFILE": leash.MAX_OPEN_FILES,
        "NPROC": leash.MAX_PROCESSES,
        "DATA": memory,
    }
    own = {name: [each for each in resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) if each >= 0] for name in wanted}
    expected = {name: [min([most, *own[name]])] * 2 for name, most in wanted.items()}
    assert site.call(greedy, "limits")["result"] == expected


@pytest.mark.parametrize(
    ("what", "trace"),
    [
        ("memory", "OSError: [Errno 12]"),
        ("descriptors", "OSError: [Errno 24]"),
        ("file", "OSError: [Errno 27]"),
        ("more", "ValueError"),
    ],
)
def test_exceeding_a_limit_is_an_error_of_the_algorithm(site: Emulator, greedy: str, what: str, trace: str) -> None:
    if what == "more" and os.getuid() == 0:
        trace = ""  # root can raise its own limits if there is no jail
    reply = site.call(greedy, what)
    if trace:
        assert reply["error"]["stacktrace"].splitlines()[-1].strip().startswith(trace), reply
    assert site.call(greedy, 1)["result"] == 1


@pytest.mark.parametrize("what", ["print", "print later"])
def test_endless_output_does_not_fill_the_disk(site: Emulator, greedy: str, what: str) -> None:
    until(lambda: not printed_to(site))  # the worker of an earlier test has ended
    assert site.call(greedy, 1)["result"] == 1  # a worker has started
    reply = site.call(greedy, what, f"?timeout={3 if what == 'print' else 60}&stdout=true")
    if what == "print":
        assert reply["error"]["error_type"] == "TimeoutError"
        assert reply["metadata"]["stdout"] == "x" * 2**20 + "\n[cut: the first 1048576 bytes of what was printed]\n"
    else:
        assert reply["result"] == what
        until(lambda: len(printed_to(site)) == 1)
        [log] = printed_to(site)
        sizes = watch(lambda: log.stat().st_size)
        assert max(sizes) > 2**20
        assert any(later < earlier for earlier, later in itertools.pairwise(sizes)), "the file is never truncated"
        site.call(greedy, "print", "?timeout=0.1")  # ends the worker, which would print until the cluster ends


def printed_to(site: Emulator) -> list[Path]:
    """The logs of workers with any output, including workers that are still ending."""
    return [path for path in (site.root / "run").glob("*/output.log") if size_of(path)]


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # its worker has ended
        return 0


def watch(size: Callable[[], int]) -> list[int]:
    """The sizes of a file, until it becomes smaller."""
    sizes: list[int] = [size()]

    def smaller() -> bool:
        sizes.append(size())
        return sizes[-1] < sizes[-2]

    until(smaller)
    return sizes


def test_a_timeout_ends_all_descendants_in_any_session(site: Emulator, greedy: str) -> None:
    def family() -> list[int]:
        return [int(pid) for path in (site.root / "run").glob("*/tmp/pids") for pid in path.read_text().split()]

    replies: list[object] = []
    caller = threading.Thread(target=lambda: replies.append(site.call(greedy, "family", "?timeout=10")["error"]["error_type"]))
    caller.start()
    until(lambda: len(family()) == 3)
    pids = family()
    caller.join()
    assert replies == ["TimeoutError"]
    until(lambda: not any(map(alive, pids)))
