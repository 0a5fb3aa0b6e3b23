"""The web pages' coarser view of collections and of who reads them (facts: `platform.md` 2.4)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.files import Collection, Files
from algosync.emulator.places import OWN_ALGORITHMS, PUBLIC
from algosync.emulator.replies import caller_of, json_reply


class HostedDataApi:
    """Read only: ACLs are changed by `DataApi`."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def routes(self) -> list[Route]:
        """One list."""
        return [Route("/v1/hostedData", self._list)]

    async def _list(self, request: Request) -> Response:
        """The collections of the caller and of its organizations."""
        caller = caller_of(request)
        accounts = (caller.user, *caller.organizations)
        return json_reply({"result": [_described(account, each) for account in accounts for each in self._files.owned_by(account)]})


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
