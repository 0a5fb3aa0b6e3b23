"""The promise of signals: the process ends in two seconds, whatever it is stuck in, and at once after a second signal."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from algosync.cli import interrupt

HANG = 300  # seconds; only a failing test waits so long

STUCK = """
import sys, time
from algosync.cli import interrupt
interrupt._UNWIND_WITHIN = float(sys.argv[1])
interrupt.install()
told = "installed"
while True:
    try:
        print(told, flush=True)
        time.sleep(1000)
    except interrupt.Signalled:
        told = "signalled"
"""


def test_what_does_not_unwind_is_given_less_time_than_promised() -> None:
    assert interrupt._UNWIND_WITHIN < 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("unwind_within", "signals"), [(0.1, 1), (1000, 2)], ids=["time-is-over", "second-signal"])
def test_a_process_that_never_unwinds_is_ended(unwind_within: float, signals: int, number: signal.Signals) -> None:
    command = [sys.executable, "-c", STUCK, str(unwind_within)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        for _ in range(signals):
            assert process.stdout.readline() in ("installed\n", "signalled\n")
            process.send_signal(number)
        try:
            assert process.wait(HANG) == 128 + number
        finally:
            process.kill()


# Sends a signal to the process when a module is first imported. A finder that raises KeyboardInterrupt would not be the same.
SIGNAL_AT_IMPORT = """
import os, sys
number, wanted, *sys.argv[1:] = int(sys.argv[1]), *sys.argv[2:]
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            os.kill(os.getpid(), number)
sys.meta_path.insert(0, Finder())
import runpy
runpy.run_module("algosync", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["algosync.cli.interrupt", "algosync.core.error", "threading", "typer", "algosync.cli.main"])
def test_a_signal_while_the_command_is_imported_ends_it_quietly(module: str, number: signal.Signals) -> None:
    command = [sys.executable, "-c", SIGNAL_AT_IMPORT, str(int(number)), module, "plan", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")
