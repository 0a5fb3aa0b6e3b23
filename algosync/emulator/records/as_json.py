"""Algorithms, builds and versions as JSON (PLATFORM.md §3.2, §3.10)."""

from collections.abc import Mapping

from starlette.datastructures import URL

from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.builds import IN_PROGRESS, SUCCEEDED, BuildRecord
from algosync.emulator.records.versions import VersionRecord

SOURCE = {"scm": {"id": "internal", "provider": "internal", "default": True, "enabled": True}}

IMMEDIATE = ("source_visibility", "license")
"""Settings whose change also applies to published versions. Others apply from the next version on (PLATFORM.md §3.4)."""

_KEPT_SAMPLE = "version_info.sample_input"
"""The name in an algorithm's details of a sample input that was given before the first version. Requests cannot use this name."""


def kept_sample(sample: str | None) -> dict[str, object]:
    """The entry of an algorithm's details that keeps a sample input for its first version; an empty one removes it."""
    return {} if sample is None else {_KEPT_SAMPLE: sample}


def without_sample(details: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Splits stored details: the details for clients, and the kept sample input as an entry of `version_info`."""
    shown = {name: text for name, text in details.items() if name != _KEPT_SAMPLE}
    sample = details.get(_KEPT_SAMPLE)
    return shown, {"sample_input": sample} if sample else {}


def algorithm_object(
    algorithm: Algorithm, build: BuildRecord | None = None, version: VersionRecord | None = None
) -> dict[str, object]:
    """An algorithm at the commit of a build; `version` is the version published from that commit, if any.

    Without a build, the object has neither version nor build.
    """
    shape: dict[str, object] = {
        "id": algorithm.id,
        "name": algorithm.name,
        "details": without_sample(algorithm.details)[0],
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


def version_object(algorithm: Algorithm, build: BuildRecord, version: VersionRecord | None) -> dict[str, object]:
    """One version, with the details of its publication and the settings that apply to it."""
    shape = algorithm_object(algorithm, build, version)
    if version:
        shape["details"] = version.details
        shape["settings"] = {**version.settings, **{name: algorithm.settings[name] for name in IMMEDIATE}}
    return shape


def build_object(build: BuildRecord, version: VersionRecord | None) -> dict[str, object]:
    """One build; `version` is the version published from its commit, if any."""
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
    """A page of a list. `marker` is that of the next page, if any, and `asked` the URL of this one."""
    following = asked.include_query_params(marker=marker) if asked and marker else None
    return {"marker": marker, "next_link": following and f"{following.path}?{following.query}", "results": results}


def _version_info(build: BuildRecord, version: VersionRecord | None) -> dict[str, object]:
    info: dict[str, object] = {"git_hash": build.commit, "version_uuid": build.version_uuid}
    if version:
        info |= {"semantic_version": version.semantic, **version.info}
    return info
