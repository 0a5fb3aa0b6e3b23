"""Runs pip for as long as no package's code has to run: `guarded_pip.py PIP ARGUMENT…`, by the Python of an environment.

PIP is the name of its module, or the program that runs another's. Code of packages runs where pip builds them, or fetches their
source, always in processes that it starts. Here it starts none, but for programs that tell what this machine is: where it would,
all ends at once with the exit code `NEEDS_CODE`, before any of it has run. So it does before a tar archive is opened, which can
only be source, and where a link would be made: pip makes none itself, and writes through those of an archive, wherever they lead.
What pip writes meanwhile, packages have not chosen.

Executed by path, on Python 3.8 at least; standard library only.
"""

from __future__ import annotations

import os
import runpy
import sys
import tarfile
from typing import NoReturn

NEEDS_CODE = 75
"""The exit code of what a package's code stopped; none of pip's own."""

KNOWN = ("lsb_release", "rustc", "uname")
"""What pip runs to tell an index who asks, and where."""

LOADER = "ld-musl-"
"""How those programs begin that tell which C library a system has, if it is this one."""

LINKS = ("os.link", "os.symlink")
STARTS = ("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system")


def main() -> None:
    """Run the pip of the command line, guarded."""
    del sys.argv[0]
    sys.addaudithook(guard)
    tarfile.open = stop
    if os.path.isabs(sys.argv[0]):
        runpy.run_path(sys.argv[0], run_name="__main__")
    else:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def guard(event: str, arguments: tuple[object, ...]) -> None:
    """End this process where it is about to start one that could run a package's code, or to make a link."""
    if event in LINKS or (event in STARTS and not (arguments and _tells(arguments[0]))):
        stop()


def stop(*_: object, **__: object) -> NoReturn:
    """End this process at once, whatever would be done by what this stands in for."""
    sys.stdout.flush()
    os._exit(NEEDS_CODE)


def _tells(program: object) -> bool:
    name = os.path.basename(os.fsdecode(program)) if isinstance(program, (str, bytes)) else ""
    return name in KNOWN or name.startswith(LOADER)


if __name__ == "__main__":
    main()
