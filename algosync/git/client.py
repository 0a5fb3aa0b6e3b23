"""dulwich's git client on our own HTTP: requests go through the pool that is given, and failures have our names.

dulwich's own HTTP side stays unused, and with it git configuration, credential helpers, proxy variables, redirects and
its fall-back to file listings.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dulwich.client import AbstractHttpGitClient
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError

from algosync.core.error import Unexpected
from algosync.core.text import printable
from algosync.git.reply import Reply, failure, no_answer

if TYPE_CHECKING:
    from dulwich.client import HTTPResponse
    from urllib3 import PoolManager

    from algosync.core.secret import Secret

__all__ = ["Client"]


class Client(AbstractHttpGitClient):
    """The git client of one repository. HTTP failures are `ClusterError`s; dulwich's own errors are as they are."""

    def __init__(self, url: str, user: str, key: Secret, pool: PoolManager) -> None:
        # dulwich's server insists on clients that take thin packs; none comes to a client that says it has nothing.
        super().__init__(url, thin_packs=True, quiet=True)
        self._user, self._key, self._pool = user, key, pool

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple[HTTPResponse, Callable[[int], bytes]]:
        """The one method that dulwich asks of a transport."""
        if not url.startswith(self._base_url):
            raise Unexpected(f"the git server points elsewhere: {printable(url, 200)}")
        try:
            response = self._pool.request(
                "GET" if data is None else "POST",
                url,
                headers=self._headers(headers or {}),
                body=data,
                preload_content=False,
                redirect=False,
                retries=False,
            )
        except HTTPError as error:
            raise no_answer(url, error) from error
        if raise_for_status and response.status != 200:
            response.close()
            raise failure(response.status, url, response.headers.get("Location"))
        reply = Reply(response, url)
        return reply, reply.read

    def _headers(self, given: dict[str, str]) -> HTTPHeaderDict:
        credentials = base64.b64encode(f"{self._user}:{self._key.reveal()}".encode()).decode()
        headers = HTTPHeaderDict(self._pool.headers)
        headers.setdefault("User-Agent", "git/algosync")  # servers tell git clients by this beginning
        for name, value in {**given, "Accept-Encoding": "identity", "Authorization": f"Basic {credentials}"}.items():
            headers[name] = value
        return headers
