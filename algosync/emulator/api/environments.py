"""Languages, environments and their templates (`PLATFORM.md` §4)."""

import io
import json
import tarfile

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.errors import ApiError
from algosync.emulator.git.new_repository import template
from algosync.emulator.http.replies import json_reply
from algosync.emulator.records.environments import LANGUAGES, EnvironmentKind, EnvironmentRecord, Environments
from algosync.emulator.variants import Variants

BASE = "/v1/algorithm-environments/edge"


class EnvironmentsApi:
    """Read-only routes. `WebApi` installs and removes environments."""

    def __init__(self, environments: Environments, variants: Variants) -> None:
        self._environments = environments
        self._variants = variants

    def routes(self) -> list[Route]:
        """Languages, their environments, and the template repository of a specification."""
        return [
            Route(BASE + "/languages", self._languages),
            Route(BASE + "/languages/{language}/environments", self._of_language),
            Route(BASE + "/environment-specifications/{specification}/template", self._template),
        ]

    async def _languages(self, _: Request) -> Response:
        return json_reply([_language(name) for name in LANGUAGES])

    async def _of_language(self, request: Request) -> Response:
        language = request.path_params["language"]
        if language not in LANGUAGES:
            raise ApiError(404, f"There is no language {language}")
        found = [each for each in self._environments.all if each.kind.language == language]
        return json_reply({"environments": [environment_object(each) for each in found]})

    async def _template(self, request: Request) -> Response:
        environment = self._environments.by_specification(request.path_params["specification"])
        if environment is None:
            raise ApiError(404, "There is no such environment specification")
        # Clients replace these names when they unpack the archive.
        archive = _archive(template(environment.kind, "__USER__", "__ALGO__", plain=self._variants.plain_templates))
        return Response(archive, media_type="application/gzip")


def _language(name: str) -> dict[str, object]:
    configuration = {"display_name": LANGUAGES[name], "req_files": ["requirements.txt"], "artifacts": []}
    return {"name": name, "display_name": LANGUAGES[name], "configuration": json.dumps(configuration)}


def environment_object(environment: EnvironmentRecord) -> dict[str, object]:
    """The JSON object of an installed environment."""
    described = kind_object(environment.specification_id, environment.kind)
    return {"id": environment.id, **described, "created_at": environment.created_at}


def kind_object(specification_id: str, kind: EnvironmentKind) -> dict[str, object]:
    """The JSON object of an environment that can be installed."""
    return {
        "environment_specification_id": specification_id,
        "display_name": kind.display_name,
        "description": f"{kind.display_name}, on an interpreter of this machine, which the log of a build names",
        "language": _language(kind.language),
        "machine_type": kind.machine_type,
    }


def _archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
