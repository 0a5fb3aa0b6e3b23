"""Files from one stub to another by a bare client.

`python -m benchmark.relaying CLIENT CONNECTIONS SOURCE DESTINATION FROM TO FILE…`, where the ends are addresses and collections.
`urllib3` moves blocks of 1 MiB, `urllib3 with SHA-256` hashes them on the way, `official client` is `getFile` and `putFile` of the
official client.
"""

from __future__ import annotations

import hashlib
import http.client
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

BLOCK = 1 << 20


def by_urllib3(source: str, destination: str, connections: int, *, hashed: bool) -> Callable[[str, str], None]:
    """A function that moves one file, by its two paths."""
    import urllib3

    def pool(address: str) -> urllib3.HTTPConnectionPool:
        host, port = address.removeprefix("http://").split(":")
        return urllib3.HTTPConnectionPool(host, int(port), maxsize=connections)

    read, write = pool(source), pool(destination)

    def move(origin: str, target: str) -> None:
        digest = hashlib.sha256()
        answer = read.urlopen("GET", f"/v1/data/local/{origin}", preload_content=False, decode_content=False)

        def blocks() -> Iterator[bytes]:
            while block := answer.read(BLOCK):
                if hashed:
                    digest.update(block)
                yield block

        length = answer.headers["Content-Length"]
        put = write.urlopen("PUT", f"/v1/data/local/{target}", blocks(), {"Content-Length": length}, retries=False)
        assert put.status in (200, 201)  # the second one by nginx
        answer.release_conn()

    return move


def by_official_client(source: str, destination: str) -> Callable[[str, str], None]:
    """The same with the official client."""
    import Algorithmia

    read, write = Algorithmia.client("simBENCHMARK", source), Algorithmia.client("simBENCHMARK", destination)

    def move(origin: str, target: str) -> None:
        with read.file(f"data://local/{origin}").getFile() as file:
            write.file(f"data://local/{target}").putFile(file.name)

    return move


def main() -> None:
    """Make the destination's collection, and move the files, as many at a time as there are connections."""
    client, connections, source, destination, origin, target, *files = sys.argv[1:]
    connection = http.client.HTTPConnection(destination.removeprefix("http://"))
    connection.request("POST", "/v1/data/local", f'{{"name": "{target}"}}')
    connection.getresponse().read()
    if client == "official client":
        move = by_official_client(source, destination)
    else:
        move = by_urllib3(source, destination, int(connections), hashed="SHA-256" in client)
    with ThreadPoolExecutor(int(connections)) as threads:
        for _ in threads.map(lambda name: move(f"{origin}/{name}", f"{target}/{name}"), files):
            pass


if __name__ == "__main__":
    main()
