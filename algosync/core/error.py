"""The exception tree: one class for each way in which a caller can react to a failure."""

from __future__ import annotations

from algosync.core.lean import dataclass
from algosync.core.testing.answer import CaseResult, Mismatch

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
    "NewerFormat",
    "NotFound",
    "PlanRefused",
    "Several",
    "SourceError",
    "Stale",
    "StateError",
    "StoredOtherwise",
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
    """Base class of every error that ends a command. `hint` says what to do next, or is None.

    `sent` is False if no part of the request was sent. `repeated` is True if an earlier attempt of the same request may have taken
    effect, even if this one did not. `blocks` is False if the steps that need the failed one can go on.
    """

    sent = True
    repeated = False
    blocks = True

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Several(AlgosyncError):
    """Several errors at once; all are reported."""

    def __init__(self, errors: tuple[AlgosyncError, ...]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


class Interrupted(AlgosyncError):
    """A signal interrupted the work."""


class PlanRefused(AlgosyncError):
    """A guard refuses to plan; nothing was changed: exit 5."""


class UsageError(AlgosyncError):
    """The command line or the environment is wrong: exit 64."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One error in a workflow file. Lines and columns count from 1; `path` is like `algorithms[2].language`.

    `file`: the path of a file that the workflow names, if the error is in it; empty: in the workflow file.
    """

    line: int
    column: int
    path: str
    code: str
    message: str
    hint: str | None = None
    template_line: int | None = None  # the line in the template, if line and column refer to the rendered text
    file: str = ""


class WorkflowError(AlgosyncError):
    """The workflow file has errors. `faults` holds all of them, ordered by location; those in files of its tests come last.

    `name`: of the workflow. Empty: it cannot be read.
    """

    def __init__(self, file: str, faults: tuple[Fault, ...], name: str = "") -> None:
        count = f"{len(faults)} faults" if len(faults) != 1 else "1 fault"
        super().__init__(f"{file} has {count}")
        self.file = file
        self.name = name
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault)))


class ClusterError(AlgosyncError):
    """A cluster replied with a failure, or did not reply.

    `status` is the HTTP status, `code` the platform's own error number, `request_id` the id in the error body, `retry_after`
    the seconds to wait that the server asks for, and `body` the reply's body, None if it did not arrive completely.
    """

    retry_after: float | None = None
    body: bytes | None = None

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
    """No reply: name resolution, connection, TLS or timeout."""


class TimedOut(Unreachable):
    """The request reached its deadline without a complete reply."""


class Untrusted(Unreachable):
    """The server's certificate is not trusted; nothing was sent."""


class Denied(ClusterError):
    """401 or 403: the key is invalid or lacks the permission."""


class NotFound(ClusterError):
    """The resource does not exist. No other error says that."""


class Conflict(ClusterError):
    """The resource exists already, or was changed by somebody else."""


class Throttled(ClusterError):
    """429 or 503: try again later."""


class Unexpected(ClusterError):
    """Any other failure, or a reply that does not match the platform's documentation."""


class StoredOtherwise(Unexpected):
    """The destination accepted a value and stored a different one."""


class TransferError(AlgosyncError):
    """The received bytes differ from the sent ones in length or digest."""


class SourceError(AlgosyncError):
    """The source archive, folder or repository of an algorithm cannot be used."""


class BuildFailed(AlgosyncError):
    """The destination could not build a commit. `log` is the end of the build log."""

    def __init__(self, message: str, *, log: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.log = log


class TestFailed(AlgosyncError):
    """An algorithm failed a test. `trace` is the algorithm's own stack trace, `printed` what it wrote to stdout if that is known.

    `called` says which version was called, with which `payload` (JSON text). Both are empty until the test fills them in.
    `failures` are the first calls that failed, of `failed` among `calls`. `broken`: the limits of the test that do not hold.
    """

    __test__ = False  # without this pytest would collect the class

    def __init__(
        self, message: str, *, error_type: str | None = None, trace: str | None = None, printed: str | None = None
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.trace = trace
        self.printed = printed
        self.called = ""
        self.payload = ""
        self.failures: tuple[CaseResult, ...] = ()
        self.calls = self.failed = 0
        self.broken: tuple[Mismatch, ...] = ()


class StateError(AlgosyncError):
    """The recorded state cannot be used."""


class LockHeld(StateError):
    """Another command holds the lock of this state: exit 6."""


class Stale(StateError):
    """What was read before has changed since, such as the state: exit 6. `moved`: the changes, each on a line of its own."""

    def __init__(self, message: str, *, hint: str | None = None, moved: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.moved = moved


class Corrupt(StateError):
    """The state file or its journal is damaged, or was written by a newer version."""


class NewerFormat(Corrupt):
    """It was written by a newer version."""


class ApplyIncomplete(AlgosyncError):
    """Some changes were made, and the rest cannot be: exit 4."""
