"""Validation of an algorithm's details and settings in requests (PLATFORM.md §3.2 to §3.4)."""

import re
from collections.abc import Mapping

from algosync.emulator.errors import LANGUAGE_UNKNOWN, PACKAGE_SET_UNKNOWN, ApiError, invalid
from algosync.emulator.records.environments import EnvironmentRecord, Environments

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

DETAILS = ("label", "summary", "tagline")

CHOICES = {
    "algorithm_callability": ("private", "public"),
    "source_visibility": ("closed", "open"),
    "license": ("apl", "apache2", "gpl3", "mit"),
    "network_access": ("full", "isolated"),
}
SWITCHES = ("pipeline_enabled", "insights_enabled")
LEGACY_LANGUAGES = {"python3-1": "Python 3.7", "python2-langpack": "Python 2.7"}
"""Values of `language` from before there were environments, with the environment that replaces each."""

SELECTORS = ("algorithm_environment", "package_set", "language")
"""Settings that select the environment, most important first."""

REQUIRED = ("source_visibility", "license", "network_access", "pipeline_enabled")
DEFAULTS: dict[str, object] = {"algorithm_callability": "private", "insights_enabled": False, "royalty_microcredits": 0}


def changed_details(old: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """The details after a request, which ignores null and unknown names.

    Raises `ApiError` 400 for a value that is not a string, and if there is no label then.
    """
    changes = {name: given[name] for name in DETAILS if given.get(name) is not None}
    for name, text in changes.items():
        if not isinstance(text, str):
            raise invalid(f"details.{name} is not a string")
    if "label" not in {**old, **changes}:
        raise invalid("details.label is missing")
    return {**old, **changes}


def new_settings(given: Mapping[str, object], environments: Environments) -> dict[str, object]:
    """The settings of a new algorithm. Raises `ApiError` 400 for missing, unknown or invalid values."""
    _check(given)
    return _merged(DEFAULTS, given, _runtime(given, environments))


def changed_settings(old: Mapping[str, object], given: Mapping[str, object], environments: Environments) -> dict[str, object]:
    """The settings after an update, which must repeat the required ones. Raises `ApiError` 400, also if the language changes."""
    _check(given)
    before = environments.by_id(old["algorithm_environment"])
    after = before if before and _selector(given) is None else _runtime(given, environments)
    if before and before.kind.language != after.kind.language:
        raise invalid("The language of an algorithm cannot be changed")
    return _merged(old, given, after)


def is_legacy(given: Mapping[str, object]) -> bool:
    """Whether a request selects the environment by `language`, as before the platform had environments."""
    return _selector(given) == "language"


def _selector(given: Mapping[str, object]) -> str | None:
    """The name of the setting by which a request selects an environment, if any."""
    return next((name for name in SELECTORS if given.get(name) is not None), None)


def _runtime(given: Mapping[str, object], environments: Environments) -> EnvironmentRecord:
    """The environment that a request selects. Raises `ApiError` 400 if the cluster has no such environment."""
    selector = _selector(given)
    if selector == "package_set":
        environment = environments.by_package_set(given["package_set"])
        if environment is None:
            known = ", ".join(each.kind.package_set for each in environments.all)
            message = f"settings.package_set is not one of this cluster's: {known}"
            raise ApiError(400, message, PACKAGE_SET_UNKNOWN)
    elif selector == "language":
        environment = environments.by_name(LEGACY_LANGUAGES.get(str(given["language"])))
        if environment is None:
            raise ApiError(400, "settings.language is not a language of this cluster", LANGUAGE_UNKNOWN)
    else:
        environment = environments.by_id(given.get("algorithm_environment"))
    if environment is None:
        source = "GET /v1/algorithm-environments/edge/languages/python3/environments"
        raise invalid(f"settings.algorithm_environment is not the id of an environment of this cluster: see {source}")
    return environment


def _merged(old: Mapping[str, object], given: Mapping[str, object], environment: EnvironmentRecord) -> dict[str, object]:
    known = {*CHOICES, *SWITCHES, "royalty_microcredits"}
    chosen = {name: value for name, value in given.items() if name in known}
    runtime = {"algorithm_environment": environment.id, "package_set": environment.kind.package_set}
    # Only a publication changes the callability.
    return {**old, **chosen, **runtime, "algorithm_callability": old["algorithm_callability"]}


def _check(given: Mapping[str, object]) -> None:
    missing = [name for name in REQUIRED if name not in given]
    if missing:
        raise invalid(f"settings are missing: {', '.join(missing)}")
    for name, choices in CHOICES.items():
        if name in given and given[name] not in choices:
            raise invalid(f"settings.{name} is not one of: {', '.join(choices)}")
    for name in SWITCHES:
        if name in given and not isinstance(given[name], bool):
            raise invalid(f"settings.{name} is not a boolean")
    royalty = given.get("royalty_microcredits", 0)
    if not isinstance(royalty, int) or isinstance(royalty, bool) or royalty < 0:
        raise invalid("settings.royalty_microcredits is not a non-negative integer")
