"""Names: the variables that a user looks at when a host cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Names"]


@dataclass(frozen=True, slots=True)
class Names:
    """Which variable gave a host's address, its key and its certificates; empty where nobody gave one."""

    address: str = ""
    key: str = ""
    ca_cert: str = ""

    @classmethod
    def of(cls, side: str) -> Names:
        """`side` is SOURCE or DESTINATION."""
        return cls(f"{side}_API_ADDRESS", f"{side}_API_KEY", f"{side}_CA_CERT")
