"""All kinds of faults, by the setting that names each. To add a kind, add a class and its line here."""

from algosync.emulator.faults.broken_transfers import ChunkedCut, Close, DripHeader, JunkHeaders, Length, Reset, Stall, Truncate
from algosync.emulator.faults.changed_answers import CorruptBody, Drip, Empty, Endless, Gzip, Redirect, ReplacedBody, Shape, Status
from algosync.emulator.faults.cluster_faults import BuildFault, Delay, ExpireKey, Listing
from algosync.emulator.faults.exchange import InjectedFault

KINDS: dict[str, type[InjectedFault]] = {
    "status": Status,
    "delay": Delay,
    "drip": Drip,
    "drip_header": DripHeader,
    "stall": Stall,
    "truncate": Truncate,
    "length": Length,
    "gzip": Gzip,
    "corrupt": CorruptBody,
    "chunked_cut": ChunkedCut,
    "reset": Reset,
    "close": Close,
    "body": ReplacedBody,
    "empty": Empty,
    "shape": Shape,
    "endless": Endless,
    "headers": JunkHeaders,
    "redirect": Redirect,
    "listing": Listing,
    "build": BuildFault,
    "expire_key": ExpireKey,
}
