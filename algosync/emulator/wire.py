"""Algorithms, builds and versions as JSON (facts: `platform.md` 3.2, 3.10)."""

from starlette.datastructures import URL

from algosync.emulator.algorithms import Algorithm
from algosync.emulator.builds import IN_PROGRESS, SUCCEEDED, Build
from algosync.emulator.versions import Version

SOURCE = {"scm": {"id": "internal", "provider": "internal", "default": True, "enabled": True}}

AT_ONCE = ("source_visibility", "license")
"""Settings that apply to what is published already (fact: `platform.md` 3.4); the others wait for the next version."""


def algorithm_object(algorithm: Algorithm, build: Build | None = None, version: Version | None = None) -> dict[str, object]:
    """An algorithm at one commit: built when `build` is given, published when `version` is.

    Before anything is built it has neither version nor build.
    """
    shape: dict[str, object] = {
        "id": algorithm.id,
        "name": algorithm.name,
        "details": algorithm.details,
        "settings": algorithm.settings,
        "source": SOURCE,
        "resource_type": "algorithm",
    }
    if build is None:
        return shape
    base = f"/v1/algorithms/{algorithm.owner}/{algorithm.name}"
    shape["self_link"] = f"{base}/versions/{build.commit}"
    shape["version_info"] = _version_info(build, version)
    shape["build"] = build_object(build, version)
    if build.status != IN_PROGRESS:
        shape["compilation"] = {"successful": build.status == SUCCEEDED, "output": ""}
    return shape


def version_object(algorithm: Algorithm, build: Build, version: Version | None) -> dict[str, object]:
    """One version, with the details it was published with, and the settings that are in force for it."""
    shape = algorithm_object(algorithm, build, version)
    if version:
        shape["details"] = version.details
        shape["settings"] = {**version.settings, **{name: algorithm.settings[name] for name in AT_ONCE}}
    return shape


def build_object(build: Build, version: Version | None) -> dict[str, object]:
    """One build; `version` is what was published of its commit."""
    shape: dict[str, object] = {
        "build_id": build.id,
        "status": build.status,
        "commit_sha": build.commit,
        "started_at": build.started_at,
        "resource_type": "algorithm_build",
    }
    if build.finished_at:
        shape["finished_at"] = build.finished_at
    if version:
        shape["version_info"] = {"semantic_version": version.semantic}
    return shape


def envelope(results: list[dict[str, object]], marker: str | None = None, asked: URL | None = None) -> dict[str, object]:
    """A page of a list; where there is another, `asked` is what this one is the answer to."""
    following = asked.include_query_params(marker=marker) if asked and marker else None
    return {"marker": marker, "next_link": following and f"{following.path}?{following.query}", "results": results}


def _version_info(build: Build, version: Version | None) -> dict[str, object]:
    info: dict[str, object] = {"git_hash": build.commit, "version_uuid": build.version_uuid}
    if version:
        info |= {"semantic_version": version.semantic, **version.info}
    return info
