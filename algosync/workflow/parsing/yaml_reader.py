"""Parse YAML into nodes, from the parser's events. Handles locations, duplicate keys, merge keys, limits, and YAML 1.2 scalars.

Uses libyaml's parser if PyYAML was built with it, else PyYAML's own.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import yaml
from yaml.events import CollectionStartEvent, ScalarEvent

from algosync.workflow.fault import Faults, Location, UnreadableError, quote
from algosync.workflow.node import MAX_NODES
from algosync.workflow.parsing.yaml_builder import TOO_LARGE, built, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosync.core.error import Fault
    from algosync.workflow.node import Node

__all__ = ["most_values", "read_yaml"]

# Characters that both parsers refuse, searched first because the parsers give no line, and those that YAML 1.1 treats as line
# breaks.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_yaml(text: str, faults: Faults, *, pure: bool = False) -> Node:
    """Return the only document of the text. `pure` forces PyYAML's own parser.

    If the text is not YAML, reports that and raises UnreadableError.
    """
    if match := _UNPRINTABLE.search(text):
        place = Location(text.count("\n", 0, match.start()) + 1, match.start() - text.rfind("\n", 0, match.start()))
        faults.stop(place, "control-character", f"the character {quote(match.group())}", "write it as an escape in quotes")
    loader: Any = yaml.SafeLoader if pure else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if loader is not yaml.SafeLoader:  # counting with PyYAML's own parser would take as long as reading
        _refuse_many(text, loader, faults)
    try:
        return built(text, loader, faults)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and (deep := _depth_fault(text[: mark.index], loader)):
            faults.stop(Location(deep.line, deep.column), deep.code, deep.message)
        faults.stop(place_of(mark) if mark else Location(1, 1), "syntax", " ".join(filter(None, (error.context, error.problem))))
    except yaml.YAMLError as error:  # errors of the decoder: encodings and characters, which are checked before
        faults.stop(Location(1, 1), "syntax", str(error))


def _refuse_many(text: str, loader: Any, faults: Faults) -> None:
    """Report a text with too many values before any node is created: nodes take most of the time and memory of reading."""
    if most_values(text) <= MAX_NODES:  # aliases are counted later
        return
    values = 0
    with suppress(yaml.YAMLError):  # the reader reports it
        for event in _events(text, loader):
            values += isinstance(event, (ScalarEvent, CollectionStartEvent))
            if values > MAX_NODES:
                faults.stop(place_of(event.start_mark), "too-large", TOO_LARGE)


def most_values(text: str) -> int:
    """An upper limit of the number of values, which takes no parser.

    A sign begins each part of a list or map: an item follows one of `-[,`, a key and its value have one of `:?{,` together. In a
    list, a key and its value may be a map of their own.
    """
    signs = {sign: text.count(sign) for sign in ":?{,-["}
    return 1 + 2 * sum(signs.values()) + signs[","] + signs["["]


def _events(text: str, loader: Any) -> Iterator[Any]:
    """The parser's events. `yaml.parse` gives the same ones, and takes twice the time because it asks for each one first."""
    parser = loader(text)
    try:
        yield from iter(parser.get_event, None)
    finally:
        parser.dispose()


def _depth_fault(text: str, loader: Any) -> Fault | None:
    """Return the `too-deep` fault of the text before a syntax error, if it has one.

    A parser scans up to 1,024 characters ahead of its events, so it can report an error there before it reports the open lists and
    maps in front of it. One such error is libyaml's own limit on nesting (1,000 levels since libyaml 0.2.6).
    """
    faults = Faults()
    with suppress(UnreadableError, yaml.YAMLError):
        built(text, loader, faults)
    return next((fault for fault in faults.found if fault.code == "too-deep"), None)
