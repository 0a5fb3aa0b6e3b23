"""Data URIs: the account, collection and file that a path means for a caller."""

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from algosync.emulator.errors import INVALID_REQUEST, ApiError, invalid, not_permitted
from algosync.emulator.records.accounts import Caller

PUBLIC = "user://*"
OWN_ALGORITHMS = "algo://.my/*"
ACLS: tuple[list[str], ...] = ([], [OWN_ALGORITHMS], [PUBLIC])
"""Who may read besides the owner: nobody, the owner's algorithms, everybody (`PLATFORM.md` §2.4)."""


class PathTooDeep(ApiError):
    """A path to a folder inside a collection. Nothing can be stored there, so nothing is found there either."""

    def __init__(self) -> None:
        super().__init__(400, "Hosted data has no folders inside a collection", INVALID_REQUEST)


def missing() -> ApiError:
    """The 404 for data of any kind."""
    return ApiError(404, "path not found")


@dataclass(frozen=True, slots=True)
class DataPath:
    """A resolved data URI. `collection` and `file` are empty if the path ends above them.

    The name of a special collection is its path: `.session/TREE`, `.algo/OWNER/NAME/temp`.
    """

    account: str
    collection: str = ""
    file: str = ""

    @property
    def special(self) -> bool:
        """A special collection always exists, has no ACL and cannot be created."""
        return self.collection.startswith(".")


def decode(raw: bytes) -> str:
    """The path of a request without escapes. Some clients escape its slashes too, and then write a space as `+`."""
    if b"/" not in raw and b"%2f" in raw.lower():
        raw = raw.replace(b"+", b" ")
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise invalid("The path is not UTF-8") from None


def locate(path: str, caller: Caller) -> DataPath:
    """Resolve `path` for `caller`. Raises `ApiError` for an impossible path. Does not check whether the data exists."""
    if "://" in path:
        raise invalid(f"unsupported connector {path.partition('://')[0]}: this cluster has hosted data only")
    segments = [segment for segment in path.split("/") if segment]
    if not segments:
        return DataPath("")
    if segments[0] == ".session":
        return _session(segments[1:], caller)
    if segments[0] == ".algo":
        return _of_algorithm(segments[1:], caller)
    account = caller.user if segments[0] == ".my" else segments[0]
    if len(segments) > 3:
        raise PathTooDeep
    if segments[1:] and segments[1].startswith("."):
        # Only special collections have such names, and they are not below an account.
        raise missing()
    return DataPath(account, *segments[1:])


def is_file(path: str) -> bool:
    """Whether `path` has the shape of a file's path, for any caller."""
    segments = [segment for segment in path.split("/") if segment]
    match segments[:1]:
        case [".session"]:
            return len(segments) == 2
        case [".algo"]:
            # A running algorithm may leave out its own name.
            return len(segments) == (3 if segments[1:2] in (["temp"], ["perm"]) else 5)
        case _:
            return len(segments) == 3


def _session(rest: list[str], caller: Caller) -> DataPath:
    if caller.inside is None:
        raise ApiError(404, "path not found: .session exists only inside a running algorithm")
    return DataPath(caller.user, f".session/{caller.inside.tree}", _file(rest))


def _of_algorithm(rest: list[str], caller: Caller) -> DataPath:
    if caller.inside and rest[:1] in (["temp"], ["perm"]):
        rest = [caller.inside.owner, caller.inside.name, *rest]
    if len(rest) < 3 or rest[2] not in ("temp", "perm"):
        raise missing()
    return DataPath(caller.user, "/".join([".algo", *rest[:3]]), _file(rest[3:]))


def _file(rest: list[str]) -> str:
    if len(rest) > 1:
        raise PathTooDeep
    return rest[0] if rest else ""


def check_readable(path: DataPath, acl: list[str], caller: Caller) -> None:
    """Raises `ApiError` 403 unless `caller` may read a collection with this ACL.

    A running algorithm may read what its caller may read, and what its owner shares with the owner's algorithms.
    """
    if caller.owns(path.account) or PUBLIC in acl:
        return
    if caller.inside and caller.inside.owner == path.account and OWN_ALGORITHMS in acl:
        return
    raise not_permitted()


def check_writable(path: DataPath, caller: Caller) -> None:
    """Raises `ApiError` 403 unless `caller` is the owner, or a member of the organization that is the owner."""
    if not caller.owns(path.account):
        raise not_permitted()
