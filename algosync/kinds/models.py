"""Models: the data files that model manifests pin by MD5.

Such a file is read at plan, once, for SHA-256 and MD5 alike. Both are recorded with its stamp, so that no later plan reads it while
the stamp stands; what the source record says of the manifest saves reading the archive in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from algosync.cluster.data import split
from algosync.cluster.transfer import File, fingerprint
from algosync.core.address import Address
from algosync.core.error import NotFound, SourceError
from algosync.core.manifest import Pin
from algosync.core.resource import Json, Resource, digest_of
from algosync.core.text import printable
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.site import Site

__all__ = ["noted", "pins_of", "require_fit", "with_digests"]

_MD5 = re.compile(r"[0-9a-f]{32}")
_FIELDS = ("path", "entry", "file", "md5")


def require_fit(pins: Sequence[Pin], spec: AlgorithmSpec, site: Site) -> None:
    """SourceError: the bytes of a data file are not those that the manifest of `spec` was frozen with."""
    misfits = [misfit for pin in pins if (misfit := _misfit(pin, spec, site))]
    if misfits:
        hint = "if the data file is as it shall be, freeze the manifest again (`algo freeze`); if not, put the right file back"
        raise SourceError("; ".join(misfits), hint=hint)


def _misfit(pin: Pin, spec: AlgorithmSpec, site: Site) -> str | None:
    uri = _source_of(pin.file, spec, site)
    try:
        found = _digests(pin.file, uri, site)[1]
    except NotFound:
        return None  # told where the algorithm that ships it lists its data files
    if found == pin.md5:
        return None
    wanted = f"{pin.path} expects MD5 {printable(pin.md5, 40)} of {printable(pin.entry, 80)!r}"
    return f"{wanted}, but {printable(uri)}, which becomes {printable(str(pin.file))}, has {found}"


def _source_of(file: Address, spec: AlgorithmSpec, site: Site) -> str:
    for other in site.specs(spec):
        for shipped in other.data_files if other.name == file.algorithm else ():
            if shipped.name == file.name:
                return shipped.source
    raise ValueError(f"{printable(str(file))} is not in the workflow")


def with_digests(resource: Resource, uri: str, site: Site) -> Resource:
    """A pinned data file, its SHA-256 and MD5 known."""
    digest, md5 = _digests(resource.address, uri, site)
    return replace(resource, attributes={**resource.attributes, "md5": md5}, digest=digest)


def _digests(file: Address, uri: str, site: Site) -> tuple[str, str]:
    stat = site.source_file(uri)
    record = site.ledger.records.get(file)
    if record is not None and stat.stamp is not None and record.source_stamp == stat.stamp:
        md5 = record.attributes.get("md5")
        if isinstance(md5, str) and _MD5.fullmatch(md5):
            return record.digest, md5
    shipped = File(site.source_store(), split(uri), stat.size)
    return site.memo.once(("digests", uri), lambda: fingerprint(shipped, site.destination.retry))


def noted(pins: Sequence[Pin], specs: Sequence[AlgorithmSpec]) -> Json:
    """What a source record keeps of its manifest: the pins, and a digest of the data files by which its URIs were rewritten."""
    rows: list[Json] = [{"path": pin.path, "entry": pin.entry, "file": str(pin.file), "md5": pin.md5} for pin in pins]
    return {"pins": rows, "shipped": _shipped(specs)}


def pins_of(note: Json, specs: Sequence[AlgorithmSpec]) -> tuple[Pin, ...] | None:
    """The inverse of `noted`. None: data files come or go elsewhere by now, or a ledger that hides secrets hid some of it."""
    rows = note.get("pins") if isinstance(note, Mapping) and note.get("shipped") == _shipped(specs) else None
    if not isinstance(rows, Sequence):
        return None
    files = {str(address): address for address in (Address("data", s.name, f.name) for s in specs for f in s.data_files)}
    pins = tuple(pin for row in rows if (pin := _pin(row, files)))
    return pins if len(pins) == len(rows) else None


def _pin(row: Json, files: Mapping[str, Address]) -> Pin | None:
    values = [row.get(name) for name in _FIELDS] if isinstance(row, Mapping) else []
    match values:
        case [str(path), str(entry), str(file), str(md5)] if file in files and _MD5.fullmatch(md5):
            return Pin(path, entry, files[file], md5)
        case _:
            return None


def _shipped(specs: Sequence[AlgorithmSpec]) -> str:
    rows: list[Json] = [[spec.name, file.name, file.source] for spec in specs for file in spec.data_files]
    return digest_of(rows)
