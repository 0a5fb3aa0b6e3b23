"""Data URIs: which account, collection and file a path means for a caller."""

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from algosync.emulator.errors import INVALID_REQUEST, ApiError, invalid, not_permitted
from algosync.emulator.records.accounts import Caller

PUBLIC = "user://*"
OWN_ALGORITHMS = "algo://.my/*"
ACLS: tuple[list[str], ...] = ([], [OWN_ALGORITHMS], [PUBLIC])
"""Who may read besides the owner: nobody, its algorithms, everybody (`PLATFORM.md` 2.4)."""


class TooDeep(ApiError):
    """A path into a folder inside a collection: nothing can be put there, and so nothing is there."""

    def __init__(self) -> None:
        super().__init__(400, "Hosted data has no folders inside a collection", INVALID_REQUEST)


def missing() -> ApiError:
    """What is not there, whatever it is."""
    return ApiError(404, "path not found")


@dataclass(frozen=True, slots=True)
class Place:
    """A data URI, resolved. `collection` and `file` are empty where the path ends above them.

    Special collections carry their path as their name: `.session/TREE`, `.algo/OWNER/NAME/temp`.
    """

    account: str
    collection: str = ""
    file: str = ""

    @property
    def special(self) -> bool:
        """It always exists, has no ACL and cannot be created."""
        return self.collection.startswith(".")


def decode(raw: bytes) -> str:
    """The path of a request without escapes. Some clients escape its slashes too, and then a space is `+`."""
    if b"/" not in raw and b"%2f" in raw.lower():
        raw = raw.replace(b"+", b" ")
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise invalid("The path is not UTF-8") from None


def locate(path: str, caller: Caller) -> Place:
    """What `path` means for `caller`. Raises `ApiError` for what can be no place; says nothing about existence."""
    if "://" in path:
        raise invalid(f"unsupported connector {path.partition('://')[0]}: this cluster has hosted data only")
    segments = [segment for segment in path.split("/") if segment]
    if not segments:
        return Place("")
    if segments[0] == ".session":
        return _session(segments[1:], caller)
    if segments[0] == ".algo":
        return _of_algorithm(segments[1:], caller)
    account = caller.user if segments[0] == ".my" else segments[0]
    if len(segments) > 3:
        raise TooDeep
    if segments[1:] and segments[1].startswith("."):
        # Special collections begin a path themselves, and no other's name begins so.
        raise missing()
    return Place(account, *segments[1:])


def is_file(path: str) -> bool:
    """Whether `path` names a file, not what is above files, whoever asks."""
    segments = [segment for segment in path.split("/") if segment]
    match segments[:1]:
        case [".session"]:
            return len(segments) == 2
        case [".algo"]:
            # From inside an algorithm its own name can be left out.
            return len(segments) == (3 if segments[1:2] in (["temp"], ["perm"]) else 5)
        case _:
            return len(segments) == 3


def _session(rest: list[str], caller: Caller) -> Place:
    if caller.inside is None:
        raise ApiError(404, "path not found: .session exists only inside a running algorithm")
    return Place(caller.user, f".session/{caller.inside.tree}", _file(rest))


def _of_algorithm(rest: list[str], caller: Caller) -> Place:
    if caller.inside and rest[:1] in (["temp"], ["perm"]):
        rest = [caller.inside.owner, caller.inside.name, *rest]
    if len(rest) < 3 or rest[2] not in ("temp", "perm"):
        raise missing()
    return Place(caller.user, "/".join([".algo", *rest[:3]]), _file(rest[3:]))


def _file(rest: list[str]) -> str:
    if len(rest) > 1:
        raise TooDeep
    return rest[0] if rest else ""


def check_readable(place: Place, acl: list[str], caller: Caller) -> None:
    """Raises `ApiError` 403 unless `caller` may read a collection with this ACL.

    An algorithm reads as its caller, and besides what its owner opened to the owner's algorithms.
    """
    if caller.owns(place.account) or PUBLIC in acl:
        return
    if caller.inside and caller.inside.owner == place.account and OWN_ALGORITHMS in acl:
        return
    raise not_permitted()


def check_writable(place: Place, caller: Caller) -> None:
    """Raises `ApiError` 403 unless `caller` may write here: its owner, or a member of the organization that is."""
    if not caller.owns(place.account):
        raise not_permitted()
