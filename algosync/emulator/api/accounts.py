"""Users and organizations, as far as clients use them (`PLATFORM.md` §3.1).

The gate requires an administration key for every change.
"""

import uuid
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.clock import now_text
from algosync.emulator.errors import (
    NO_SUCH_ORGANIZATION,
    NO_SUCH_USER,
    ORGANIZATION_EXISTS,
    USER_EXISTS,
    ApiError,
    invalid,
    not_permitted,
)
from algosync.emulator.http.replies import caller_of, json_reply, read_object
from algosync.emulator.records.accounts import AccountError, Accounts
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.files import Files

TYPES = {str(uuid.uuid5(uuid.NAMESPACE_URL, f"algorithmia:organization-type:{name}")): name for name in ("basic", "legacy", "pro")}
"""Types of organizations, by the ids that requests use."""

USER_FIELDS = ("email", "fullname")
ORGANIZATION_FIELDS = (
    *("org_label", "org_contact_name", "org_email", "org_url", "type_id"),
    *("external_admin_group", "external_member_group", "external_id"),
)
BASE = "/v1/organizations/{organization}"


class AccountsApi:
    """Users, organizations and members. An account's profile is visible to itself, its members and administrators."""

    def __init__(self, accounts: Accounts, catalog: Catalog, files: Files) -> None:
        self._accounts = accounts
        self._catalog = catalog
        self._files = files

    def routes(self) -> list[Route]:
        """All routes of accounts, except a user's algorithms, which `ManagementApi` lists."""
        return [
            Route("/v1/users", self._create_user, methods=["POST"]),
            Route("/v1/users/{user}", self._user),
            Route("/v1/users/{user}/errors", self._errors),
            Route("/v1/organization/types", self._types),
            Route("/v1/organizations", self._create, methods=["POST"]),
            Route(BASE, self._read),
            Route(BASE, self._update, methods=["PUT"]),
            Route(BASE, self._delete, methods=["DELETE"]),
            Route(BASE + "/errors", self._errors),
            Route(BASE + "/members/{user}", self._join, methods=["PUT"]),
            Route(BASE + "/members/{user}", self._leave, methods=["DELETE"]),
        ]

    async def _create_user(self, request: Request) -> Response:
        body = await read_object(request)
        name = body.get("username")
        if not isinstance(name, str):
            raise invalid("username is missing")
        if self._accounts.has_user(name):
            raise ApiError(409, f"The user {name} exists already", USER_EXISTS)
        profile = _texts(body, USER_FIELDS)
        try:
            self._accounts.add_user(name)
        except AccountError as error:
            raise invalid(str(error)) from None
        self._accounts.describe_user(name, profile)
        return json_reply(_user_object(name, profile))

    async def _user(self, request: Request) -> Response:
        if not self._accounts.has_user(request.path_params["user"]):
            raise _no_user(request.path_params["user"])
        name = _account(request)
        return json_reply(_user_object(name, self._accounts.profile_of_user(name)))

    async def _errors(self, request: Request) -> Response:
        name = _account(request)
        if "organization" in request.path_params:
            self._profile(name)
        elif not self._accounts.has_user(name):
            raise _no_user(name)
        return json_reply(self._catalog.algorithms.failures_of_owner(name))

    async def _types(self, _: Request) -> Response:
        return json_reply([{"id": identifier, "name": name} for identifier, name in TYPES.items()])

    async def _create(self, request: Request) -> Response:
        body = await read_object(request)
        name = body.get("org_name")
        if not isinstance(name, str):
            raise invalid("org_name is missing")
        if self._accounts.profile_of_organization(name) is not None:
            raise ApiError(409, f"The organization {name} exists already", ORGANIZATION_EXISTS)
        profile = {**_organization_fields(body), "org_created_at": now_text().rstrip("Z")}
        try:
            self._accounts.add_organization(name)
        except AccountError as error:
            raise invalid(str(error)) from None
        self._accounts.describe_organization(name, profile)
        return json_reply(_organization_object(name, profile))

    async def _read(self, request: Request) -> Response:
        name = _account(request)
        return json_reply(_organization_object(name, self._profile(name)))

    async def _update(self, request: Request) -> Response:
        name: str = request.path_params["organization"]
        profile = self._profile(name)
        body = await read_object(request)
        if body.get("org_name", name) != name:
            raise invalid("The name of an organization cannot be changed")
        self._accounts.describe_organization(name, {**profile, **_organization_fields(body)})
        return Response(None, 204)

    async def _delete(self, request: Request) -> Response:
        name: str = request.path_params["organization"]
        self._profile(name)
        if self._catalog.algorithms.owned_by(name) or self._files.has_any(name):
            raise invalid("The organization owns algorithms or data")
        self._accounts.remove_organization(name)
        return Response(None, 204)

    async def _join(self, request: Request) -> Response:
        user, organization = self._membership(request)
        member = organization in self._accounts.organizations(user)
        self._accounts.join(user, organization)
        return Response(None, 200 if member else 201)

    async def _leave(self, request: Request) -> Response:
        self._accounts.leave(*self._membership(request))
        return Response(None, 204)

    def _membership(self, request: Request) -> tuple[str, str]:
        """The user and the organization that a path names. Raises `ApiError` 404 if one does not exist."""
        user, organization = request.path_params["user"], request.path_params["organization"]
        self._profile(organization)
        if not self._accounts.has_user(user):
            raise _no_user(user)
        return user, organization

    def _profile(self, organization: str) -> dict[str, object]:
        profile = self._accounts.profile_of_organization(organization)
        if profile is None:
            raise ApiError(404, f"There is no organization {organization}", NO_SUCH_ORGANIZATION)
        return profile


def _account(request: Request) -> str:
    """The account that a path names. Raises `ApiError` 403 unless the caller may read it."""
    name: str = request.path_params.get("organization") or request.path_params["user"]
    caller = caller_of(request)
    if not (caller.owns(name) or caller.rights.administration):
        raise not_permitted()
    return name


def _no_user(name: str) -> ApiError:
    return ApiError(404, f"There is no user {name}", NO_SUCH_USER)


def _texts(body: Mapping[str, object], names: tuple[str, ...]) -> dict[str, object]:
    found = {name: body[name] for name in names if body.get(name) is not None}
    if not all(isinstance(value, str) for value in found.values()):
        raise invalid(f"{', '.join(found)} must be strings")
    return found


def _organization_fields(body: Mapping[str, object]) -> dict[str, object]:
    found = _texts(body, ORGANIZATION_FIELDS)
    if "type_id" in found:
        # Names work too: people write them, and the client replaces them by ids.
        known = [identifier for identifier, name in TYPES.items() if found["type_id"] in (identifier, name)]
        if not known:
            raise invalid("type_id is not the id of an organization type")
        found["type_id"] = known[0]
    return found


def _user_object(name: str, profile: Mapping[str, object]) -> dict[str, object]:
    return {
        "id": _id("user", name),
        "username": name,
        "email": profile.get("email", _email(name)),
        "fullname": profile.get("fullname", name),
        "self_link": f"/v1/users/{name}",
        "resource_type": "user",
    }


def _organization_object(name: str, profile: Mapping[str, object]) -> dict[str, object]:
    defaults = {"org_label": name, "org_contact_name": name, "org_email": _email(name), "type_id": next(iter(TYPES))}
    return {
        "id": _id("organization", name),
        "org_name": name,
        # Unknown if the command line created it.
        "org_created_at": profile.get("org_created_at"),
        **{field: profile.get(field, defaults.get(field)) for field in ORGANIZATION_FIELDS},
        "self_link": f"/v1/organizations/{name}",
        "resource_type": "organization",
    }


def _email(name: str) -> str:
    """The default address. The generated client cannot read an account without one."""
    return f"{name}@algorithmia.local"


def _id(kind: str, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"algorithmia:{kind}:{name}"))
