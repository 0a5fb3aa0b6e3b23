"""The web pages' coarser view of collections and of who reads them (facts: `PLATFORM.md` 2.4)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.errors import ApiError, NoSuchAlgorithm, not_permitted
from algosync.emulator.http.replies import caller_of, json_reply
from algosync.emulator.records.algorithms import Algorithms
from algosync.emulator.records.data_uris import OWN_ALGORITHMS, PUBLIC
from algosync.emulator.records.files import Collection, Files


class HostedDataApi:
    """ACLs are read here, and changed by `DataApi`; the default collection of an algorithm is chosen by its id."""

    def __init__(self, files: Files, algorithms: Algorithms) -> None:
        self._files = files
        self._algorithms = algorithms

    def routes(self) -> list[Route]:
        """One list, and one choice."""
        bind = "/v1/algorithms/{id:uuid}/collections/{collection:uuid}"
        return [Route("/v1/hostedData", self._list), Route(bind, self._bind, methods=["POST"])]

    async def _list(self, request: Request) -> Response:
        """The collections of the caller and of its organizations."""
        caller = caller_of(request)
        accounts = (caller.user, *caller.organizations)
        return json_reply({"result": [_described(account, each) for account in accounts for each in self._files.owned_by(account)]})

    async def _bind(self, request: Request) -> Response:
        """The reply's shape is a choice: what is known is that it was sent."""
        algorithm = self._algorithms.get(str(request.path_params["id"]))
        if algorithm is None:
            raise NoSuchAlgorithm(by_id=True)
        if not caller_of(request).owns(algorithm.owner):
            raise not_permitted()
        wanted = request.path_params["collection"].hex
        found = [each for each in self._files.owned_by(algorithm.owner) if each.id == wanted]
        if not found:
            raise ApiError(404, f"{algorithm.owner} has no such collection")
        self._algorithms.bind(algorithm, wanted)
        return json_reply({"result": _described(algorithm.owner, found[0])})


def _described(account: str, collection: Collection) -> dict[str, object]:
    public = PUBLIC in collection.acl
    return {
        "id": collection.id,
        "object_id": collection.id,
        "collection_name": collection.name,
        "username": account,
        # Written by its account only; read by the world, its account, and the account's algorithms.
        "acl": {"read_w": public, "read_g": public, "read_u": True, "read_a": public or OWN_ALGORITHMS in collection.acl},
        "location": f"data://{account}/{collection.name}",
    }
