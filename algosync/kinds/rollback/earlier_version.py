"""Earlier version: what a rollback publishes again, as a spec and a source tree.

The tree comes from the destination's own repository, the settings from what the cluster reports of the version. What takes effect
at once and belongs to no version, such as the label, stays as it is at the destination.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

from algosync.cluster.algorithms import AlgorithmInfo, Version
from algosync.core.address import Address
from algosync.core.error import NotFound
from algosync.core.lean import dataclass
from algosync.core.tree import tree_id
from algosync.core.workflow import AlgorithmSpec, Details, License, Readers, Settings
from algosync.kinds.collection import DATA_READ
from algosync.kinds.context import Context
from algosync.kinds.desired_sources import DesiredSources, paths_of
from algosync.sources.managed_files import managed
from algosync.sources.source import SourceTree

__all__ = ["EarlierVersion", "earlier_version", "rollback_context"]

_READERS: tuple[Readers, ...] = ("my_algorithms", "public", "private")
_VISIBILITIES: tuple[Literal["open", "closed"], ...] = ("open", "closed")
_LICENSES: tuple[License, ...] = ("apl", "apache2", "gpl3", "mit")
_NETWORKS: tuple[Literal["full", "isolated"], ...] = ("full", "isolated")
_Word = TypeVar("_Word", bound=str)
_VERSIONS_NAMED = 10


@dataclass(frozen=True, slots=True)
class EarlierVersion:
    """`target` is published again; `current` is published now; `following` came right after the target, None if that is current."""

    target: Version
    current: Version
    following: Version | None

    @classmethod
    def of(cls, versions: Sequence[Version], algorithm: str, number: str = "") -> EarlierVersion:
        """The version of that number, or the one before the current one. NotFound: there is none."""
        ordered = sorted(versions, key=_order)
        if not ordered:
            raise NotFound(f"{algorithm} has no published version", hint="algosync apply publishes the first one")
        place = len(ordered) - 2
        if number:
            place = next((place for place, version in enumerate(ordered) if version.number == number), -1)
        if place < 0:
            known = ", ".join(version.number for version in ordered[: -_VERSIONS_NAMED - 1 : -1])
            what = f"no version {number}" if number else "no earlier version"
            raise NotFound(f"{algorithm} has {what}", hint=f"published: {known}; algosync versions {algorithm} lists them")
        following = ordered[place + 1] if place + 1 < len(ordered) else None
        return cls(ordered[place], ordered[-1], following)


def _order(version: Version) -> tuple[int, ...]:
    """A cluster gives each version a larger number than all before it (PLATFORM.md §3.6)."""
    return tuple(map(int, version.number.split(".")))


def earlier_version(spec: AlgorithmSpec, version: Version, context: Context) -> AlgorithmSpec:
    """The spec of that version. Its source and its tests are those of `rollback_context` and of the workflow."""
    info = context.destination.info(spec.name)
    if info is None:
        raise NotFound(f"{spec.name} is not at the destination")
    settings = version.settings
    name = context.destination.environment_name(settings.get("algorithm_environment"))
    return replace(
        spec,
        language=name or spec.language,
        code=None,
        data_files=(),
        details=_details(spec, info),
        settings=_settings(spec, info, version),
        publish=replace(
            spec.publish,
            callability="public" if settings.get("algorithm_callability") == "public" else "private",
            release_notes=f"Rollback to {version.number}",
            on=frozenset({"source", "settings"}),
        ),
        depends_on=(),
        collection_read=_recorded_read(spec, context),
    )


def _details(spec: AlgorithmSpec, info: AlgorithmInfo) -> Details:
    label, summary, tagline = (str(info.details.get(name) or "") for name in ("label", "summary", "tagline"))
    return Details(label or spec.details.label, summary or None, tagline or None)


def _settings(spec: AlgorithmSpec, info: AlgorithmInfo, version: Version) -> Settings:
    wanted, now, then = spec.settings, info.settings, version.settings
    return Settings(
        source_visibility=_one_of(now.get("source_visibility"), _VISIBILITIES, wanted.source_visibility),
        license=_one_of(now.get("license"), _LICENSES, wanted.license),
        network_access=_one_of(then.get("network_access"), _NETWORKS, wanted.network_access),
        pipeline_enabled=bool(then.get("pipeline_enabled", wanted.pipeline_enabled)),
    )


def _one_of(value: object, words: Iterable[_Word], otherwise: _Word) -> _Word:
    return next((word for word in words if word == value), otherwise)


def _recorded_read(spec: AlgorithmSpec, context: Context) -> Readers | None:
    record = context.ledger.records.get(Address("algorithm", spec.name))
    recorded = record.attributes.get(DATA_READ) if record else None
    return next((word for word in _READERS if word == recorded), None)


def rollback_context(context: Context, spec: AlgorithmSpec, earlier: EarlierVersion) -> Context:
    """The context in which the spec's source is the tree of the earlier version. NotFound: the repository lacks its commit."""
    tree = _tree(spec, earlier.target, context)
    sources = replace(context.sources, algorithms=(spec,), trees={spec.name: tree})
    told = {"to": earlier.target.number, "from": earlier.current.number, "at": context.now()}
    return replace(context, desired_sources=DesiredSources(sources, context.ledger), recorded_only=False, rollback=told)


def _tree(spec: AlgorithmSpec, version: Version, context: Context) -> SourceTree:
    """The managed files of the version's commit.

    Outside `src/` these are the files that algosync has pushed, and those that the repository no longer has. Other files belong to
    somebody else, and stay as they are.
    """
    destination = context.destination
    try:
        then = destination.tree(spec.name, version.commit)
    except NotFound:
        hint = "somebody has rewritten the branch since, so this version cannot be published again"
        raise NotFound(f"the repository of {spec.name} has no commit of version {version.number}", hint=hint) from None
    head = destination.head(spec.name)
    now = destination.tree(spec.name, head) if head else {}
    record = context.ledger.records.get(Address("source", spec.name))
    ours = set(paths_of(record.attributes) or ()) if record else set()
    files = managed(then, [path for path in then if path in ours or path not in now])
    return SourceTree(files, tree_id(files))
