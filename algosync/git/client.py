"""dulwich's git client on our own HTTP: requests go over the host that is given, and failures have our names.

dulwich's own HTTP side stays unused, and with it git configuration, credential helpers, proxy variables, redirects and
its fall-back to file listings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dulwich.client import AbstractHttpGitClient
from dulwich.protocol import CAPABILITY_SIDE_BAND_64K

from algosync.core.error import NotFound, SourceError, Unexpected
from algosync.core.text import printable
from algosync.git.reply import Reply

if TYPE_CHECKING:
    from dulwich.client import HTTPResponse

    from algosync.core.credential import Credential
    from algosync.net import Host

__all__ = ["Client"]


class Client(AbstractHttpGitClient):
    """The git client of one repository. HTTP failures are `ClusterError`s; dulwich's own errors are as they are."""

    def __init__(self, url: str, user: str, credential: Credential, host: Host) -> None:
        # dulwich's server insists on clients that take thin packs; none comes to a client that says it has nothing.
        super().__init__(url, thin_packs=True, quiet=True)
        # In it a server may show a build until that ends: nobody reads it here, and who waits for builds has a deadline for them.
        self._send_capabilities.discard(CAPABILITY_SIDE_BAND_64K)
        self._user, self._credential, self._host = user, credential, host

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,  # noqa: ARG002  # a failure is always one
    ) -> tuple[HTTPResponse, Callable[[int], bytes]]:
        """The one method that dulwich asks of a transport."""
        if not url.startswith(self._base_url):
            raise SourceError(f"the git server points elsewhere: {printable(url, 200)}")
        given = {"User-Agent": "git/algosync", **(headers or {})}  # servers tell git clients by this beginning
        given["Authorization"] = self._credential.basic(self._user)
        path = url.removeprefix(self._host.url)
        try:
            response = self._host.open("GET" if data is None else "POST", path, given, data)
        except Unexpected as error:
            if error.status == 404:  # git servers say it in any words; only the platform's API has shapes for it
                raise NotFound(error.message, status=404, hint=error.hint) from None
            raise
        reply = Reply(response, url, _kind(url, given))
        return reply, reply.read


def _kind(url: str, headers: dict[str, str]) -> str:
    """The content type that a right answer has: of the list of branches, or of what the request says that it takes."""
    _, asked, service = url.partition("/info/refs?service=")
    return f"application/x-{service}-advertisement" if asked else headers.get("Accept", "")
