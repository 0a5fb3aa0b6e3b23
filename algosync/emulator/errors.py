"""Refusals in the wire's shape."""

import uuid

NO_SUCH_NAME = 1001
NAME_TAKEN = 1002
ALREADY_PUBLISHED = 1007
SCM_REFUSED = 1008
NO_SUCH_ID = 1009
NOT_PERMITTED = 2001
UNKNOWN_KEY = 2002
PACKAGE_SET_UNKNOWN = 1003
NO_SUCH_USER = 3000
NO_SUCH_ORGANIZATION = 3100
BAD_MARKER = 5002
BAD_LIMIT = 5003
LANGUAGE_UNKNOWN = 4001
INVALID_REQUEST = 6001


NO_CREDENTIALS = "authorization required"
"""What is said to who has not said who they are."""


class ApiError(Exception):
    """A request that is answered with an error: its HTTP status and, where the platform has one, its code.

    Its `id` is told to the client, and to the request log.
    """

    def __init__(self, status: int, message: str, code: int | None = None, **details: object) -> None:
        super().__init__(message)
        self.id = str(uuid.uuid4())
        self.status = status
        self.message = message
        self.code = code
        self.details = details

    def body(self) -> dict[str, object]:
        """The wrapped shape: the only one that every client understands."""
        error: dict[str, object] = {"id": self.id}
        if self.code is not None:
            error["code"] = self.code
        return {"error": {**error, "message": self.message, **self.details}}


class NoSuchAlgorithm(ApiError):
    """An algorithm that is not there, asked for by its id or its name."""

    def __init__(self, *, by_id: bool) -> None:
        super().__init__(404, "No such algorithm", NO_SUCH_ID if by_id else NO_SUCH_NAME)


class BareNoSuchAlgorithm(NoSuchAlgorithm):
    """The same where clients compare the whole body, which is not wrapped: at GET of an algorithm and of its errors."""

    def body(self) -> dict[str, object]:
        return {"error": self.message}


def not_permitted(message: str = "Caller is not authorized to perform this operation") -> ApiError:
    """A known caller without the right."""
    return ApiError(403, message, NOT_PERMITTED)


def invalid(message: str) -> ApiError:
    """A request that no cluster would take."""
    return ApiError(400, message, INVALID_REQUEST)


def no_room() -> ApiError:
    """The disk of the cluster is full, or its user's share of it."""
    return ApiError(507, "There is no room left on the disk of the local cluster: free some and try again")
