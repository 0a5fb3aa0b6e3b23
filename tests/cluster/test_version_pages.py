"""The list of versions comes in pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest

from algosync.cluster.algorithms import AlgorithmsClient
from algosync.cluster.wire import JsonReply, Wire
from algosync.core.error import Unexpected
from algosync.net import Retry


def entry(number: str, commit: str, **more: object) -> dict[str, object]:
    return {"version_info": {"semantic_version": number, "git_hash": commit}, "settings": {}, **more}


class PagedWire:
    """Replies by the marker that was asked for."""

    def __init__(self, pages: Mapping[str, object]) -> None:
        self.pages = pages
        self.retry = Retry(tries=1)

    def json(self, method: str, path: str, query: Mapping[str, str], body: object = None) -> JsonReply:
        assert (method, path, query["published"]) == ("GET", "/v1/algorithms/jane/One/versions", "true")
        return JsonReply(200, self.pages[query.get("marker", "")], None)


def client(pages: Mapping[str, object]) -> AlgorithmsClient:
    return AlgorithmsClient(cast("Wire", PagedWire(pages)))


def test_every_page_is_read() -> None:
    finished = {"build": {"finished_at": "2026-11-30T09:00:00.000Z"}}
    unpublished: dict[str, object] = {"version_info": {"git_hash": "c" * 40}}
    pages = {
        "": {"marker": "next", "results": [entry("0.2.0", "b" * 40, **finished), unpublished]},
        "next": {"marker": None, "results": [entry("0.1.0", "a" * 40)]},
    }
    found = client(pages).versions("jane", "One")
    assert [(v.number, v.commit[0], v.built_at) for v in found] == [("0.2.0", "b", "2026-11-30T09:00:00.000Z"), ("0.1.0", "a", "")]


@pytest.mark.parametrize("marker", [7, "x" * 5000, "again"])
def test_a_list_without_an_end_is_refused(marker: object) -> None:
    page = {"marker": marker, "results": []}
    with pytest.raises(Unexpected):
        client({"": page, "again": page}).versions("jane", "One")
