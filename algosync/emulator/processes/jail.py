"""Runs untrusted code in a jail of bubblewrap (`bwrap`), if the machine has it and it works.

A jailed program sees the system, its Python and the given paths. It does not see the user's home, the cluster or other processes.
The network remains, because algorithms call algorithms. The jail shares the kernel, so it is not a security boundary.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from algosync.emulator.processes import leash

PROBE_SECONDS = 10

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")

SETTINGS = (
    *("alternatives", "ca-certificates", "crypto-policies", "group", "gai.conf", "host.conf", "hosts", "ld.so.cache", "localtime"),
    *("mime.types", "nsswitch.conf", "passwd", "pki/ca-trust", "pki/tls/certs", "protocols", "resolv.conf", "services"),
    *("ssl/certs", "ssl/openssl.cnf", "timezone"),
)
"""The parts of `/etc` that programs need to find hosts, users, certificates and libraries. None holds passwords or keys."""

APART = ("--die-with-parent", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL")

ALONE = ("--unshare-user", "--disable-userns", *APART)
"""Options of isolation. Nested user namespaces are disabled: root could mount and write the machine's control groups there."""

OLDER = ("--unshare-user-try", *APART)
"""Options for bubblewrap before 0.8, and for machines where user namespaces are disabled or for root only."""

SHARED_MEMORY = 2**30
"""Bytes of shared memory (`/dev/shm`) that each jail may use. Limits of processes do not count it."""

LIMITED = ("--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm")  # noqa: S108 - it is not the machine's own
"""Options that mount limited shared memory."""

UNLIMITED = LIMITED[2:]
"""The same without a limit, for older versions of bubblewrap."""

CLOSED = ("--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/")
"""Options that make the remaining mounts read-only. In a writable `/proc`, root could change settings of the kernel."""

KINDS = ((ALONE, LIMITED), (OLDER, LIMITED), (OLDER, UNLIMITED))
"""Sets of options to try, strictest first."""


@dataclass(frozen=True, slots=True)
class Jail:
    """The program and options that jail a command. Without a `program`, commands run unjailed."""

    program: str | None = None
    alone: tuple[str, ...] = ALONE
    limits: tuple[str, ...] = LIMITED

    @property
    def notice(self) -> str:
        """A notice for users: how the cluster runs the code it is given."""
        if self.program:
            return "This cluster runs the code it is given, in a jail (bubblewrap): not a security boundary"
        return "This cluster runs the code it is given, without a jail: bubblewrap (bwrap) is missing or does not work"

    def command(self, command: Iterable[str | Path], temporary: Path, shown: Iterable[Path], writable: Iterable[Path]) -> list[str]:
        """The command that runs `command` in the jail, to be started below a leash, which passes the environment.

        The first of `writable` is the working folder. Paths are the same inside and outside; `temporary` is also `/tmp`. Paths of
        `shown` are read-only, and skipped if they do not exist.
        """
        plain = list(map(str, command))
        if self.program is None:
            return plain
        folder, *others = writable
        return [
            *(self.program, *leash.READS_SETTINGS, *self.alone, *_system(), *self.limits),
            *("--bind", str(temporary), "/tmp"),  # noqa: S108 - it is not the machine's own
            *_bound("--ro-bind-try", [Path(sys.base_prefix), *shown]),
            *_bound("--bind", [folder, *others]),
            *(*CLOSED, "--chdir", str(folder), "--", *plain),
        ]


NO_JAIL = Jail()


def find() -> Jail:
    """The strictest jail that works on this machine, tried by running a program; `NO_JAIL` if none does."""
    program = shutil.which("bwrap")
    if program is None:
        return NO_JAIL
    for alone, limits in KINDS:
        if _works([program, *alone, *_system(), *limits, *CLOSED, "/bin/true"]):
            return Jail(os.path.abspath(program), alone, limits)
    return NO_JAIL


def _works(command: list[str]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, and the machine's own
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _system() -> list[str]:
    settings = [f"/etc/{name}" for name in SETTINGS]
    return [*_bound("--ro-bind-try", map(Path, (*SYSTEM, *settings))), "--proc", "/proc", "--dev", "/dev"]


def _bound(option: str, paths: Iterable[Path]) -> list[str]:
    return [word for path in paths for word in (option, str(path), str(path))]
