"""Error replies in the shape of the platform's API."""

import uuid

NO_SUCH_NAME = 1001
NAME_TAKEN = 1002
PACKAGE_SET_UNKNOWN = 1003
ALREADY_PUBLISHED = 1007
SCM_REFUSED = 1008
NO_SUCH_ID = 1009
NOT_PERMITTED = 2001
UNKNOWN_KEY = 2002
NO_SUCH_USER = 3000
USER_EXISTS = 3003
NO_SUCH_ORGANIZATION = 3100
ORGANIZATION_EXISTS = 3101
LANGUAGE_UNKNOWN = 4001
BAD_MARKER = 5002
BAD_LIMIT = 5003
INVALID_REQUEST = 6001

NO_CREDENTIALS = "authorization required"
"""The message of a reply to a request without credentials."""


class ApiError(Exception):
    """A request that is answered with an error: its HTTP status and, where the platform has one, its code.

    `id` appears in the reply and in the request log.
    """

    def __init__(self, status: int, message: str, code: int | None = None, **details: object) -> None:
        super().__init__(message)
        self.id = str(uuid.uuid4())
        self.status = status
        self.message = message
        self.code = code
        self.details = details

    def body(self) -> dict[str, object]:
        """The error as an object below the name `error`. Every client understands this shape."""
        error: dict[str, object] = {"id": self.id}
        if self.code is not None:
            error["code"] = self.code
        return {"error": {**error, "message": self.message, **self.details}}


class NoSuchAlgorithm(ApiError):
    """No algorithm has the requested id or name."""

    def __init__(self, *, by_id: bool) -> None:
        super().__init__(404, "No such algorithm", NO_SUCH_ID if by_id else NO_SUCH_NAME)


class BareNoSuchAlgorithm(NoSuchAlgorithm):
    """The same error as `{"error": MESSAGE}`. Clients compare the whole body when they read an algorithm or its errors."""

    def body(self) -> dict[str, object]:
        return {"error": self.message}


def not_permitted(message: str = "Caller is not authorized to perform this operation") -> ApiError:
    """The caller is known but lacks the right."""
    return ApiError(403, message, NOT_PERMITTED)


def invalid(message: str) -> ApiError:
    """The request is malformed or has an impossible value."""
    return ApiError(400, message, INVALID_REQUEST)


def no_room() -> ApiError:
    """The disk of the cluster is full, or its user's quota is used up."""
    return ApiError(507, "There is no room left on the disk of the local cluster: free some and try again")
