"""A stub behind nginx, which stores and serves the data files: a real server does real work for each of their bytes.

The stub answers everything else: accounts, algorithms, collections, listings. The files are in a folder that both use.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nginx_peer import nginx, program

from benchmark.running import Stub, stub

__all__ = ["StubBehindNginx", "behind_nginx", "has_nginx"]

_UPLOAD = re.compile(r" PUT \d+ /(?:v1/data|dav)/")
_LOCATIONS = """
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / {{ proxy_pass http://stub; }}
        location ~ "^/(?:v1/data/[^/]+|dav)/(?<collection>[^/]+)/(?<file>[^/]+)$" {{
            alias {files}/$collection/$file;
            dav_methods PUT;
            add_header X-Data-Type file;
            error_page 418 = @stub;
            if ($request_method !~ "^(GET|HEAD|PUT)$") {{ return 418; }}
        }}
        location @stub {{ proxy_pass http://stub; }}
"""


@dataclass(frozen=True, slots=True)
class StubBehindNginx(Stub):
    """Counts and times are from the log of nginx, which also tells of the requests that the stub does not see."""

    log: Path
    times: list[float] = field(default_factory=lambda: [0.0])  # when `upload_time` was asked for

    def count(self) -> int:
        """The number of requests so far."""
        return len(self.log.read_text().splitlines())

    def upload_time(self) -> float:
        """Seconds from the head of the first upload to the end of the last one since this was asked last."""
        since, now = self.times[-1], time.time()
        self.times.append(now)
        lines = [line.split() for line in self.log.read_text().splitlines() if _UPLOAD.search(line)]
        spans = [(float(end) - float(took), float(end)) for end, took, *_ in lines if since < float(end)]
        return max(end for _, end in spans) - min(begin for begin, _ in spans) if spans else 0.0


def has_nginx() -> bool:
    """Whether this machine has nginx."""
    return program() is not None


@contextlib.contextmanager
def behind_nginx(folder: Path) -> Iterator[StubBehindNginx]:
    """Run both while the body runs. Files are below `folder`."""
    files = folder / "nginx" / "root"
    with contextlib.ExitStack() as stack:
        inner = stack.enter_context(stub(folder, files=files))
        upstream = f"upstream stub {{ server {inner.address.removeprefix('http://')}; keepalive 64; }}"
        server = stack.enter_context(nginx(folder / "nginx", _LOCATIONS.format(files=files), upstream))
        yield StubBehindNginx(f"http://127.0.0.1:{server.port}", server.log)
