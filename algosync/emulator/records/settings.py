"""What an algorithm can be set to, and what a request to set it must say (facts: `PLATFORM.md` 3.2-3.4)."""

import re
from collections.abc import Mapping

from algosync.emulator.errors import LANGUAGE_UNKNOWN, PACKAGE_SET_UNKNOWN, ApiError, invalid
from algosync.emulator.records.environments import Environment, Environments

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

DETAILS = ("label", "summary", "tagline")

CHOICES = {
    "algorithm_callability": ("private", "public"),
    "source_visibility": ("closed", "open"),
    "license": ("apl", "apache2", "gpl3", "mit"),
    "network_access": ("full", "isolated"),
}
SWITCHES = ("pipeline_enabled", "insights_enabled")
LEGACY = {"python3-1": "Python 3.7", "python2-langpack": "Python 2.7"}
"""Languages from before there were environments, and what stands in for them."""

SELECTORS = ("algorithm_environment", "package_set", "language")
"""What names a runtime, the first that is given; `environment`, beside a language, says no more than cpu or gpu."""

REQUIRED = ("source_visibility", "license", "network_access", "pipeline_enabled")
DEFAULTS: dict[str, object] = {"algorithm_callability": "private", "insights_enabled": False, "royalty_microcredits": 0}


def changed_details(old: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """The details with what a request says of them; null says nothing, and what is no detail is passed over.

    Raises `ApiError` 400 for what is no text, and where they then have no label.
    """
    said = {name: given[name] for name in DETAILS if given.get(name) is not None}
    for name, text in said.items():
        if not isinstance(text, str):
            raise invalid(f"details.{name} is no text")
    if "label" not in {**old, **said}:
        raise invalid("details.label is missing")
    return {**old, **said}


def new_settings(given: Mapping[str, object], environments: Environments) -> dict[str, object]:
    """The settings of a new algorithm. Raises `ApiError` 400 for missing, unknown or impossible ones."""
    _check(given)
    return _merged(DEFAULTS, given, _runtime(given, environments))


def changed_settings(old: Mapping[str, object], given: Mapping[str, object], environments: Environments) -> dict[str, object]:
    """The settings after an update, which repeats the required ones. The language cannot change."""
    _check(given)
    before = environments.by_id(old["algorithm_environment"])
    after = before if before and _selector(given) is None else _runtime(given, environments)
    if before and before.kind.language != after.kind.language:
        raise invalid("The language of an algorithm cannot be changed")
    return _merged(old, given, after)


def _selector(given: Mapping[str, object]) -> str | None:
    """What a request names a runtime by, if it does."""
    return next((name for name in SELECTORS if given.get(name) is not None), None)


def _runtime(given: Mapping[str, object], environments: Environments) -> Environment:
    """What an algorithm runs in, by the first of the selectors that is given. Raises `ApiError` 400 for an unknown one."""
    selector = _selector(given)
    if selector == "package_set":
        environment = environments.by_package_set(given["package_set"])
        if environment is None:
            known = ", ".join(each.kind.package_set for each in environments.all)
            message = f"settings.package_set names no package set of this cluster, which has {known}"
            raise ApiError(400, message, PACKAGE_SET_UNKNOWN)
    elif selector == "language":
        environment = environments.by_name(LEGACY.get(str(given["language"])))
        if environment is None:
            raise ApiError(400, "settings.language names no language of this cluster", LANGUAGE_UNKNOWN)
    else:
        environment = environments.by_id(given.get("algorithm_environment"))
    if environment is None:
        told = "it is an id of GET /v1/algorithm-environments/edge/languages/python3/environments"
        raise invalid(f"settings.algorithm_environment (or package_set, or language) names no environment of this cluster: {told}")
    return environment


def _merged(old: Mapping[str, object], given: Mapping[str, object], environment: Environment) -> dict[str, object]:
    known = {*CHOICES, *SWITCHES, "royalty_microcredits"}
    chosen = {name: value for name, value in given.items() if name in known}
    runtime = {"algorithm_environment": environment.id, "package_set": environment.kind.package_set}
    # Callability is given at publication.
    return {**old, **chosen, **runtime, "algorithm_callability": old["algorithm_callability"]}


def _check(given: Mapping[str, object]) -> None:
    missing = [name for name in REQUIRED if name not in given]
    if missing:
        raise invalid(f"settings lack {', '.join(missing)}")
    for name, choices in CHOICES.items():
        if name in given and given[name] not in choices:
            raise invalid(f"settings.{name} is none of {', '.join(choices)}")
    for name in SWITCHES:
        if name in given and not isinstance(given[name], bool):
            raise invalid(f"settings.{name} is neither true nor false")
    royalty = given.get("royalty_microcredits", 0)
    if not isinstance(royalty, int) or isinstance(royalty, bool) or royalty < 0:
        raise invalid("settings.royalty_microcredits is no count")
