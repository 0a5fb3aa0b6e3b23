"""Runs a program that leaves nothing behind: `leash.py SETTINGS,LIFELINE[,DESCRIPTOR…] PROGRAM ARGUMENT…`.

Both end together: when the program does, or when the other end of the lifeline, a socket, closes, as its holder has let go or died.
Whatever the program has started is killed then, too, in whatever session it hides: on Linux, orphans become children of this
process. It ends as the program did.

Not the leash but the program has the environment that the file of settings names, as options of bubblewrap, which reads them
itself: whoever chooses a variable must not choose what is loaded into a program outside the jail. Further descriptors are just kept
open until then. The program gets its limits here: they are generous, for what no algorithm or build needs and what would take the
machine from everybody else. Executed by path, without `site`: standard library only.
"""

import ctypes
import os
import resource
import select
import signal
import sys
from collections.abc import Collection

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_GET_CHILD_SUBREAPER = 37

MAX_FILE = 16 * 2**30
MAX_OPEN_FILES = 4096
MAX_PROCESSES = 8192
"""The system counts all of a user's, threads too, but apart in each jail; root is exempt."""
MEMORY_SHARE = 0.5
"""Of the machine, for one process: what it writes to, not addresses that it has only reserved, as numeric libraries do."""

SETTINGS = 3
"""The descriptor of the settings, to a program that reads them itself."""

READS_SETTINGS = ["--args", str(SETTINGS)]
"""How the command of such a program, a jail, goes on."""


def main() -> None:
    """Run the program of the command line."""
    settings, lifeline, *kept_open = map(int, sys.argv[1].split(","))
    for descriptor in (settings, lifeline, *kept_open):
        os.set_inheritable(descriptor, False)
    adopt_orphans()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    own = os.getpid()
    child = os.fork()
    if child == 0:
        _become(sys.argv[2:], settings, own)
    os.close(settings)
    _let_go()
    status = _wait(child, lifeline, reader)
    kill_children()
    _end_like(status)


def adopt_orphans() -> None:
    """From now on, descendants whose parents die become children of this process, where the system can do that."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def adopts_orphans() -> bool:
    """Whether this process has asked for that, and the system does it."""
    answer = ctypes.c_int(0)
    _prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(answer))
    return answer.value != 0


def kill_children(but: Collection[int] = ()) -> None:
    """Kill and await all children, but for some, until no more of them turn up."""
    while doomed := [pid for pid in _children() if pid not in but]:
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)
        for pid in doomed:
            os.waitpid(pid, 0)


def _end_like(status: int) -> None:
    """End as the child has ended of which this is the status."""
    if os.WIFEXITED(status):
        os._exit(os.WEXITSTATUS(status))
    number = os.WTERMSIG(status)
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def option(name: str, value: str) -> str:
    """A variable of the program as it stands in its settings."""
    return f"--setenv\0{name}\0{value}\0"


def _become(command: list[str], settings: int, parent: int) -> None:
    """Turn into the program, which does not outlive its parent, however that ends."""
    os.setsid()
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _limit()
    try:
        if os.getppid() == parent:
            os.execve(command[0], command, _environment(command, settings))  # noqa: S606  # no shell is wanted
    except OSError as error:
        os.write(2, f"Cannot run {command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _environment(command: list[str], settings: int) -> dict[bytes, bytes]:
    """What a program starts with: its variables, or, where it reads those itself and sets them for another one, none."""
    if command[1:3] == READS_SETTINGS:
        if settings == SETTINGS:
            os.set_inheritable(settings, True)
        else:
            os.dup2(settings, SETTINGS)
        return {}
    with os.fdopen(settings, "rb") as file:
        words = file.read().split(b"\0")
    return dict(zip(words[1::3], words[2::3], strict=False))


def _limit() -> None:
    """Lower the limits that are above those for programs. Core files are none, as they would hold keys."""
    memory = int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * MEMORY_SHARE)
    limits = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, MAX_FILE),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
        (resource.RLIMIT_NPROC, MAX_PROCESSES),
        (resource.RLIMIT_DATA, memory),
    )
    for name, most in limits:
        own = [each for each in resource.getrlimit(name) if each != resource.RLIM_INFINITY]
        resource.setrlimit(name, (min([most, *own]),) * 2)


def _let_go() -> None:
    """The program's channels are its own: who reads or writes them has to see their ends."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


def _wait(child: int, lifeline: int, reader: int) -> int:
    """How the child has ended, by itself or as the lifeline did."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            return status
        if pid == 0:
            ready, _, _ = select.select([lifeline, reader], [], [])
            if lifeline in ready:
                os.kill(child, signal.SIGKILL)
                return os.waitpid(child, 0)[1]
            os.read(reader, 4096)


def _children() -> list[int]:
    """On systems without `/proc` none are known: there, what the program has started ends with its group or not at all."""
    own = str(os.getpid())
    if not os.path.isdir("/proc/self"):
        return []
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _parent(name) == own]


def _parent(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The name, in parentheses, may hold anything.
            return file.read().rpartition(")")[2].split()[1]
    except OSError:
        return ""


def _prctl(option: int, value: object) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
