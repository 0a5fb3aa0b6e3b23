"""dulwich's git client over our own HTTP connections and with our errors.

dulwich's own HTTP code is not used, so neither are git configuration, credential helpers, proxy variables, redirects and the
fall-back to file listings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dulwich.client import AbstractHttpGitClient
from dulwich.protocol import CAPABILITY_SIDE_BAND_64K

from algosync.core.error import NotFound, SourceError, Unexpected
from algosync.core.text import printable
from algosync.git.refs import AGENT
from algosync.git.response import GitResponse

if TYPE_CHECKING:
    from dulwich.client import HTTPResponse

    from algosync.core.credential import Credential
    from algosync.net import Host

__all__ = ["Client"]


class Client(AbstractHttpGitClient):
    """The git client of one repository. HTTP failures are `ClusterError`s; dulwich's own errors are unchanged."""

    def __init__(self, url: str, user: str, credential: Credential, host: Host) -> None:
        # dulwich's server requires clients that accept thin packs. It sends none to a client that has no objects.
        super().__init__(url, thin_packs=True, quiet=True)
        # A server may keep the side band open until a build ends. Nothing here reads it, and builds have their own deadline.
        self._send_capabilities.discard(CAPABILITY_SIDE_BAND_64K)
        self._user, self._credential, self._host = user, credential, host

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,  # noqa: ARG002  # failures always raise
    ) -> tuple[HTTPResponse, Callable[[int], bytes]]:
        """The only method that dulwich needs from a transport."""
        if not url.startswith(self._base_url):
            raise SourceError(f"the git server points elsewhere: {printable(url, 200)}")
        sent = {**AGENT, **(headers or {})}
        sent["Authorization"] = self._credential.basic(self._user)
        path = url.removeprefix(self._host.url)
        try:
            response = self._host.open("GET" if data is None else "POST", path, sent, data)
        except Unexpected as error:
            if error.status == 404:  # git servers send any 404 body; only the platform's API has a documented one
                raise NotFound(error.message, status=404, hint=error.hint) from None
            raise
        reply = GitResponse(response, url, _expected_type(url, sent))
        return reply, reply.read


def _expected_type(url: str, headers: dict[str, str]) -> str:
    """Return the expected content type: that of the list of branches, or the one that the request accepts."""
    _, is_advertisement, service = url.partition("/info/refs?service=")
    return f"application/x-{service}-advertisement" if is_advertisement else headers.get("Accept", "")
