"""Serve the stub. It prints its address, and answers what is below `/-/` about itself."""

from __future__ import annotations

import argparse
import base64
import gc
import pickle
import time
from pathlib import Path

from benchmark.stub.cluster import Cluster
from benchmark.stub.http import FileReply, Reply, Request, json_reply
from benchmark.stub.server import Server


class Recorder:
    """Counts the requests, and keeps them between `POST /-/record` and `GET /-/recorded`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._count = 0
        self._kept: list[Request] | None = None
        self._uploads: list[tuple[float, float]] = []  # seconds of the monotonic clock

    def answer(self, request: Request) -> Reply | FileReply:
        """Answer a request of a client, or one about the stub itself."""
        if request.target.startswith(b"/-/"):
            return self._own(request)
        self._count += 1
        if self._kept is not None:
            self._kept.append(request)
        answer = self._cluster.answer(request)
        if request.method == b"PUT" and request.target.startswith((b"/v1/data/", b"/dav/")):
            self._uploads.append((request.began, time.monotonic()))
        return answer

    def _own(self, request: Request) -> Reply:
        match request.target:
            case b"/-/record":
                self._kept = []
            case b"/-/recorded":
                kept, self._kept = self._kept or [], None
                return json_reply([_written(each) for each in kept])
            case b"/-/save":
                Path(request.body.decode()).write_bytes(pickle.dumps(self._cluster))
            case b"/-/uploads":
                uploads, self._uploads = self._uploads, []
                return json_reply(max(end for _, end in uploads) - min(begin for begin, _ in uploads) if uploads else 0)
            case b"/-/empty":
                self._cluster.empty()
                self._uploads.clear()
            case _:
                pass
        return json_reply(self._count)


def _written(request: Request) -> dict[str, object]:
    lines = request.head.decode("latin-1").split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in lines if line)
    hop = ("host", "connection", "content-length", "transfer-encoding", "expect")
    kept = {name: value for name, value in headers.items() if name.lower() not in hop}
    body = base64.b64encode(request.body).decode()
    return {"method": request.method.decode(), "target": request.target.decode(), "headers": kept, "body": body}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="where large files go; best in memory")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0, help="seconds before each reply")
    parser.add_argument("--load", type=Path, help="begin with what `POST /-/save` has written")
    parser.add_argument("--files", type=Path, help="a folder in which another server writes the data files")
    options = parser.parse_args()
    cluster = pickle.loads(options.load.read_bytes()) if options.load else Cluster(options.files)
    server = Server(Recorder(cluster).answer, options.folder, options.host, options.port, options.delay)
    gc.freeze()
    gc.disable()
    print(server.address, flush=True)
    server.serve()


main()
