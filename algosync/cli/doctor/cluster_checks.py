"""Checks of both clusters: address, TLS and proxy, whether they answer, their keys, and the destination's git server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from algosync.cli.doctor.examination import NotExaminedError, Site, finding
from algosync.core.diagnosis import Diagnosis
from algosync.core.error import ClusterError, NotFound, UsageError
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.doctor.examination import Examination, Side
    from algosync.net import Host

__all__ = [
    "destination_address",
    "destination_answer",
    "destination_key",
    "git",
    "source_address",
    "source_answer",
    "source_key",
]

_NO_ADDRESS = "set DESTINATION_API_ADDRESS and DESTINATION_API_KEY, or use --destination local for a local cluster"
_PATH = "/v1/data/"  # what every key may read; without one the reply is 401 (PLATFORM.md §1.3)
_UNTOLD = "whether it may write data and call algorithms cannot be told without doing so"


def destination_address(examination: Examination) -> Iterator[Diagnosis]:
    """The destination is named by a valid address. Certificates and proxy for it are usable."""
    options = examination.options
    address = options.destination or options.environ.get("DESTINATION_API_ADDRESS", "")
    if not address:
        raise UsageError("no destination is named", hint=_NO_ADDRESS)
    setting = "--destination" if options.destination else "DESTINATION_API_ADDRESS"
    yield _address(examination, "DESTINATION", address, setting)


def source_address(examination: Examination) -> Iterator[Diagnosis]:
    """The same for the source, unless nothing is read from one."""
    from algosync.cli.session import named_source, reads_source
    from algosync.cluster.directory import Directory

    workflow = examination.workflow
    address = examination.options.environ.get("SOURCE_API_ADDRESS") or None
    setting = "SOURCE_API_ADDRESS"
    if workflow:
        setting, address = named_source(examination.options, workflow)
    needed = workflow is not None and reads_source(workflow)
    if address is None and needed:
        raise UsageError(
            "no source is named", hint="set SOURCE_API_ADDRESS and SOURCE_API_KEY, or write source_info into the workflow"
        )
    if address is None or not (needed or workflow is None):
        yield finding("ok", "not needed: the workflow takes nothing from a source cluster" if workflow else "none is named")
    elif address.startswith("file://"):
        Directory(examination.folder / address.removeprefix("file://"))
        yield finding("ok", f"the directory {printable(address.removeprefix('file://'), 200)}")
    else:
        yield _address(examination, "SOURCE", address, setting)


def destination_answer(examination: Examination) -> Iterator[Diagnosis]:
    """The destination answers. No key is sent."""
    yield _answer(examination, "DESTINATION")


def source_answer(examination: Examination) -> Iterator[Diagnosis]:
    if "SOURCE" in examination.sites:
        yield _answer(examination, "SOURCE")


def destination_key(examination: Examination) -> Iterator[Diagnosis]:
    """The destination accepts the key, and the key reaches the workflow's owner."""
    from algosync.cli.session import owner_of

    site = examination.site("DESTINATION")
    if _is_absent(examination, site):
        raise NotExaminedError("needs the local cluster, which does not exist yet")
    _, cluster = examination.connections.destination()
    owners = cluster.data.owners()
    site.owners = owners
    if examination.workflow:
        owner_of(examination.workflow, owners)
    site.cluster = cluster
    yield finding("ok", f"{_owned(owners)}; it may read data")
    yield finding("note", _UNTOLD)


def source_key(examination: Examination) -> Iterator[Diagnosis]:
    """The source accepts the key. It only has to read data."""
    if "SOURCE" not in examination.sites:
        return
    site = examination.site("SOURCE")
    if _is_absent(examination, site):
        raise NotExaminedError("needs the local cluster, which does not exist yet")
    cluster = examination.connections.source_cluster(site.label, site.setting)
    site.owners = cluster.data.owners()
    site.cluster = cluster
    yield finding("ok", f"{_owned(site.owners)}; it may read data")


def git(examination: Examination) -> Iterator[Diagnosis]:
    """The git server lists the branches of a repository of the workflow. That takes the right to manage algorithms."""
    from algosync.cli.clusters import git_host
    from algosync.git import Repository

    site = examination.site("DESTINATION")
    cluster, workflow = site.connected(), examination.workflow
    host = git_host(examination.options, site.label, cluster)
    owner = (workflow.owner if workflow else None) or site.owners[0]
    names = [spec.name for spec in workflow.algorithms] if workflow else ["algosync"]
    for name in names:
        try:
            Repository(f"{host.url}/git/{owner}/{name}.git", site.owners[0], cluster.wire.credential, host).head()
        except NotFound:
            continue
        yield finding("ok", f"{host.url}/git lists the branches of {name}: it accepts the key, which may manage algorithms")
        return
    text = f"{host.url}/git answers; it has no repository of the workflow yet, so whether it accepts the key is not sure"
    yield finding(
        "note", text if workflow else f"{host.url}/git answers; only a workflow's repository tells whether it accepts the key"
    )


def _address(examination: Examination, side: Side, address: str, setting: str) -> Diagnosis:
    from algosync.cli.clusters import label
    from algosync.cli.local.location import is_local

    name = label(address, setting, examination.options)
    examination.sites[side] = Site(side, name, setting)
    if is_local(name):
        return finding("ok", f"{name}, a local cluster ({setting})")
    host = _host(examination, side, name)
    parts = [f"{name} ({setting})"]
    if name.startswith("https:"):
        own = f", and those in {host.names.ca_cert}" if examination.options.environ.get(host.names.ca_cert) else ""
        parts.append(f"TLS with the usual authorities{own}")
    parts.append(f"through the proxy of {host.names.proxy}" if host.names.proxy else "no proxy")
    return finding("ok", "; ".join(parts))


def _answer(examination: Examination, side: Side) -> Diagnosis:
    from algosync.cli.local.location import is_local

    site = examination.site(side)
    if is_local(site.label):
        if _is_absent(examination, site):
            return finding("note", f"there is no local cluster {site.label} yet; the first command that uses it creates it")
        return finding("ok", "the local cluster is there; a command that uses it starts it")
    host = _host(examination, side, site.label)
    try:
        examination.connections.net.retry.run(lambda: host.answer("GET", _PATH, {}))
    except ClusterError as error:
        if error.status is None:
            raise
    return finding("ok", f"{host.names.host} answers")


def _host(examination: Examination, side: Side, url: str) -> Host:
    """The host without a key. UsageError: its certificates or its proxy cannot be used."""
    from dataclasses import replace

    from algosync.net import Host, SettingNames, Trust

    names = replace(SettingNames.of(side), address=examination.site(side).setting)
    trust = Trust(examination.options.environ.get(names.ca_cert), names.ca_cert)
    return Host(url, names, examination.connections.net, trust)


def _is_absent(examination: Examination, site: Site) -> bool:
    """Whether it is a local cluster that does not exist. Connecting to it would create it."""
    from algosync.cli.local.location import exists, is_local, local_name

    return is_local(site.label) and not exists(examination.options.home.root(local_name(site.label)))


def _owned(owners: tuple[str, ...]) -> str:
    others = ", ".join(printable(name, 80) for name in owners[1:])
    return f"it belongs to {printable(owners[0], 80)}" + (f", and reaches {others}" if others else "")
