"""The same requests without algosync: `python -m benchmark.bare FILE ADDRESS` sends what a stub has recorded.

Over urllib3, or as the official client sends requests. Requests about one algorithm go out in their order, those about different
algorithms at the same time.
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
    """A function that sends requests with one pool of connections."""
    import urllib3

    host, port = address.removeprefix("http://").split(":")
    pool = urllib3.HTTPConnectionPool(host, int(port), maxsize=connections)

    def send(requests: Recorded) -> None:
        for request in requests:
            body = base64.b64decode(request["body"]) or None
            _ = pool.urlopen(request["method"], request["target"], body, request["headers"], retries=False).data

    return send


def over_official_client(address: str, connections: int) -> Callable[[Recorded], None]:
    """A function that sends GETs as the official client does."""
    import Algorithmia

    client = Algorithmia.client("simBENCHMARK", address)

    def send(requests: Recorded) -> None:
        for request in requests:
            _ = client.getHelper(request["target"]).content

    return send


def groups(requests: Recorded) -> Iterable[Recorded]:
    """The requests by the algorithm that they are about."""
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
