"""The names of the settings that messages refer to when a host cannot be used."""

from __future__ import annotations

from algosync.core.lean import dataclass

__all__ = ["SettingNames"]


@dataclass(frozen=True, slots=True)
class SettingNames:
    """The variables that gave a host's address, key, certificates and proxy; empty if none did.

    `host` is `name[:port]`. A Host fills in `host` and `proxy` itself.
    """

    address: str = ""
    key: str = ""
    ca_cert: str = ""
    proxy: str = ""
    host: str = ""

    @classmethod
    def of(cls, side: str) -> SettingNames:
        """Return the names for `side`, SOURCE or DESTINATION."""
        return cls(f"{side}_API_ADDRESS", f"{side}_API_KEY", f"{side}_CA_CERT")
