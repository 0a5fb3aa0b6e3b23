"""The promise of signals: the process ends in two seconds, whatever it is stuck in, and at once after a second signal."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from algosync.cli import interrupt

HANG = 60  # seconds; only a failing test waits so long

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
