"""The same requests without algosync: `python -m benchmark.bare FILE ADDRESS` sends what a stub has recorded.

Over urllib3, or as the official client sends requests. Reads go out in any order; if something is written, the requests about one
algorithm keep their order, and different algorithms have their turns at the same time.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Recorded = list[dict[str, Any]]


def over_urllib3(address: str, connections: int) -> Callable[[Recorded], None]:
    """A function that sends requests as a plain script would: by one `PoolManager`, reading JSON where it comes."""
    import urllib3

    pool = urllib3.PoolManager(maxsize=connections)

    def send(requests: Recorded) -> None:
        for request in requests:
            body = base64.b64decode(request["body"]) or None
            answer = pool.request(request["method"], address + request["target"], body=body, headers=request["headers"])
            if answer.headers.get("Content-Type") == "application/json":
                answer.json()

    return send


def over_official_client(address: str, connections: int) -> Callable[[Recorded], None]:
    """A function that sends GETs as the official client does."""
    import Algorithmia

    client = Algorithmia.client("simBENCHMARK", address)

    def send(requests: Recorded) -> None:
        for request in requests:
            answer = client.getHelper(request["target"])
            if answer.headers.get("Content-Type") == "application/json":
                answer.json()

    return send


def groups(requests: Recorded) -> Iterable[Recorded]:
    """The requests that keep their order: none of those that only read, else those about the same algorithm."""
    if all(request["method"] == "GET" for request in requests):
        return [[request] for request in requests]
    found: dict[str, Recorded] = {}
    for request in requests:
        parts = request["target"].partition("?")[0].split("/")
        name = parts[4] if len(parts) > 4 and parts[1] == "v1" else parts[3] if len(parts) > 3 and parts[1] == "git" else ""
        if len(parts) == 4 and parts[1] == "v1" and request["method"] == "POST":
            name = json.loads(base64.b64decode(request["body"]))["name"]
        found.setdefault(name.removesuffix(".git"), []).append(request)
    return found.values()


def main() -> None:
    """Arguments: the file, the address, the number of connections, `urllib3` or `official`, and modules to import first."""
    file, address, connections, client, *modules = sys.argv[1:]
    for module in modules:
        __import__(module)
    recorded = json.loads(Path(file).read_text())
    open_client = {"urllib3": over_urllib3, "official": over_official_client}[client]
    send = open_client(address, int(connections))
    if int(connections) == 1:
        send(recorded)
        return
    with ThreadPoolExecutor(int(connections)) as threads:
        for _ in threads.map(send, groups(recorded)):
            pass


if __name__ == "__main__":
    main()
