"""Twenty simultaneous calls of an algorithm that makes twelve calls at once: all are answered, in bounded memory."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from emulated import ADK, Emulator, emulator, until, within

CALLS, WIDTH = 20, 12
MOST_BYTES = 8 * 2**30
SAMPLE_SECONDS = 0.25

LEAF = "import time\nmodel = bytearray(b'x' * 2**26)\ndef apply(input):\n    time.sleep(0.3)\n    return input * input\n"
"""Source with a model of 64 MiB in memory."""

ORCHESTRATOR = """
from concurrent.futures import ThreadPoolExecutor
import Algorithmia
client = Algorithmia.client()
def apply(input):
    leaves, numbers = input
    with ThreadPoolExecutor(len(numbers)) as threads:
        return sum(threads.map(lambda leaf, number: client.algo(leaf).pipe(number).result, leaves, numbers))
"""

RECURSION = """
from concurrent.futures import ThreadPoolExecutor
import Algorithmia
client = Algorithmia.client()
def apply(input):
    own, depth = input
    if depth == 0:
        return 1
    with ThreadPoolExecutor(2) as threads:
        return sum(threads.map(lambda _: client.algo(own).pipe([own, depth - 1]).result, range(2)))
"""


class Memory:
    """The peak of a cluster's memory: the sum of the proportional set sizes (PSS) of all its processes, measured repeatedly."""

    def __init__(self, site: Emulator) -> None:
        self.peak = self.most = 0
        self._site = site
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            sizes = [size for pid in (self._site.process.pid, *self._site.descendants()) if (size := proportional(pid))]
            self.peak, self.most = max(self.peak, sum(sizes)), max(self.most, len(sizes))


def proportional(pid: int) -> int:
    """The PSS of a process in bytes, which divides shared memory among its users. 0 if the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def test_twenty_callers_with_twelve_calls_each(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments, jailed=True) as site:
        leaves = [site.deploy(f"Leaf{number}", LEAF) for number in range(WIDTH)]
        orchestrator = site.deploy("Orchestrator", ORCHESTRATOR, ADK)
        inputs = [(leaves, list(range(call, call + WIDTH))) for call in range(CALLS)]
        with Memory(site) as memory, ThreadPoolExecutor(CALLS) as threads:
            replies = list(threads.map(lambda value: site.call(orchestrator, value), inputs))
        assert [reply.get("result", reply) for reply in replies] == [sum(n * n for n in numbers) for _, numbers in inputs]
        assert memory.most > CALLS, "each call has its own process"
        assert 0 < memory.peak < MOST_BYTES
        assert within(tmp_path), "the final check would not find these processes"
        site.stop()
        until(lambda: not within(tmp_path))
    print(f"{memory.peak / 2**20:.0f} MiB of PSS in at most {memory.most} processes")


def test_a_recursive_tree_may_exceed_the_limit_of_calls(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments) as site:
        own = site.deploy("Recursion", RECURSION, ADK)
        assert site.call(own, [own, 4])["result"] == 2**4
