"""Algorithms, builds and versions as JSON (facts: `PLATFORM.md` 3.2, 3.10)."""

from collections.abc import Mapping

from starlette.datastructures import URL

from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.builds import IN_PROGRESS, SUCCEEDED, Build
from algosync.emulator.records.versions import Version

SOURCE = {"scm": {"id": "internal", "provider": "internal", "default": True, "enabled": True}}

AT_ONCE = ("source_visibility", "license")
"""Settings that apply to what is published already (fact: `PLATFORM.md` 3.4); the others wait for the next version."""

_KEPT_SAMPLE = "version_info.sample_input"
"""Among an algorithm's details: the sample input that was said before there was a version to have it. No request names it so."""


def kept_sample(sample: str | None) -> dict[str, object]:
    """What to add to the details so that its first version has this sample input; None says nothing, empty takes it back."""
    return {} if sample is None else {_KEPT_SAMPLE: sample}


def without_sample(details: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The details that are shown, and what a version's `version_info` has of a sample input that was kept with them."""
    shown = {name: text for name, text in details.items() if name != _KEPT_SAMPLE}
    sample = details.get(_KEPT_SAMPLE)
    return shown, {"sample_input": sample} if sample else {}


def algorithm_object(algorithm: Algorithm, build: Build | None = None, version: Version | None = None) -> dict[str, object]:
    """An algorithm at one commit: built when `build` is given, published when `version` is.

    Before anything is built it has neither version nor build.
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
