"""A local cluster's settings: as arguments of its server, and compared with those that a user wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from algosync.core.text import printable
from algosync.emulator.variants import DEFAULT_VARIANTS, NO_LIMIT

if TYPE_CHECKING:
    from algosync.cli.local.running import LocalCluster
    from algosync.cli.local.start_options import StartOptions

__all__ = ["differing_options", "option_values", "server_arguments", "settings_of", "unusual_options"]


def server_arguments(options: StartOptions) -> list[str]:
    """The server's command line for these options."""
    switches: Mapping[str, int | bool | None] = {"tls": options.tls} if options.tls is not None else {}
    faults = ["--faults", str(options.faults.resolve())] if options.faults else []
    given = [text for name, value in {**switches, **options.given_settings}.items() for text in _arguments(name, value)]
    return ["--port", str(options.port), *faults, *given]


def differing_options(cluster: LocalCluster, wanted: StartOptions) -> list[str]:
    """The options whose wanted value is not that of the running cluster."""
    faults = str(wanted.faults.resolve()) if wanted.faults else None
    differs = {
        "--port": wanted.port not in (0, cluster.port),
        "--tls": wanted.tls not in (None, cluster.tls),
        "--faults": faults != cluster.faults,
        **{_flag(name): value != cluster.stances.get(name) for name, value in wanted.given_settings.items()},
    }
    return [option for option, different in differs.items() if different]


def option_values(cluster: LocalCluster, options: Sequence[str]) -> str:
    """These options with the running cluster's values, as a command line."""
    values = {
        "--port": ["--port", str(cluster.port)],
        "--tls": _arguments("tls", cluster.tls),
        "--faults": ["--faults", printable(cluster.faults)] if cluster.faults else ["no --faults"],
        **{_flag(name): _arguments(name, value) for name, value in settings_of(cluster).items()},
    }
    return " ".join(text for option in options for text in values.get(option, []))


def settings_of(cluster: LocalCluster) -> dict[str, int | bool | None]:
    """The settings in the cluster's address file. Ignores values of unknown types."""
    return {name: value for name, value in cluster.stances.items() if isinstance(value, int | None)}


def unusual_options(cluster: LocalCluster) -> list[str]:
    """The options that differ from the defaults of a new cluster: settings and faults."""
    usual = asdict(DEFAULT_VARIANTS)
    changed = {name: value for name, value in settings_of(cluster).items() if value != usual.get(name)}
    return [
        *(text for name, value in changed.items() for text in _arguments(name, value)),
        *(["--faults", cluster.faults] if cluster.faults else []),
    ]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _arguments(name: str, value: int | bool | None) -> list[str]:
    """One setting as command line arguments."""
    if isinstance(value, bool):
        return [_flag(name) if value else f"--no-{name.replace('_', '-')}"]
    return [_flag(name), NO_LIMIT if value is None else str(value)]
