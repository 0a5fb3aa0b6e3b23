"""The build of a commit: waited for, and asked for if it is missing or failed earlier."""

from __future__ import annotations

from algosync.cluster.algorithms import Build
from algosync.core.error import BuildFailed, ClusterError, TimedOut
from algosync.core.event import Note
from algosync.core.lean import dataclass
from algosync.core.planning.schedule import Step
from algosync.core.ports import Tell
from algosync.kinds.context import Context
from algosync.net.retry import is_transient

__all__ = ["require_built"]

_LISTED_WITHIN = 30.0  # seconds after a push or compilation until a missing build is asked for again
_MOST_REQUESTS = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds between looks at a build
_LOG_TAIL = 40  # lines


def require_built(step: Step, commit: str, context: Context, tell: Tell) -> None:
    """Returns when the commit has a successful build. BuildFailed: the build failed, or did not end before the deadline."""
    build = _BuildWait(step, commit, context, tell).finished()
    if build.status != "succeeded":
        log = context.destination.algorithms.build_log(context.destination.owner, step.address.algorithm, build.id)
        raise BuildFailed(f"the build of commit {commit[:12]} failed", log="\n".join(log.splitlines()[-_LOG_TAIL:]))


@dataclass(slots=True)
class _BuildWait:
    """One wait for a build. `requests` counts the compilations it asked for; `replaced` is the build before the last one."""

    step: Step
    commit: str
    context: Context
    tell: Tell
    requests: int = 0
    replaced: Build | None = None
    told: str = ""

    def finished(self) -> Build:
        """The finished build. A build that failed before this run, or that is not listed in time, is asked for again."""
        started = since = self.context.clock()
        fresh = self.commit in self.context.pushed
        pause = _FIRST_PAUSE
        while True:
            build = self._newest()
            if build is not None and (build.status == "succeeded" or (build.status == "failed" and fresh)):
                return build
            lost = build is None and (not fresh or self.context.clock() - since > _LISTED_WITHIN)
            if self.requests < _MOST_REQUESTS and (lost or (build is not None and build.status == "failed")):
                self._request(build)
                fresh, since = True, self.context.clock()
                continue
            self._require_time_left(started)
            self._report(build.status if build else "queued")
            self.context.pause(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _newest(self) -> Build | None:
        destination = self.context.destination
        build = destination.algorithms.build_of(destination.owner, self.step.address.algorithm, self.commit)
        return None if self.requests and build == self.replaced else build  # the requested build is not listed yet

    def _request(self, build: Build | None) -> None:
        """Starts a compilation. The answer comes only after the build, and may time out; the list of builds gives the result."""
        destination = self.context.destination
        with self.context.ledger.writing(self.step.address, "compile"):
            try:
                destination.algorithms.compile(destination.owner, self.step.address.algorithm)
            except ClusterError as error:
                if not is_transient(error) and not isinstance(error, TimedOut):
                    raise
        self.requests += 1
        self.replaced = build or self.replaced

    def _require_time_left(self, started: float) -> None:
        deadline = self.context.build_deadline
        if self.context.clock() - started > deadline:
            message = f"the build of commit {self.commit[:12]} did not end within {deadline:.0f} s"
            raise BuildFailed(message, hint="--build-timeout gives it more time; the same command then waits for this build")

    def _report(self, status: str) -> None:
        if status != self.told:
            self.tell(Note(self.step, status))
            self.told = status
