"""All kinds of faults, by their first field, which names each. To add a kind, add its class here."""

from dataclasses import fields

from algosync.emulator.faults.broken_transfers import (
    ChunkedCut,
    Close,
    DripHeader,
    Interim,
    JunkHeaders,
    Length,
    OldVersion,
    Reset,
    Stall,
    Truncate,
)
from algosync.emulator.faults.changed_answers import CorruptBody, Drip, Empty, Endless, Gzip, Redirect, ReplacedBody, Shape, Status
from algosync.emulator.faults.cluster_faults import BuildFault, Delay, ExpireKey, Listing
from algosync.emulator.faults.exchange import InjectedFault

KINDS: dict[str, type[InjectedFault]] = {
    fields(kind)[0].name: kind
    for kind in (
        *(Status, Delay, Drip, DripHeader, Stall, Truncate, Length, Gzip, CorruptBody, ChunkedCut, Reset, Close),
        *(ReplacedBody, Empty, Shape, Endless, JunkHeaders, Redirect, Listing, BuildFault, ExpireKey),
        *(Interim, OldVersion),
    )
}
