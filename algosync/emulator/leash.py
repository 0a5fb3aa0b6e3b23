"""Runs a module as a program that does not outlive its starter: when stdin ends, its whole process group does.

Executed by path, with whatever interpreter has the module: standard library only. `leash.py MODULE ARGUMENTS…`
"""

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    """Watch stdin beside the module."""
    # Python puts this file's folder first; its modules are none of the program's business.
    del sys.path[0], sys.argv[0]
    threading.Thread(target=_watch, daemon=True).start()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _watch() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
