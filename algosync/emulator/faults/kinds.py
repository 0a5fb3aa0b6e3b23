"""Every kind of fault, by the setting that names it. A kind more is a class more and a line more here."""

from algosync.emulator.faults.answers import Body, Corrupt, Drip, Empty, Endless, Gzip, Redirect, Shape, Status
from algosync.emulator.faults.behaviour import BuildFault, Delay, ExpireKey, Listing
from algosync.emulator.faults.broken_bytes import ChunkedCut, Close, DripHeader, JunkHeaders, Length, Reset, Stall, Truncate
from algosync.emulator.faults.exchange import Fault

KINDS: dict[str, type[Fault]] = {
    "status": Status,
    "delay": Delay,
    "drip": Drip,
    "drip_header": DripHeader,
    "stall": Stall,
    "truncate": Truncate,
    "length": Length,
    "gzip": Gzip,
    "corrupt": Corrupt,
    "chunked_cut": ChunkedCut,
    "reset": Reset,
    "close": Close,
    "body": Body,
    "empty": Empty,
    "shape": Shape,
    "endless": Endless,
    "headers": JunkHeaders,
    "redirect": Redirect,
    "listing": Listing,
    "build": BuildFault,
    "expire_key": ExpireKey,
}
