"""The exception tree: one branch for each thing that a reader can do about a failure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "AlgosyncError",
    "ApplyIncomplete",
    "BuildFailed",
    "ClusterError",
    "Conflict",
    "Corrupt",
    "Denied",
    "Fault",
    "Interrupted",
    "LockHeld",
    "NotFound",
    "Several",
    "SourceError",
    "Stale",
    "StateError",
    "TestFailed",
    "Throttled",
    "TimedOut",
    "TransferError",
    "Unexpected",
    "Unreachable",
    "Untrusted",
    "UsageError",
    "WorkflowError",
]


class AlgosyncError(Exception):
    """Anything that ends a command. `hint` says what to do next, where there is something to say.

    `sent` is False where nothing of the request went out; `repeated` is True where an earlier try of the same request may have
    been carried out, whatever came of this one.
    """

    sent = True
    repeated = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Several(AlgosyncError):
    """More than one thing is wrong; all are told."""

    def __init__(self, errors: tuple[AlgosyncError, ...]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


class Interrupted(AlgosyncError):
    """A signal came; what was being done was broken off."""


class UsageError(AlgosyncError):
    """The command line or the environment is off: exit 64."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a workflow file. Lines and columns count from 1; `path` is like `algorithms[2].language`."""

    line: int
    column: int
    path: str
    code: str
    message: str
    hint: str | None = None
    template_line: int | None = None  # the line in the template, where line and column are of the rendered text


class WorkflowError(AlgosyncError):
    """The workflow file has to be mended; carries all its faults, in the order of their places."""

    def __init__(self, file: str, faults: tuple[Fault, ...]) -> None:
        count = f"{len(faults)} faults" if len(faults) != 1 else "1 fault"
        super().__init__(f"{file} has {count}")
        self.file = file
        self.faults = tuple(sorted(faults))


class ClusterError(AlgosyncError):
    """A cluster answered with a failure, or not at all.

    `status` is the HTTP status, `code` the platform's own number, `request_id` the id in its error body, `retry_after` the seconds
    that it asks to wait.
    """

    retry_after: float | None = None

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: int | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.request_id = request_id


class Unreachable(ClusterError):
    """No answer: name resolution, connection, TLS, or a deadline."""


class TimedOut(Unreachable):
    """It had the time it may take, and did not come to an end."""


class Untrusted(Unreachable):
    """Its certificate is not believed; nothing was sent."""


class Denied(ClusterError):
    """401 or 403: the key is wrong or may not do this."""


class NotFound(ClusterError):
    """The only error that means "does not exist"."""


class Conflict(ClusterError):
    """It exists already, or was changed meanwhile."""


class Throttled(ClusterError):
    """429 or 503: later."""


class Unexpected(ClusterError):
    """Any other failure, or an answer that is not what the platform documents."""


class TransferError(AlgosyncError):
    """What arrived is not what was sent: length or digest differ."""


class SourceError(AlgosyncError):
    """An algorithm's source archive, folder or repository cannot be used as it is."""


class BuildFailed(AlgosyncError):
    """The destination could not build a commit. `log` is the tail of the build's log."""

    def __init__(self, message: str, *, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class TestFailed(AlgosyncError):
    """An algorithm did not pass a test. `trace` is the algorithm's own stack trace."""

    __test__ = False  # its name makes pytest look for tests in it

    def __init__(self, message: str, *, error_type: str | None = None, trace: str | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.trace = trace


class StateError(AlgosyncError):
    """The recorded state cannot be used."""


class LockHeld(StateError):
    """Another command works on this state: exit 6."""


class Stale(StateError):
    """The state moved since it was read: exit 6."""


class Corrupt(StateError):
    """The state file or its journal is damaged, or written by a newer version."""


class ApplyIncomplete(AlgosyncError):
    """Something was written, and what should follow cannot: exit 4."""
