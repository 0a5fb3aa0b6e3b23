"""Supervises one program: `leash.py SETTINGS,LIFELINE[,DESCRIPTOR…] PROGRAM ARGUMENT…`.

The leash ends when the program does, and kills the program when the other end of the lifeline, a socket, is closed. Then it kills
all descendants of the program, of any session: on Linux, orphans become children of this process. Its exit status or signal is the
program's.

The file of settings holds the environment of the program as options of bubblewrap, which reads them itself. The leash does not use
that environment, since a variable such as `LD_PRELOAD` would load code outside the jail. Further descriptors are held open until
the leash ends. It sets generous limits on the program, to protect the machine from runaway code. This file is executed by path,
without `site`: standard library only.
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
"""The system counts all processes and threads of a user, separately in each jail. Root has no such limit."""
MEMORY_SHARE = 0.5
"""Share of the machine's memory for one process. Addresses that are only reserved, as by numeric libraries, do not count."""

SETTINGS = 3
"""The descriptor of the settings in a jail, which reads them itself."""

READS_SETTINGS = ["--args", str(SETTINGS)]
"""The first arguments of such a jail."""


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
    _close_channels()
    status = _wait(child, lifeline, reader)
    kill_children()
    _end_like(status)


def adopt_orphans() -> None:
    """Let orphaned descendants become children of this process, if the system supports that."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def adopts_orphans() -> bool:
    """Whether orphaned descendants become children of this process."""
    answer = ctypes.c_int(0)
    _prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(answer))
    return answer.value != 0


def kill_children(but: Collection[int] = ()) -> None:
    """Kill and await all children except `but`, until none is left."""
    while doomed := [pid for pid in _children() if pid not in but]:
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)
        for pid in doomed:
            os.waitpid(pid, 0)


def _end_like(status: int) -> None:
    """End with the exit code or signal of a child's wait status."""
    if os.WIFEXITED(status):
        os._exit(os.WEXITSTATUS(status))
    number = os.WTERMSIG(status)
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def option(name: str, value: str) -> str:
    """A variable of the program, encoded for the settings."""
    return f"--setenv\0{name}\0{value}\0"


def _become(command: list[str], settings: int, parent: int) -> None:
    """Replace this process by the program. It dies with its parent."""
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
    """The variables of the program. A jail gets none: it reads the settings itself, for the program inside."""
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
    """Lower the limits of this process. Core files are disabled, as they would hold keys."""
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


def _close_channels() -> None:
    """Close stdin and stdout, so that only the program holds them, and others see when it closes them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


def _wait(child: int, lifeline: int, reader: int) -> int:
    """The wait status of the child. Kills it when the lifeline closes."""
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
    """Process ids of the children. Empty on systems without `/proc`, where descendants are not killed."""
    own = str(os.getpid())
    if not os.path.isdir("/proc/self"):
        return []
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _parent(name) == own]


def _parent(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The name of the program, in parentheses, may hold spaces and parentheses.
            return file.read().rpartition(")")[2].split()[1]
    except OSError:
        return ""


def _prctl(option: int, value: object) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
