"""A working copy of an algorithm's repository, for tests with the git program. Its URL contains the key, as in many scripts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from emulated import DEADLINE, Emulator

__all__ = ["Work", "git", "needs_git", "url"]

GIT = shutil.which("git")
IDENTITY = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
needs_git = pytest.mark.needs("git")


def url(site: Emulator, path: str) -> str:
    """The URL of a repository, given as `OWNER/NAME`, or of one version."""
    scheme, _, rest = site.address.partition("://")
    return f"{scheme}://{site.user}:{quote(site.key, safe='')}@{rest}/git/{path}.git"


def git(home: Path, *arguments: str, folder: Path | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run one command, which must end with this exit code. `home` has the settings."""
    assert GIT
    done = subprocess.run(
        [GIT, *arguments], cwd=folder or home, env=_environ(home), capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    assert done.returncode == code, done.stderr
    return done


class Work:
    """A clone of an algorithm, in a folder."""

    def __init__(self, site: Emulator, name: str, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self.folder, self._home, self._more = folder, folder.parent, more or {}
        settings = [word for pair in self._more.items() for word in ("-c", "=".join(pair))]
        git(self._home, "clone", "-q", *settings, url(site, f"local/{name}"), str(folder))

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return git(self._home, *arguments, folder=self.folder, code=code)

    def commit(self, path: str, content: str | bytes) -> str:
        """Commit a change of one file. Returns the commit's id."""
        (self.folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
        self.run("add", "-A")
        self.run("commit", "-q", "-m", path)
        return self.head()

    def head(self) -> str:
        return self.run("rev-parse", "HEAD").stdout.strip()

    @contextmanager
    def pushing(self, ref: str = "master") -> Iterator[subprocess.Popen[str]]:
        """Run a push while the body runs. If the body fails, the push is killed.

        The push has its own process group: git has several processes, and Ctrl-C reaches all of them.
        """
        assert GIT
        command, environ = [GIT, "push", "origin", f"HEAD:{ref}"], _environ(self._home)
        with subprocess.Popen(
            command, cwd=self.folder, env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as push:
            try:
                yield push
                push.wait(DEADLINE)
            finally:
                if push.poll() is None:
                    os.killpg(push.pid, signal.SIGKILL)


def _environ(home: Path) -> dict[str, str]:
    return {**IDENTITY, "PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
