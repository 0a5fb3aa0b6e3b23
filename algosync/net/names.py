"""Names: what a host is called, and the variables that a user looks at when it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Names"]


@dataclass(frozen=True, slots=True)
class Names:
    """Which variable gave a host's address, its key, its certificates and the proxy to it; empty where nobody gave one.

    `host` is `name[:port]`. A Host fills in `host` and `proxy` itself.
    """

    address: str = ""
    key: str = ""
    ca_cert: str = ""
    proxy: str = ""
    host: str = ""

    @classmethod
    def of(cls, side: str) -> Names:
        """`side` is SOURCE or DESTINATION."""
        return cls(f"{side}_API_ADDRESS", f"{side}_API_KEY", f"{side}_CA_CERT")
